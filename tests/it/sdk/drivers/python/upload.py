"""Uploads of many sizes, regular and intelligent, to an app with security and to one without."""
import io

from rig import Client, job, link, signed, step

secured, free = job["secured"], job["open"]
client = Client(secured["key"], security=signed(secured, call=["pick"]))

for file in job["files"]:
    step(file["name"], lambda: link(client.upload(filepath=file["path"])))
    step("intelligent " + file["name"], lambda: link(client.upload(filepath=file["path"], intelligent=True)))

large = job["files"][-1]["path"]


def from_memory():
    with open(large, "rb") as source:
        return link(client.upload(file_obj=io.BytesIO(source.read())))


step("from memory", from_memory)
step("empty", lambda: link(client.upload(file_obj=io.BytesIO(b""))))
step("open app", lambda: link(Client(free["key"]).upload(file_obj=io.BytesIO(b"open"))))
options = {
    "filename": "ångström 1.txt",
    "mimetype": "text/x-notes",
    "location": "gcs",
    "path": "notes/2026/",
    "container": "bucket",
    "region": "eu-west-1",
    "access": "public",
    "upload_tags": {"colour": "blue"},
}
step("options", lambda: link(client.upload(file_obj=io.BytesIO(b"options"), store_params=dict(options))))
step(
    "options of an intelligent upload",
    lambda: link(client.upload(filepath=job["files"][0]["path"], store_params=dict(options), intelligent=True)),
)
