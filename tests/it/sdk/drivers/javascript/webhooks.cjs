// Webhook bodies as the SDK checks them.
'use strict';

const { sdk, job, step } = require('./rig.cjs');

const main = async () => {
  for (const [name, { secret, body, timestamp, signature }] of Object.entries(job.hooks)) {
    await step(name, () => sdk.validateWebhookSignature(secret, body, { timestamp, signature }));
  }
};

main();
