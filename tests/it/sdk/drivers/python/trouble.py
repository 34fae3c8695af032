"""One upload, which the test has made something go wrong for."""
from rig import Client, job, link, signed, step

client = Client(job["secured"]["key"], security=signed(job["secured"]))
step("upload", lambda: link(client.upload(filepath=job["files"][-1]["path"], intelligent=job["intelligent"])))
