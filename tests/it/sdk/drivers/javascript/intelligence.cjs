// What the SDK has for what is in a file, for film and for workflows.
'use strict';

const { sdk, job, client, signed, step, upload } = require('./rig.cjs');

const fetched = async (url) => {
  const reply = await fetch(url);
  if (!reply.ok) throw Object.assign(new Error(await reply.text()), { response: { status: reply.status } });
  return reply;
};
const json = async (url) => (await fetched(url)).json();

/** What takes a while is over: the emulator's clock is moved by its control surface. */
const later = () => fetch(`${job.base}/__emulator/api/clock`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ action: 'shift', seconds: 5 }),
});

const main = async () => {
  const security = signed(job.secured);
  const secured = client(job.secured, security);
  const { handle } = await step('upload', () => upload(secured, job.picture));

  await step('tags', () => json(secured.transform(handle, { tags: true, security })));
  await step('sfw', () => json(secured.transform(handle, { sfw: true, security })));
  await step('tags in base64', () => json(secured.transform(handle, { tags: true, security }, true)));
  await step('tags without security', () => json(client(job.open).transform(handle, { tags: true })));
  const reading = signed(job.secured, { call: ['read'] });
  await step('tags for a reader', () => json(client(job.secured).transform(handle, { tags: true, security: reading })));

  const film = await upload(secured, Buffer.from('OggS and a film'), {}, { filename: 'a.ogv', mimetype: 'video/ogg' });
  const conversion = secured.transform(film.handle, {
    video_convert: { preset: 'h264', width: 320, height: 180, clip_offset: '00:00:10', access: 'private' }, security,
  });
  await step('convert', () => json(conversion));

  // The SDK knows no such tasks, but builds the URL of any.
  const task = (source, name, params) => new sdk.Filelink(source, job.secured.key)
    .setUseValidator(false).addTask(name, params).security(security).toString();
  const begun = await step('run a workflow', () => json(task(handle, 'run_workflow', { id: job.workflow })));
  const uploads = {};
  for (const [name, options] of [['upload with a workflow', {}], ['intelligent upload with a workflow', { intelligent: true }]]) {
    uploads[name] = await step(name, async () => {
      const file = await secured.upload(job.picture, options, { workflows: [{ id: job.workflow }] });
      return { handle: file.handle, workflows: file.workflows };
    });
  }
  const stored = await step('store from a url with a workflow', async () => {
    const source = await upload(client(job.open), Buffer.from('from a url'), {}, { filename: 'source.txt', mimetype: 'text/plain' });
    return client(job.secured, security).storeURL(source.url, { filename: 'stored.txt', workflows: [job.workflow] });
  });
  await later();
  await step('converted', () => json(conversion));
  // Without a source there is nothing the SDK could build the URL for.
  const status = (id) => json(`${job.base}/${job.secured.key}/security=policy:${encodeURIComponent(security.policy)},signature:${security.signature}/workflow_status=job_id:${id}`);
  const done = await step('finished', () => status(begun.jobid));
  for (const [name, upload] of Object.entries({ ...uploads, 'store from a url with a workflow': stored })) {
    await step(`finished ${name}`, () => status(upload.workflows[job.workflow].jobid));
  }
  // The SDK takes what a workflow made for a handle.
  const made = Object.values(done.results).find((result) => result.url).url;
  const source = made.slice(made.indexOf('wf://'));
  await step('what the workflow made', async () => {
    const reply = await fetched(new sdk.Filelink(source, job.secured.key).security(security).toString());
    return (await reply.arrayBuffer()).byteLength;
  });
};

main();
