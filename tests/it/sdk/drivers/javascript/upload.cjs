// Uploads of many sizes, regular and intelligent, to an app with security and to one without.
'use strict';

const fs = require('fs');
const { job, client, signed, step, upload } = require('./rig.cjs');

const main = async () => {
  const secured = client(job.secured, signed(job.secured, { call: ['pick'] }));
  for (const { name, path } of job.files) {
    await step(name, () => upload(secured, path));
    await step(`intelligent ${name}`, () => upload(secured, path, { intelligent: true }));
  }

  const large = job.files.at(-1).path;
  await step('from memory', () => upload(secured, fs.readFileSync(large), { partSize: 5 * 1024 * 1024, concurrency: 5 }));
  await step('without MD5', () => upload(secured, large, { disableIntegrityCheck: true }));
  await step('empty', () => upload(secured, Buffer.alloc(0)));
  await step('open app', () => upload(client(job.open), Buffer.from('open'), {}, { mimetype: 'text/plain' }));
  const options = {
    filename: 'ångström {1}.txt', mimetype: 'text/x-notes', location: 'gcs', path: 'notes/2026/', container: 'bucket',
    region: 'eu-west-1', access: 'public', altText: 'A note',
  };
  await step('options', () => upload(secured, Buffer.from('options'), { tags: { colour: 'blue' } }, { ...options }));
  await step('options of an intelligent upload', () => upload(
    secured, Buffer.from('options'), { intelligent: true, tags: { colour: 'blue' } }, { ...options }));
  await step('without storage key', () => upload(
    secured, Buffer.from('keyed'), {}, { filename: 'plain.txt', path: 'as/said', disableStorageKey: true }));

  const progress = [];
  await step('progress', async () => {
    await upload(secured, large, { onProgress: (event) => progress.push(event.totalPercent), progressInterval: 1 });
    return { first: progress[0], grows: progress.every((value, at) => at === 0 || value >= progress[at - 1]) };
  });
  await step('several', async () => {
    const files = await secured.multiupload([Buffer.from('one'), Buffer.from('two')].map((file, at) => ({ file, name: `${at}.txt` })));
    return files.map(({ handle, filename, status }) => ({ handle, filename, status }));
  });
  await step('paused and resumed', async () => {
    const token = {};
    secured.once('upload.start', () => { token.pause(); setTimeout(() => token.resume(), 5); });
    return upload(secured, large, {}, {}, token);
  });
  await step('settings', () => secured.prefetch({ permissions: ['intelligent_ingestion'], settings: ['inapp_browser'] }));
};

main();
