// Points Filestack's JavaScript SDK at an emulator and reports what it did: one line of JSON a step, on standard output.
//
// The SDK itself is not touched: host names are replaced where it reads them, its https becomes the emulator's http, and the port
// leaves the host name, which Node does not resolve with it.
'use strict';

const http = require('http');
const https = require('https');
const path = require('path');
const { createRequire } = require('module');

// A call that hangs is a failure, not a test run that never ends.
setTimeout(() => { console.error('the driver took too long'); process.exit(3); }, 300_000).unref();

const job = JSON.parse(process.argv[2]);
const authority = new URL(job.base).host;

// The SDK speaks to the console, which here is for the report only.
console.log = console.info = console.warn = console.error;

const request = http.request;
const withoutPort = (options) => (typeof options === 'object' && typeof options.host === 'string'
  ? { ...options, host: options.host.replace(/:\d+$/, '') }
  : options);
http.request = (options, ...rest) => request.call(http, withoutPort(options), ...rest);
const secure = https.request;
https.request = (options, ...rest) => (options.host === authority
  ? http.request({ ...options, protocol: 'http:', agent: undefined }, ...rest)
  : secure.call(https, options, ...rest));

const sdk = createRequire(path.join(job.sdk, 'javascript', 'package.json'))(job.package);

/** A client whose hosts are the emulator. */
const client = (app, security) => {
  const made = sdk.init(app.key, security && { security });
  Object.assign(made.session.urls, {
    fileApiUrl: `${job.base}/api/file`,
    uploadApiUrl: job.base,
    cloudApiUrl: job.base,
    cdnUrl: job.base,
    processUrl: job.base,
  });
  made.cloud.cloudApiUrl = job.base;
  return made;
};

/** The SDK's own policy and signature, good for an hour of the emulator's time. */
const signed = (app, policy = {}) => sdk.getSecurity({ expiry: job.now + 3600, ...policy }, app.secret);

const wording = (data) => (Buffer.isBuffer(data) ? data.toString() : data);

/** An upload fails with the file; the reason comes by an event. */
const failure = (error) => {
  if (error instanceof Error) {
    return { kind: error.code ?? error.name, text: error.message, status: error.response?.status ?? null, data: wording(error.response?.data) ?? null };
  }
  return { kind: error?.status ?? 'unknown', text: 'rejected with a file', status: null, data: null };
};

const report = (line) => new Promise((done) => process.stdout.write(`${JSON.stringify(line)}\n`, done));

/** Does one thing and reports its result, or how it failed. Returns the result. */
const step = async (name, action) => {
  try {
    const result = await action();
    await report({ step: name, ok: result ?? null });
    return result;
  } catch (error) {
    await report({ step: name, error: error.reason ?? failure(error) });
    return undefined;
  }
};

/** `client.upload`, with the reason when it fails. */
const upload = async (from, ...args) => {
  let reason;
  from.once('upload.error', (event) => {
    const details = event?.details ?? {};
    reason = { kind: event?.type ?? 'unknown', text: event?.message ?? '', status: details.code ?? null, data: wording(details.data) ?? null };
  });
  try {
    const file = await from.upload(...args);
    const { handle, url, filename, mimetype, size, status, container, key, uploadTags, alt } = file;
    return { handle, url, filename, mimetype, size, status, container, key, uploadTags, alt };
  } catch (error) {
    throw Object.assign(new Error('upload failed'), { reason: reason ?? failure(error) });
  }
};

module.exports = { sdk, job, client, signed, step, upload };
