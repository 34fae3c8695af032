"""Webhook bodies as the SDK checks them."""
from filestack.helpers import verify_webhook_signature

from rig import job, step

for name, hook in job["hooks"].items():
    headers = {"FS-Timestamp": hook["timestamp"], "FS-Signature": hook["signature"]}
    step(name, lambda: verify_webhook_signature(hook["secret"], hook["body"].encode(), headers)[0])
