"""Webhook bodies as the SDK checks them."""
from filestack.helpers import verify_webhook_signature

from rig import job, step

# The SDK has no call that signs, but its refusal tells the signature that it would have taken.
for name, hook in job.get("to_sign", {}).items():
    headers = {"FS-Timestamp": hook["timestamp"], "FS-Signature": "none"}
    step(name, lambda: verify_webhook_signature(hook["secret"], hook["body"].encode(), headers)[1]["error"].split("Got: ")[1])

for name, hook in job["hooks"].items():
    headers = {"FS-Timestamp": hook["timestamp"], "FS-Signature": hook["signature"]}
    step(name, lambda: verify_webhook_signature(hook["secret"], hook["body"].encode(), headers)[0])
