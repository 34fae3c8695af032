"""Points Filestack's Python SDK at an emulator and reports what it did: one line of JSON a step, on standard output.

The SDK itself is not touched: host names are replaced where it reads them, and its https becomes the emulator's http.
"""
import faulthandler
import json
import sys

# A call that hangs is a failure with a stack trace, not a test run that never ends.
faulthandler.dump_traceback_later(300, exit=True)

job = json.loads(sys.argv[1])
base = job["base"]

# The SDK logs to standard output, which here is for the report only.
report = sys.stdout
sys.stdout = sys.stderr

import filestack  # noqa: E402
import requests  # noqa: E402
from filestack import Client, Filelink, Security  # noqa: E402,F401

filestack.config.API_URL = base + "/api"
type(filestack.config).CDN_URL = property(lambda _: base)
type(filestack.config).MULTIPART_START_URL = property(lambda _: base + "/multipart/start")

_https = base.replace("http://", "https://", 1) + "/"
_request = requests.Session.request


def _plain(self, method, url, *args, **kwargs):
    if url.startswith(_https):
        url = base + "/" + url[len(_https):]
    return _request(self, method, url, *args, **kwargs)


requests.Session.request = _plain


def signed(app, **policy):
    """The SDK's own Security over a policy that is good for an hour of the emulator's time."""
    policy.setdefault("expiry", job["now"] + 3600)
    return Security(policy, app["secret"])


def step(name, action):
    """Does one thing and reports its result, or how it failed. Returns the result."""
    try:
        result = action()
        line, value = {"step": name, "ok": result}, result
    except Exception as error:  # whatever an SDK raises is its answer
        response = getattr(error.__cause__, "response", None)
        status = None if response is None else response.status_code
        line, value = {"step": name, "error": {"kind": type(error).__name__, "text": str(error), "status": status}}, None
    print(json.dumps(line), file=report, flush=True)
    return value


def link(filelink):
    """What an upload told the SDK."""
    return {"handle": filelink.handle, "url": filelink.url, "reply": filelink.upload_response}
