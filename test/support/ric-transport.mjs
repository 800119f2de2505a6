import { registerHooks } from 'node:module';

// `node --import` this before aws-lambda-ric: its native addon, which only moves bytes, is replaced by `node:http`.
// Loader, context, error formatting, log patching and handler checks stay the runtime client's own. The host may tell
// the time with each invocation: deadlines of minutes are then a matter of its clock.
const source = `
const http = require('node:http');
const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const realNow = Date.now;
let aheadMs = 0;
Date.now = () => realNow() + aheadMs;
const call = (method, path, body, headers = {}) =>
  new Promise((resolve, reject) => {
    const sent = body === undefined ? headers : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers };
    const request = http.request({ hostname, port, method, agent, path: '/2018-06-01/runtime/' + path, headers: sent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => { text += chunk; }).on('end', () => {
        if (response.headers['test-ahead-ms']) aheadMs = Number(response.headers['test-ahead-ms']);
        resolve({ bodyJson: text, headers: response.headers });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
const die = (error) => { console.error('runtime api: ' + error.message); process.exit(1); };
module.exports = {
  initializeClient: () => {},
  next: () => call('GET', 'invocation/next'),
  done: (id, body) => { call('POST', 'invocation/' + id + '/response', body).catch(die); },
  error: (id, body) => {
    let type;
    try { type = JSON.parse(body).errorType; } catch {}
    call('POST', 'invocation/' + id + '/error', body, type ? { 'lambda-runtime-function-error-type': type } : {}).catch(die);
  },
};`;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier.endsWith('rapid-client.node')
      ? { url: 'stub:rapid-client', format: 'commonjs', shortCircuit: true }
      : next(specifier, context),
  load: (url, context, next) => {
    if (url === 'stub:rapid-client') return { format: 'commonjs', source, shortCircuit: true };
    // What of the bundle is loaded, and when, is seen in the log.
    if (url.includes(process.env.LAMBDA_TASK_ROOT)) process.stderr.write(`loaded ${url.split('/').at(-1)}\n`);
    return next(url, context);
  },
});
