// What a policy does not allow, seen by the SDK.
'use strict';

const { sdk, job, client, signed, step, upload } = require('./rig.cjs');

const CALLS = ['pick', 'read', 'stat', 'write', 'writeUrl', 'store', 'convert', 'remove', 'exif', 'runWorkflow'];
const { secured: app, open: free } = job;

const main = async () => {
  const everything = signed(app);
  const put = (security, store = {}, content = 'some bytes') => upload(
    client(app, security), Buffer.from(content), { retry: 1 }, { filename: 'a.txt', mimetype: 'text/plain', ...store });
  const fresh = async () => (await put(everything)).handle;
  const picture = (await upload(client(app, everything), job.picture)).handle;

  const resized = async (security) => {
    const reply = await sdk.FsRequest.get(client(app).transform(picture, { resize: { width: 3 }, ...(security && { security }) }));
    return reply.status;
  };
  const operations = {
    upload: async (security) => { await put(security); },
    content: async (security) => { await client(app).download(picture, security); },
    metadata: async (security) => { await client(app).metadata(picture, {}, security); },
    exif: async (security) => { await client(app).metadata(picture, { exif: true }, security); },
    resize: async (security) => { await resized(security); },
    delete: async (security) => { await client(app).remove(await fresh(), security); },
  };

  for (const call of CALLS) {
    const security = signed(app, { call: [call] });
    for (const [name, operation] of Object.entries(operations)) {
      await step(`${name} with ${call}`, () => operation(security));
    }
  }

  const bad = {
    expired: signed(app, { expiry: job.now - 1 }),
    foreign: signed(free),
    forged: { ...signed(app), policy: signed(app, { call: ['read'] }).policy },
    unpadded: job.unpadded,
    none: undefined,
  };
  for (const [kind, security] of Object.entries(bad)) {
    for (const [name, operation] of Object.entries(operations)) {
      await step(`${name}, ${kind}`, () => operation(security));
    }
  }

  const other = signed(app, { handle: await fresh() });
  for (const name of ['content', 'metadata', 'resize', 'delete']) {
    await step(`${name}, other handle`, () => operations[name](other));
  }
  await step('content, this handle', () => operations.content(signed(app, { handle: picture })));

  await step('larger than maxSize', () => put(signed(app, { maxSize: 9 })));
  await step('as large as maxSize', () => put(signed(app, { maxSize: 10 })));
  await step('smaller than minSize', () => put(signed(app, { minSize: 11 })));
  await step('outside path', () => put(signed(app, { path: 'mine/.*' }), { path: 'yours/1/' }));
  await step('inside path', () => put(signed(app, { path: 'mine/.*' }), { path: 'mine/1/' }));
  await step('outside container', () => put(signed(app, { container: 'ours' }), { container: 'theirs' }));
  await step('inside container', () => put(signed(app, { container: 'ours' }), { container: 'ours' }));
  await step('a policy of odd letters', () => put(signed(app, { path: 'a>~.*|~>?~>??' }), { path: 'a>~1/' }));

  await step("nobody's key", () => upload(client({ key: 'ANobodyz' }), Buffer.from('x')));
  await step('no such file', () => client(app, everything).download('A'.repeat(20)));
  await step('cloud folders, expired', () => client(app, bad.expired).cloud.list({ googledrive: { path: '/' } }));

  const plain = (await upload(client(free), Buffer.from('open'))).handle;
  await step('open app, content', async () => (await client(free).download(plain)).data.toString());
  await step('open app, metadata', () => client(free).metadata(plain, { size: true }));
  await step('open app, delete by the SDK', async () => client(free).remove(plain));
  await step('open app, delete', async () => { await sdk.FsRequest.delete(`${job.base}/api/file/${plain}?key=${free.key}`); });
  await step('open app, delete with a policy', async () => { await client(free).remove(plain, signed(free)); });
};

main();
