// What the SDK does with a file that is there: metadata, delivery, transformations, deleting.
'use strict';

const fs = require('fs');
const path = require('path');
const { sdk, job, client, signed, step, upload } = require('./rig.cjs');

/** Leaves bytes where the test looks for them. */
const keep = (name, content) => {
  fs.writeFileSync(path.join(job.out, name), content);
  return { bytes: content.length };
};

const fetched = async (url) => {
  const reply = await fetch(url);
  if (!reply.ok) throw Object.assign(new Error(await reply.text()), { response: { status: reply.status } });
  return Buffer.from(await reply.arrayBuffer());
};

const main = async () => {
  const security = signed(job.secured);
  const secured = client(job.secured, security);
  const open = client(job.open);
  const { handle } = await step('upload', () => upload(secured, job.picture));

  await step('metadata', () => secured.metadata(handle));
  const fields = ['size', 'mimetype', 'filename', 'width', 'height', 'uploaded', 'writeable', 'cloud', 'sourceUrl', 'md5', 'sha1',
    'sha224', 'sha256', 'sha384', 'sha512', 'location', 'path', 'container'];
  await step('metadata of each kind', () => secured.metadata(handle, Object.fromEntries(fields.map((name) => [name, true]))));
  await step('metadata of one kind', () => secured.metadata(handle, { md5: true }));

  const reading = signed(job.secured, { call: ['read'], handle });
  await step('download', async () => keep('content', (await secured.download(handle, reading)).data));
  await step('retrieve', async () => keep('retrieved', await secured.retrieve(handle, {}, reading)));
  await step('retrieve with extension', async () => keep('extended', await secured.retrieve(handle, { extension: 'png', dl: true, cache: true }, reading)));
  await step('retrieve head', async () => {
    const headers = await secured.retrieve(handle, { head: true }, reading);
    return { type: headers['content-type'], length: headers['content-length'] };
  });
  await step('retrieve metadata', () => secured.retrieve(handle, { metadata: true }));
  await step('unsigned download', () => client(job.secured).download(handle));

  const transform = (name, tasks, b64) => step(name, async () => keep(name.replaceAll(' ', '-'), await fetched(
    secured.transform(handle, { ...tasks, security: signed(job.secured, { call: ['read', 'convert'], handle }) }, b64))));
  for (const b64 of [false, true]) {
    const also = b64 ? ' in base64' : '';
    await transform(`resize${also}`, { resize: { width: 20 } }, b64);
    await transform(`fill${also}`, { resize: { width: 10, height: 10, fit: 'crop', align: 'top' } }, b64);
    await transform(`crop${also}`, { crop: { dim: [30, 10, 8, 6] } }, b64);
    await transform(`rotate${also}`, { rotate: { deg: 90 } }, b64);
    await transform(`output${also}`, { output: { format: 'jpg', quality: 80 } }, b64);
    await transform(`chain${also}`, { crop: { dim: [0, 0, 40, 40] }, resize: { height: 12 }, rotate: { deg: 180 } }, b64);
    await transform(`enhance${also}`, { enhance: { preset: 'auto' } }, b64);
    await transform(`enhance bare${also}`, { enhance: true }, b64);
    await transform(`uncached${also}`, { resize: { width: 4 }, cache: false }, b64);
  }
  await step('odd letters in the policy', async () => {
    const odd = sdk.getSecurity({ expiry: job.now + 3600, path: '~>?~>??~' }, job.secured.secret);
    return { odd: /[+/]/.test(odd.policy), ...keep('odd', (await secured.download(handle, odd)).data) };
  });
  await step('odd letters in the query', async () => {
    const odd = sdk.getSecurity({ expiry: job.now + 3600, path: '~>?~>??~' }, job.secured.secret);
    return secured.metadata(handle, { size: true }, odd);
  });
  await step('unsigned transformation', async () => keep('unsigned', await fetched(client(job.secured).transform(handle, { resize: { width: 20 } }))));
  const plain = await upload(open, job.picture);
  await step('transformation on an open app', async () => keep('open', await fetched(open.transform(plain.handle, { resize: { width: 6 } }))));

  // Another file of the emulator is the source that needs no network. `storeURL` keeps the policy it is given, so it has a client of its own.
  const source = await upload(open, Buffer.from('from a url'), {}, { filename: 'source.txt', mimetype: 'text/plain' });
  await step('store from a url', () => client(job.secured, security).storeURL(source.url, { filename: 'stored.txt' }));
  await step('transform an external source', async () => keep('external', await fetched(open.transform(plain.url, { resize: { width: 3 } }))));
  await step('store a transformation', async () => JSON.parse(
    await fetched(open.transform(plain.handle, { resize: { width: 5 }, store: { filename: 'small.png' } }))).handle);
  await step('zip', async () => keep('zip', await fetched(open.transform([plain.handle, source.handle], { zip: true }))));
  // The SDK knows no such task, but builds the URL of any.
  const workflow = new sdk.Filelink(handle, job.secured.key).setUseValidator(false).addTask('run_workflow', { id: job.workflow });
  await step('run a workflow', async () => JSON.parse(await fetched(workflow.security(security).toString())).jobid);

  await step('cloud folders', () => secured.cloud.list({ googledrive: { path: '/' } }));
  await step('log out of clouds', async () => { await secured.logout(); });

  await step('delete the record', async () => { await open.removeMetadata(plain.handle, signed(job.open)); });
  await step('download without record', () => open.download(plain.handle));
  await step('delete', async () => { await secured.remove(handle, signed(job.secured, { call: ['remove'], handle })); });
  await step('download after delete', () => secured.download(handle));
  await step('metadata after delete', () => secured.metadata(handle));
  await step('delete again', () => secured.remove(handle));
};

main();
