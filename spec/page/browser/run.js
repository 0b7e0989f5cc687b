'use strict';
// node run.js --list: the names of the flows, one a line.
// node run.js GATEWAY_ENV [FLOW]: runs them, or one, and prints what came of each, one JSON object a line.

const flows = require('./flows');

const LIMIT_MS = 120000;

function limited(promise) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it takes longer than ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

// A flow that runs through is good as long as the browser has nothing to say against any page that it opened.
async function run(session, flow) {
  const started = Date.now();
  let message;
  try {
    await limited(flow.run(session));
    const complaints = session.pages.flatMap((page) => page.complaints).filter((text) => !flow.may?.test(text));
    if (complaints.length > 0) message = `the browser says: ${complaints.join('; ')}`;
  } catch (error) {
    message = error.stack;
  }
  await session.closePages();
  return { name: flow.name, message, ms: Date.now() - started };
}

(async () => {
  const [environment, only] = process.argv.slice(2);
  if (environment === '--list') {
    console.log(flows.map(({ name }) => name).join('\n'));
    return;
  }
  const session = await require('./chromium').session(environment);
  for (const flow of flows) {
    if (!only || flow.name.includes(only)) console.log(JSON.stringify(await run(session, flow)));
  }
  await session.close();
})();
