'use strict';
// node screenshots.js GATEWAY_ENV FOLDER: the pictures of the documentation, of a gateway that nothing was sent to yet.

const path = require('path');
const { samples, session } = require('./chromium');

const [environment, folder] = process.argv.slice(2);
// Small enough that the pictures have less than 150 KiB.
const ORDERS = { width: 1140, height: 680 };
const EXPLORER = { width: 1000, height: 630 };

// A day at a cinema: also a step back, an event that comes late, a wrong key, and an order with a fault.
function day(sample) {
  const start = Date.now() - 600000;
  const order = (number, status, minutes, more) => ({
    method: 'sync_order',
    payload: sample('order', 'MOVIE_TICKET', { merchantBizNo: number, orderStatus: status,
      orderCreateTime: start, orderModifyTime: start + minutes * 60000 }),
    ...more,
  });
  const card = (scenario, number, status, command = 'SEND') => ({
    method: 'sync_contract_card',
    payload: sample('contract_card', scenario, { merchantBizNo: number, orderStatus: status, command }),
  });
  const unchecked = { validate: false, retry: false };
  return [
    order('MB-20418', 'TICKETED', 0), order('MB-20419', 'TICKETED', 0, { kind: 'ec' }),
    order('MB-20420', 'TICKETED', 1, { opts: { encrypt: true } }),
    order('MB-20418', 'USED', 4), order('MB-20418', 'TICKETED', 2), order('MB-20418', 'REFUNDED', 6),
    { ...order('MB-20421', 'TICKET', 3), extra: unchecked },
    { ...order('MB-20422', 'TICKETED', 3), extra: { ...unchecked, key_version: 2 } },
    card('AIR_TICKET_DEFAULT', 'FL-ZZ802-0525', 'NEAR_DEPART'),
    card('PAYMENT_ORDER_DEFAULT', 'GAS-2024-05', 'WAIT_PAY'),
    card('MOVIE_TICKET_DEFAULT', 'MV-7731', 'AWAIT_SCREENING'),
    card('MOVIE_TICKET_DEFAULT', 'MV-7731', 'AWAIT_SCREENING'),
  ];
}

async function shoot(page, name) {
  await page.evaluate(() => document.fonts.ready);
  await new Promise((resolve) => { setTimeout(resolve, 1500); });
  await page.screenshot({ path: path.join(folder, name) });
}

(async () => {
  const chromium = await session(environment);
  const orders = await chromium.open({ viewport: ORDERS });
  await chromium.send(day(await samples(orders)));
  await orders.waitForFunction(() => document.querySelectorAll('#list a').length === 7);
  await orders.evaluate(() => {
    [...document.querySelectorAll('#list a')].find((row) => row.textContent.includes('MB-20418')).click();
  });
  await shoot(orders, 'gateway-orders.png');
  const explorer = await chromium.open({ hash: '#/explorer', scheme: 'dark', viewport: EXPLORER });
  await explorer.select('#scenario', 'MOVIE_TICKET');
  await explorer.click('#send');
  await explorer.waitForSelector('#answer h2');
  await explorer.select('#status', 'USED');
  await explorer.$eval('#payload', (area) => {
    area.value = area.value.replace('"200', '"HK$ 200').replace('"currency": "HKD"', '"currency": "hkd"');
    area.dispatchEvent(new InputEvent('input'));
  });
  await shoot(explorer, 'gateway-explorer.png');
  await chromium.close();
})();
