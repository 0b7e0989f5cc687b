'use strict';
// Payloads and headers with markup, scripts and tricks in every place, and a judge that finds what got into the page.

const assert = require('assert');
const https = require('https');

const TEXTS = [
  '<script>window.complain("ran")</script>',
  '</script><script>window.complain("ran")</script>',
  '</style></title></textarea><img src=x onerror=window.complain("ran")>',
  '<svg onload=window.complain("ran")><a href="javascript:window.complain(1)">x</a></svg>',
  '"><iframe srcdoc="<script>parent.complain(1)</script>"></iframe>',
  'javascript:window.complain("ran")//',
  '{{constructor.constructor("complain(1)")()}} ${complain(1)} <!--',
  '__proto__',
  '\u202Egpj.exe \u0000\u001b[31m \u2028 \ufeff',
];

const UNCHECKED = { validate: false, retry: false };

// What the page may consist of.
const ELEMENTS = ['html', 'head', 'meta', 'title', 'link', 'style', 'body', 'a', 'header', 'h1', 'nav', 'span', 'p',
  'main', 'div', 'input', 'select', 'option', 'button', 'ul', 'li', 'label', 'textarea', 'details', 'summary',
  'table', 'tbody', 'tr', 'th', 'td', 'script', 'section', 'h2', 'h3', 'dl', 'dt', 'dd', 'time', 'pre', 'code', 'ol',
  'strong', 'article'];

// Calls that have a text in every field and key, some of which the gateway accepts.
function calls(fresh) {
  const start = Date.now() - 1000;
  return TEXTS.flatMap((text) => {
    const bill = { bill_name: text, bill_desc: text, bill_amount: '100', bill_amount_currency: 'HKD',
      bill_due_time: '2027-05-30', bill_icon_url: 'https://www.example.com/i.png', [text]: text,
      order_url: 'alipayhk://x', action_url: 'alipayhk://x' };
    const card = { command: 'SEND', merchantBizNo: fresh(), productTemplateCode: 'PAYMENT_ORDER_DEFAULT',
      orderStatus: 'WAIT_PAY', userId: '1', bizDate: start,
      syncDataInfo: { languageBusinessInfo: { zh_HK: bill, en_US: bill } } };
    const urls = { ...bill, order_url: text, action_url: text, bill_icon_url: text };
    const order = { merchantBizNo: text, merchantBizType: 'MOVIE_TICKET', orderStatus: 'TICKETED', userId: '1',
      orderCreateTime: start, orderModifyTime: start, extInfo: { [text]: { [text]: [text] } }, tradeNo: text };
    const words = { merchantBizType: text, orderStatus: text, userId: text, openId: text, requestId: text,
      amount: text };
    return [
      { method: 'sync_contract_card', payload: card, extra: UNCHECKED },
      { method: 'sync_contract_card', extra: UNCHECKED, payload: { ...card, merchantBizNo: fresh(),
        syncDataInfo: { amount: text, languageBusinessInfo: { zh_HK: urls, en_US: text, [text]: text } } } },
      { method: 'sync_order', payload: order, extra: UNCHECKED },
      { method: 'sync_order', payload: { ...order, ...words, [text]: text }, extra: UNCHECKED },
      { method: 'sync_order', payload: { ...order, merchantBizNo: fresh(), orderStatus: text }, extra: UNCHECKED },
    ];
  });
}

const NAMES = ['Client-Id', 'Request-Time', 'Signature', 'User-Agent', 'Content-Type', 'X-Html'];
const METHODS = ['POST', 'DELETE'];
const BARE = TEXTS.length * METHODS.length;

// Requests that no library sends: a text as path, header and body.
async function bare({ base_url: address }) {
  for (const text of TEXTS) {
    const visible = [...text].filter((each) => each >= ' ' && each <= '~').join('');
    for (const method of METHODS) {
      await new Promise((resolve, reject) => {
        const request = https.request(`${address}/`, {
          method,
          rejectUnauthorized: false, // its CA is one of its own
          path: `/${encodeURI(visible)}<script>`,
          headers: Object.fromEntries(NAMES.map((name) => [name, visible])),
        }, (response) => response.resume().on('end', resolve));
        request.on('error', reject);
        request.end(text);
      });
    }
  }
}

// Throws where the page consists of anything but its own elements, or has what could run or lead away.
async function judge(page) {
  const found = await page.evaluate((known) => [...document.querySelectorAll('*')].flatMap((element) => {
    const attributes = [...element.attributes].map(({ name, value }) => [name, value]);
    const faults = attributes.filter(([name]) => /^on|^style$|^src|^action$|^formaction$/.test(name));
    const href = element.getAttribute('href') ?? '#';
    if (!href.startsWith('#') && element.localName !== 'link') faults.push(['href', href]);
    if (!known.includes(element.localName)) faults.push(['element', element.localName]);
    return faults.map((fault) => `${element.localName}: ${fault.join('=')}`);
  }), ELEMENTS);
  assert.deepStrictEqual(found, []);
  const counts = await page.evaluate(() => ['script', 'style', 'link', 'title', 'textarea'].map(
    (name) => document.querySelectorAll(name).length));
  assert.deepStrictEqual(counts, [1, 1, 1, 1, 1]);
}

module.exports = { BARE, TEXTS, bare, calls, judge };
