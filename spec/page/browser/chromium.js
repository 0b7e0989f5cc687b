'use strict';
// A headless Chromium on the gateway's page, and orders that the library sends to the gateway.

const { spawn } = require('child_process');
const fs = require('fs');

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const WIDE = { width: 1280, height: 800 };
const ARGUMENTS = ['--disable-dev-shm-usage', '--disable-gpu', '--disable-lcd-text', '--hide-scrollbars',
  '--no-proxy-server'];

// `name=value` lines, such as gateway/start prints.
function valuesOf(text) {
  return Object.fromEntries(text.split('\n').filter(Boolean).map((line) => line.split(/=(.*)/s)));
}

// Runs a command: gives its output.
function run(command, words, { input = '', ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
    let output = '';
    child.stdout.on('data', (data) => { output += data; });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ${words.join(' ')}: status ${code}`));
    });
    child.stdin.end(input);
  });
}

// Has the library send calls, see send.lua; gives what came of them.
async function send(environment, calls) {
  const input = calls.map((call) => `${JSON.stringify(call)}\n`).join('');
  const output = await run(process.env.LUA ?? 'lua5.4', ['spec/page/browser/send.lua', environment], { input });
  return output.trim().split('\n');
}

// Notes what the browser says against a page: on its console, what is thrown, and what its policy forbids.
async function listen(page) {
  page.complaints = [];
  page.on('console', (message) => page.complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => page.complaints.push(`thrown: ${error.message}`));
  await page.exposeFunction('complain', (text) => page.complaints.push(text));
  await page.evaluateOnNewDocument(() => {
    document.addEventListener('securitypolicyviolation', (event) => window.complain(
      `policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
}

class Session {
  constructor(browser, environment) {
    Object.assign(this, { browser, environment, pages: [] });
    this.gateway = valuesOf(fs.readFileSync(environment, 'utf8'));
  }

  // A page in a context of its own, which has seen what the gateway has.
  async open({ hash = '', scheme = 'light', viewport = WIDE, address = this.gateway.page } = {}) {
    const context = await this.browser.createBrowserContext();
    const page = await context.newPage();
    this.pages.push(page);
    await listen(page);
    await page.setViewport(viewport);
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.goto(address + hash, { waitUntil: 'load' });
    await page.waitForFunction(() => document.getElementById('state').textContent === 'Live');
    return page;
  }

  send(calls) {
    return send(this.environment, calls);
  }

  async closePages() {
    for (const page of this.pages) await page.browserContext().close();
    this.pages = [];
  }

  async close() {
    await this.browser.close();
  }
}

// As root Chromium starts without its sandbox alone; what it opens is ours.
async function session(environment) {
  const puppeteer = require('puppeteer-core');
  const sandbox = process.getuid() === 0 ? ['--no-sandbox'] : [];
  const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: [...sandbox, ...ARGUMENTS] });
  return new Session(browser, environment);
}

// Payloads of the data's own samples, with other values: `(api, scenario, values)`.
async function samples(page) {
  const about = await page.evaluate(async () => (await fetch('/page/about')).json());
  return (api, scenario, values) => {
    const { sample } = about.apis.find(({ name }) => name === api).scenarios.find(({ name }) => name === scenario);
    return { ...JSON.parse(sample), ...values };
  };
}

module.exports = { run, samples, session, valuesOf };
