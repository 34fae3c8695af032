// One upload, which the test has made something go wrong for.
'use strict';

const { job, client, signed, step, upload } = require('./rig.cjs');

// The waits between tries are the SDK's own; these are short.
const patience = { retry: 3, retryFactor: 1, retryMaxTime: 1 };

step('upload', () => upload(client(job.secured, signed(job.secured)), job.files.at(-1).path, { ...patience, intelligent: job.intelligent }));
