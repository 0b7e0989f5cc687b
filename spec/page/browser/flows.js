'use strict';
// What somebody does with the gateway's page. Each flow has a name, and `run`, which throws where something is not as
// it has to be; `may`: what the browser may say against the page meanwhile.

const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const hostile = require('./hostile');
const { run, samples, valuesOf } = require('./chromium');

const axe = () => fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const PHONE = { width: 375, height: 700, hasTouch: true, isMobile: true };
const NARROW = { width: 320, height: 640, hasTouch: true, isMobile: true };

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

let numbers = 0;
const fresh = () => `PAGE-${process.pid}-${String(numbers += 1).padStart(4, '0')}`;

// ---- payloads --------------------------------------------------------------------------------------

const START = Date.now() - 3600000;

const order = (number, orderStatus = 'TICKETED', minutes = 0, more = {}) => ({
  method: 'sync_order',
  payload: { merchantBizNo: number, merchantBizType: 'MOVIE_TICKET', orderStatus, userId: '2160120012345678',
    orderCreateTime: START, orderModifyTime: START + minutes * 60000, amount: { value: '18000', currency: 'HKD' },
    extInfo: {} },
  ...more,
});

// An order that ends, and then one event that is late and one that may not be.
const story = (number) => [order(number), order(number, 'USED', 2), order(number, 'TICKETED', 1),
  order(number, 'REFUNDED', 3)];

// ---- what is on the page -----------------------------------------------------------------------------

const textOf = (page, selector) => page.$eval(selector, (element) => element.innerText);
const textsOf = (page, selector) => page.$$eval(selector, (elements) => elements.map((element) => element.innerText));

// Waits until the text of an element has a part, and gives the text.
async function shows(page, selector, part, timeout = 5000) {
  const has = (wanted, text) => document.querySelector(wanted)?.innerText.includes(text);
  try {
    await page.waitForFunction(has, { timeout }, selector, part);
  } catch {
    const text = await page.evaluate((wanted) => document.querySelector(wanted)?.innerText, selector);
    throw new Error(`${selector} does not show ${JSON.stringify(part)}; it has ${JSON.stringify(text)}`);
  }
  return textOf(page, selector);
}

// Opens what a row of the list leads to.
async function choose(page, part) {
  await shows(page, '#list', part);
  await page.evaluate((text) => {
    [...document.querySelectorAll('#list a')].find((row) => row.innerText.includes(text)).click();
  }, part);
}

const statuses = (page) => textsOf(page, '.line li strong');

async function type(page, selector, text) {
  await page.click(selector, { count: 3 });
  await page.keyboard.press('Backspace');
  await page.type(selector, text);
}

// Puts a text in place of another one in the payload, as somebody who types.
async function mend(page, from, to) {
  await page.waitForFunction((before) => document.getElementById('payload')?.value.includes(before), {}, from);
  await page.evaluate((before, after) => {
    const area = document.getElementById('payload');
    area.value = area.value.replace(before, after);
    area.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }, from, to);
}

async function explorer(session, options) {
  const page = await session.open({ hash: '#/explorer', ...options });
  await shows(page, '#verdict', 'fault');
  await page.click('#renew');
  return page;
}

const command = (page) => page.$eval('#curl', (element) => element.textContent.replaceAll('↵\n', '\n'));

// ---- the flows ---------------------------------------------------------------------------------------

const flows = [];
const flow = (name, runIt, may) => flows.push({ name, run: runIt, may });

// By the clock where the machine has nothing else to do; in any case by the time that its processor spends on it.
flow('paints within 200 ms', async (session) => {
  const clock = [];
  const processor = [];
  for (let i = 0; i < 5; i += 1) {
    const page = await session.open();
    const devtools = await page.createCDPSession();
    await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
    await page.goto(session.gateway.page);
    const painted = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
    clock.push(await (await page.waitForFunction(painted)).jsonValue());
    const { metrics } = await devtools.send('Performance.getMetrics');
    processor.push(metrics.find(({ name }) => name === 'TaskDuration').value * 1000);
  }
  const isBusy = os.loadavg()[0] > os.cpus().length / 2;
  assert.ok(Math.min(...processor) < 200, `of the processor it takes ${processor} ms`);
  assert.ok(isBusy || Math.min(...clock) < 200, `it takes ${clock} ms`);
});

flow('says what to do while there is nothing', async (session) => {
  const page = await session.open();
  await shows(page, '#detail', 'Nothing has arrived yet');
  await shows(page, '#detail', session.gateway.base_url);
  await page.click('#detail a[href="#/explorer"]');
  await shows(page, '#verdict', 'No fault');
});

flow('shows an order as it arrives, and each further event in its time line', async (session) => {
  const page = await session.open();
  const number = fresh();
  await session.send([order(number)]);
  await shows(page, '#list', number, 3000);
  await choose(page, number);
  await shows(page, '#detail', 'may follow');
  assert.deepStrictEqual(await statuses(page), ['TICKETED']);
  await session.send([order(number, 'USED', 1)]);
  await page.waitForFunction(() => document.querySelectorAll('.line li').length === 2, { timeout: 3000 });
  assert.deepStrictEqual(await statuses(page), ['TICKETED', 'USED']);
  await shows(page, '#list a[aria-current]', 'USED');
});

flow('tells a step that was refused and an event that came late from those that count', async (session) => {
  const page = await session.open();
  const number = fresh();
  await session.send(story(number));
  await choose(page, number);
  await page.waitForFunction(() => document.querySelectorAll('.line li').length === 4);
  const classes = await page.$$eval('.line li', (items) => items.map((item) => item.className));
  assert.deepStrictEqual(classes, ['accepted', 'accepted', 'ignored', 'refused']);
  const [, , late, refused] = await textsOf(page, '.line li');
  assert.match(late, /ignored.*older than what is stored/s);
  assert.match(refused, /ORDER_STATUS_INVALID.*after USED nothing follows, found REFUNDED/s);
  await shows(page, '.facts', 'USED');
  await page.click('.line li.refused a');
  await shows(page, '#detail h2', `REFUNDED, ${number}`);
});

flow('shows a request with its headers, the bytes that are signed, and the answer', async (session) => {
  const page = await session.open({ hash: '#/requests' });
  const number = fresh();
  await session.send([order(number)]);
  await choose(page, number);
  await shows(page, '#detail', `Verified: signed by ${session.gateway.rsa_client_id}`);
  const content = await textOf(page, '#detail section pre.code');
  assert.match(content, /^POST \/api\/\S+↵\nLOCAL_RSA256\.\d{4}-\d\d-\d\dT[\d:]+\+08:00\.\{/);
  const headers = await textOf(page, 'table[aria-label="Headers of the request"]');
  for (const part of ['client-id', session.gateway.rsa_client_id, 'request-time', 'algorithm=RSA256,keyVersion=1,']) {
    assert.ok(headers.includes(part), part);
  }
  await shows(page, '#detail', '"resultCode": "SUCCESS"');
  await shows(page, '#detail', 'Answer, HTTP 200');
});

flow('says why a request does not verify', async (session) => {
  const page = await session.open({ hash: '#/requests' });
  const [code] = await session.send([order(fresh(), 'TICKETED', 0, { extra: { retry: false, key_version: 7 } })]);
  assert.strictEqual(code, 'INVALID_SIGNATURE');
  await choose(page, 'INVALID_SIGNATURE');
  await shows(page, '#detail', 'Not verified: it is signed with key version 7; the versions given are 1');
});

flow('opens an encrypted request', async (session) => {
  const page = await session.open({ hash: '#/requests' });
  const number = fresh();
  await session.send([order(number, 'TICKETED', 0, { opts: { encrypt: true } })]);
  await choose(page, number);
  await shows(page, '#detail', 'Body, encrypted');
  await shows(page, '#detail', `"merchantBizNo": "${number}"`);
});

flow('draws the card in both languages, and says that it is a sketch', async (session) => {
  const page = await session.open();
  const number = fresh();
  const sample = await samples(page);
  const payload = sample('contract_card', 'PAYMENT_ORDER_DEFAULT', { merchantBizNo: number });
  await session.send([{ method: 'sync_contract_card', payload }]);
  await choose(page, number);
  await shows(page, '#detail', 'not AlipayHK’s rendering');
  const { zh_HK: chinese, en_US: english } = payload.syncDataInfo.languageBusinessInfo;
  for (const texts of [chinese, english]) {
    const label = texts === chinese ? 'zh_HK' : 'en_US';
    const card = await shows(page, `.card[aria-label="${label}"]`, texts.bill_name);
    for (const part of [texts.bill_desc, 'HKD 570.00', texts.bill_due_time]) assert.ok(card.includes(part), card);
  }
  const one = { ...payload, merchantBizNo: fresh(), syncDataInfo: { languageBusinessInfo: { zh_HK: chinese } } };
  await session.send([{ method: 'sync_contract_card', payload: one }]);
  await choose(page, one.merchantBizNo);
  await shows(page, '.card[aria-label="en_US"]', 'nothing to show in this language');
  await session.send([{ method: 'sync_contract_card', payload: { ...one, command: 'UPDATE', orderStatus: 'CLOSED' } }]);
  await shows(page, '#detail', 'nothing is shown any more');
});

flow('filters by words and by outcome', async (session) => {
  const page = await session.open();
  const [first, second] = [fresh(), fresh()];
  await session.send([order(first), order(first, 'USED', 2), order(second), order(second, 'USED', 2),
    order(second, 'REFUNDED', 3)]);
  await shows(page, '#list', second);
  await type(page, '#filter', first);
  assert.strictEqual((await textsOf(page, '#list a')).length, 1);
  await type(page, '#filter', `${first} used`);
  assert.strictEqual((await textsOf(page, '#list a')).length, 1);
  await type(page, '#filter', `${first} order_status_invalid`);
  await shows(page, '#list', 'Nothing that the filter lets through');
  await type(page, '#filter', second);
  await page.select('#outcome', 'refused');
  assert.strictEqual((await textsOf(page, '#list a')).length, 1);
  await page.click('a[data-view=requests]');
  await page.waitForFunction(() => document.querySelectorAll('#list a').length === 1);
  await shows(page, '#list', 'REFUNDED');
});

flow('exports what the filter shows, as JSON Lines', async (session) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'page-export-'));
  const page = await session.open();
  const number = fresh();
  await session.send([order(number), order(fresh()), order(number, 'USED', 1)]);
  await shows(page, '#list', number);
  await type(page, '#filter', number);
  const devtools = await page.createCDPSession();
  await devtools.send('Browser.setDownloadBehavior', {
    behavior: 'allow', downloadPath: folder, browserContextId: page.browserContext().id });
  await page.click('#export');
  const file = path.join(folder, 'requests.jsonl');
  for (let i = 0; i < 100 && !fs.existsSync(file); i += 1) await sleep(50);
  const lines = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  fs.rmSync(folder, { recursive: true });
  const exported = lines.map(({ event }) => `${event.order} ${event.status}`);
  assert.deepStrictEqual(exported, [`${number} TICKETED`, `${number} USED`]);
  assert.ok(lines.every(({ headers, body, answer }) => headers && body && answer));
});

flow('gives a request as a command that does the same again', async (session) => {
  const page = await session.open({ hash: '#/requests' });
  await page.browserContext().overridePermissions(session.gateway.page.replace(/\/$/, ''),
    ['clipboard-read', 'clipboard-write', 'clipboard-sanitized-write']);
  const number = `${fresh()} it's "$(id)" \`x\` \\`;
  await session.send([order(number, 'TICKETED', 0, { extra: { retry: false } })]);
  await choose(page, 'TICKETED');
  await page.waitForSelector('#curl');
  const shown = await command(page);
  await page.evaluate(() => {
    [...document.querySelectorAll('#detail button')].find((control) => control.innerText === 'Copy as curl').click();
  });
  await shows(page, '#detail', 'Copied');
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.strictEqual(copied, shown);
  const before = await page.evaluate(() => seen.last);
  const answer = JSON.parse(await run('sh', ['-c', copied.replace(/^curl/, 'curl -s')]));
  assert.strictEqual(answer.result.resultCode, 'SUCCESS');
  await page.waitForFunction((last) => seen.last === last + 1, {}, before);
  assert.ok(await page.evaluate((last) => seen.requests.get(last).is_verified, before + 1));
});

flow('finds faults while somebody types, and sends what was mended', async (session) => {
  const page = await explorer(session);
  await page.select('#api', 'contract_card');
  await page.select('#scenario', 'MOVIE_TICKET_DEFAULT');
  await page.click('#renew');
  await shows(page, '#verdict', 'No fault');
  await mend(page, '"AWAIT_SCREENING"', '"AWAIT_SCREENIN"');
  await shows(page, '#verdict', '1 fault');
  assert.match(await textOf(page, '.faults li'), /orderStatus.*enum.*did you mean "AWAIT_SCREENING"/s);
  await page.click('.faults button');
  const selected = await page.$eval('#payload', (area) => area.value.slice(area.selectionStart, area.selectionEnd));
  assert.strictEqual(selected, '"orderStatus"');
  await mend(page, '"AWAIT_SCREENIN",', '"AWAIT_SCREENIN"');
  await shows(page, '#verdict', 'not JSON');
  await mend(page, '"AWAIT_SCREENIN"', '"AWAIT_SCREENING",');
  await shows(page, '#verdict', 'No fault');
  await page.click('#send');
  await shows(page, '#answer', '"resultCode": "SUCCESS"');
  await shows(page, '#answer', `Verified: signed by ${session.gateway.rsa_client_id}`);
  await shows(page, '#verdict', 'as the next event after AWAIT_SCREENING');
});

flow('sends a fault to show how it is refused', async (session) => {
  const page = await explorer(session);
  await mend(page, '"orderStatus"', '"orderState"');
  await shows(page, '#verdict', 'fault');
  await page.click('#send');
  await shows(page, '#answer', 'PARAM_ILLEGAL');
  await shows(page, '#answer', 'orderStatus');
});

flow('sends by the other key, and encrypted', async (session) => {
  const page = await explorer(session);
  await page.click('#encrypt');
  await page.click('#send');
  await shows(page, '#answer', 'Body, encrypted');
  await page.select('#client', session.gateway.ec_client_id);
  assert.ok(await page.$eval('#encrypt', (box) => box.disabled));
  await page.click('#renew');
  await page.click('#send');
  await shows(page, '#answer', `Verified: signed by ${session.gateway.ec_client_id}`);
});

flow('goes from status to status', async (session) => {
  const page = await explorer(session);
  await page.select('#scenario', 'MOVIE_TICKET');
  await page.click('#renew');
  const number = JSON.parse(await page.$eval('#payload', (area) => area.value)).merchantBizNo;
  for (const status of ['TICKETED', 'USED']) {
    await page.select('#status', status);
    await page.click('#send');
    await shows(page, '#answer h2', `${status}, ${number}`);
  }
  await page.select('#status', 'REFUNDED');
  await shows(page, '#verdict', 'after USED nothing follows');
  await page.click('a[data-view=orders]');
  await choose(page, number);
  await page.waitForFunction(() => document.querySelectorAll('.line li').length === 2);
});

flow('can be used with the keyboard alone', async (session) => {
  const page = await session.open();
  const number = fresh();
  await session.send([order(number), order(number, 'USED', 1), order(fresh())]);
  await shows(page, '#list', number);
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  const focused = () => page.evaluate(() => document.activeElement.innerText || document.activeElement.id);
  const tabTo = async (pattern) => {
    for (let i = 0; i < 12 && !pattern.test(await focused()); i += 1) await press('Tab');
    assert.match(await focused(), pattern);
  };
  await press('/');
  assert.strictEqual(await focused(), 'filter');
  await page.keyboard.type(number);
  await tabTo(new RegExp(number));
  const outlined = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.strictEqual(outlined, 'solid');
  await press('Enter');
  await shows(page, '#detail h2', number);
  await tabTo(/^#\d+$/);
  await press('Enter');
  await shows(page, '#detail h2', `, ${number}`);
  // The list of requests, by its arrows.
  await page.evaluate(() => document.querySelector('#list a').focus());
  await press('ArrowDown', 'Enter');
  await page.waitForFunction(() => document.querySelectorAll('#list a')[1].hasAttribute('aria-current'));
  await press('ArrowUp', 'Enter');
  await page.waitForFunction(() => document.querySelectorAll('#list a')[0].hasAttribute('aria-current'));
  // The explorer: from the bar to its payload, and sent from there.
  await page.focus('a[data-view=explorer]');
  await press('Enter');
  await shows(page, '#verdict', 'No fault');
  await tabTo(/^payload$/);
  await page.keyboard.down('Control');
  await press('Enter');
  await page.keyboard.up('Control');
  await shows(page, '#answer', '"resultCode"');
});

flow('keeps the focus while others send', async (session) => {
  const page = await session.open();
  const number = fresh();
  await session.send([order(number)]);
  await choose(page, number);
  await page.focus('#list a[aria-current]');
  const other = fresh();
  await session.send([order(other)]);
  await shows(page, '#list', other);
  assert.match(await page.evaluate(() => document.activeElement.innerText), new RegExp(number));
});

flow('fits a phone', async (session) => {
  const number = `${fresh()}-with-a-number-that-does-not-fit-in-a-line`;
  await session.send([order(number, 'TICKETED', 0, { extra: { validate: false, retry: false } }), order(fresh())]);
  for (const viewport of [PHONE, NARROW]) {
    const page = await session.open({ viewport });
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    await shows(page, '#list', number);
    assert.ok(await overflow() <= 0, 'the list');
    await choose(page, number);
    await shows(page, '#detail h2', number);
    assert.ok(await overflow() <= 0, 'an order');
    assert.ok(!await page.$eval('#list', (list) => list.checkVisibility()), 'the list makes room');
    await page.click('.back');
    await shows(page, '#list', number);
    await page.click('a[data-view=requests]');
    await choose(page, number);
    await page.waitForSelector('#curl');
    await page.$$eval('details', (all) => all.forEach((each) => { each.open = true; }));
    assert.ok(await overflow() <= 0, 'a request');
    await page.click('a[data-view=explorer]');
    await shows(page, '#verdict', 'fault');
    await page.$$eval('details', (all) => all.forEach((each) => { each.open = true; }));
    await page.click('#send');
    await shows(page, '#answer', 'resultCode');
    assert.ok(await overflow() <= 0, 'the explorer');
  }
});

// Every view, each with what it has to show.
async function views(session, options) {
  const number = fresh();
  const page = await session.open(options);
  const card = (await samples(page))('contract_card', 'MOVIE_TICKET_DEFAULT', { merchantBizNo: fresh() });
  await session.send([...story(number), { method: 'sync_contract_card', payload: card },
    order(fresh(), 'TICKETED', 0, { extra: { retry: false, key_version: 7 } })]);
  return [
    ['an order', async () => { await choose(page, number); await shows(page, '.line', 'REFUNDED'); }],
    ['a card', async () => { await choose(page, card.merchantBizNo); await shows(page, '.cards', 'F7'); }],
    ['requests', async () => {
      await page.click('a[data-view=requests]');
      await choose(page, number);
      await page.waitForSelector('#curl');
    }],
    ['a refused request', async () => {
      await choose(page, 'INVALID_SIGNATURE');
      await shows(page, '#detail', 'Not verified');
    }],
    ['a filter that lets nothing through', () => page.type('#filter', 'zzz')],
    ['the explorer', async () => {
      await page.click('a[data-view=explorer]');
      await mend(page, '"orderStatus"', '"orderState"');
      await shows(page, '#verdict', 'fault');
      await page.click('#send');
      await shows(page, '#answer', 'PARAM_ILLEGAL');
      await page.$$eval('details', (all) => all.forEach((each) => { each.open = true; }));
    }],
  ].map(([name, show]) => ({ name, page, show }));
}

async function violations(page) {
  const { violations: found } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return found.map(({ id, nodes }) => [id, ...nodes.map((node) => node.html + node.failureSummary)].join(' | '));
}

for (const scheme of ['light', 'dark']) {
  flow(`has no fault that axe finds: ${scheme}`, async (session) => {
    for (const viewport of [undefined, PHONE]) {
      for (const { name, page, show } of await views(session, { scheme, viewport })) {
        await page.evaluate(axe());
        // On a phone from what was chosen back to the list.
        await page.evaluate(() => { window.location.hash = window.location.hash.split('/', 2).join('/'); });
        await show();
        assert.deepStrictEqual(await violations(page), [], `${scheme}, ${name}`);
      }
    }
  });
}

flow('is found faulty by axe where it is', async (session) => {
  const page = await session.open();
  await page.evaluate(axe());
  await page.evaluate(() => {
    const button = document.createElement('button');
    document.getElementById('detail').append(button);
  });
  assert.match((await violations(page)).join(), /button-name/);
});

flow('is dark where the system is', async (session) => {
  const lightness = async (scheme) => {
    const page = await session.open({ scheme });
    const colours = await page.evaluate(() => {
      const { backgroundColor, color } = getComputedStyle(document.body);
      return [backgroundColor, color];
    });
    return colours.map((colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0));
  };
  const [lightBack, lightText] = await lightness('light');
  const [darkBack, darkText] = await lightness('dark');
  assert.ok(lightBack > 600 && lightText < 200, 'light');
  assert.ok(darkBack < 150 && darkText > 600, 'dark');
});

flow('runs nothing that a payload holds', async (session) => {
  const calls = hostile.calls(fresh);
  await session.send(calls);
  await hostile.bare(session.gateway);
  const page = await session.open();
  await page.$$eval('details', (all) => all.forEach((each) => { each.open = true; }));
  const last = await page.evaluate(() => seen.last);
  for (const key of await page.evaluate(() => [...seen.orders.keys()])) {
    await page.evaluate((wanted) => { window.location.hash = `#/orders/${encodeURIComponent(wanted)}`; }, key);
    await page.waitForFunction((wanted) => shownDetail.startsWith(`orders ${wanted}`), {}, key);
    await page.waitForSelector('.line li');
    await hostile.judge(page);
  }
  for (let id = last; id > Math.max(0, last - calls.length - hostile.BARE); id -= 1) {
    await page.evaluate((wanted) => { window.location.hash = `#/requests/${wanted}`; }, id);
    await shows(page, '.facts', `#${id}`);
    await page.$$eval('details', (all) => all.forEach((each) => { each.open = true; }));
    await hostile.judge(page);
  }
  await page.evaluate(() => { window.location.hash = '#/explorer'; });
  await shows(page, '#verdict', 'fault');
  for (const text of hostile.TEXTS) {
    await page.$eval('#payload', (area, value) => {
      area.value = JSON.stringify({ [value]: value, orderStatus: value, merchantBizNo: value, merchantBizType: value });
      area.dispatchEvent(new InputEvent('input', { bubbles: true }));
    }, text);
    await shows(page, '#verdict', 'fault');
    await page.click('#send');
    await shows(page, '#answer', 'PARAM_ILLEGAL');
    await hostile.judge(page);
  }
  await page.evaluate((text) => { window.location.hash = `#/requests/${text}`; }, hostile.TEXTS[0]);
  await shows(page, '#detail', 'not there any more');
  await hostile.judge(page);
});

flow('is judged rightly where something does get into it', async (session) => {
  const page = await session.open();
  await page.evaluate(() => document.getElementById('detail').append(document.createElement('img')));
  await assert.rejects(hostile.judge(page), /img/);
  const other = await session.open();
  await other.evaluate(() => document.querySelector('nav a').setAttribute('href', 'javascript:x'));
  await assert.rejects(hostile.judge(other), /href=javascript:x/);
});

flow('cannot make markup of a text, nor reach another host', async (session) => {
  const page = await session.open();
  await assert.rejects(page.evaluate(() => { document.body.innerHTML = '<b>x</b>'; }), /TrustedHTML/);
  await assert.rejects(page.evaluate(() => document.body.setAttribute('onclick', 'x')), /TrustedScript/);
  await assert.rejects(page.evaluate(() => fetch('http://127.0.0.1:1/')), /Failed to fetch|CSP|violates/);
  assert.match(page.complaints.join(), /connect-src/);
}, /./);

flow('says when the gateway does not answer, and goes on when it does again', async (session) => {
  const page = await session.open();
  await page.setOfflineMode(true);
  await shows(page, '#state', 'does not answer');
  await page.setOfflineMode(false);
  await shows(page, '#state', 'Live');
  const number = fresh();
  await session.send([order(number)]);
  await shows(page, '#list', number);
}, /ERR_INTERNET_DISCONNECTED/);

flow('begins anew with a gateway that was started anew', async (session) => {
  const env = { ...process.env, GATEWAY_PORT: String(20000 + Math.floor(Math.random() * 12000)) };
  const start = async () => valuesOf(await run('gateway/start', [], { env }));
  const stop = async ({ pid, ca_file: file }) => {
    process.kill(Number(pid));
    while (fs.existsSync(file)) await sleep(50);
  };
  let gateway = await start();
  try {
    const page = await session.open({ address: gateway.page, hash: '#/explorer' });
    await page.waitForSelector('#verdict p');
    await page.click('#send');
    await shows(page, '#requests-count', '1');
    await stop(gateway);
    gateway = await start();
    await shows(page, '#state', 'Live', 10000);
    await page.waitForFunction(() => document.getElementById('requests-count').textContent === '', { timeout: 10000 });
  } finally {
    await stop(gateway);
  }
}, /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/);

module.exports = flows;
