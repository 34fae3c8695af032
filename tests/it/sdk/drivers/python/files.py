"""What the SDK does with a file that is there: metadata, delivery, transformations, overwriting, deleting."""
import base64
import io
import os

import requests

from rig import Client, Filelink, base, job, link, signed, step

secured, free = job["secured"], job["open"]
client = Client(secured["key"], security=signed(secured))
FIELDS = [
    "size", "mimetype", "filename", "width", "height", "uploaded", "writeable", "cloud", "source_url",
    "md5", "sha1", "sha224", "sha256", "sha384", "sha512", "location", "path", "container",
]


def keep(name, content):
    """Leaves bytes where the test looks for them."""
    with open(os.path.join(job["out"], name), "wb") as file:
        file.write(content)
    return {"bytes": len(content)}


picture = step("upload", lambda: link(client.upload(filepath=job["picture"])))["handle"]
picture = Filelink(picture, apikey=secured["key"], security=client.security)

step("metadata", picture.metadata)
step("metadata of each kind", lambda: picture.metadata(FIELDS))
step("metadata of one kind", lambda: picture.metadata(["md5"]))

step("content", lambda: keep("content", picture.get_content()))
step("download", lambda: picture.download(os.path.join(job["out"], "download")))
reading = signed(secured, call=["read"], handle=picture.handle)
step("signed url", lambda: keep("signed", requests.get(picture.signed_url(security=reading)).content))
step("unsigned url", lambda: requests.get(picture.url).status_code)

step("resize", lambda: keep("resize", picture.resize(width=20).get_content()))
step("resize to fill", lambda: keep("fill", picture.resize(width=10, height=10, fit="crop", align="top").get_content()))
step("crop", lambda: keep("crop", picture.crop(dim=[30, 10, 8, 6]).get_content()))
step("rotate", lambda: keep("rotate", picture.rotate(deg=90).get_content()))
step("output", lambda: keep("output", picture.filetype_conversion(format="jpg", quality=80).get_content()))
step("chain", lambda: keep("chain", picture.crop(dim=[0, 0, 40, 40]).resize(height=12).rotate(deg=180).get_content()))
step("enhance", lambda: keep("enhance", picture.enhance(preset="auto").get_content()))
converting = signed(secured, call=["read", "convert"], handle=picture.handle)
step("signed transformation", lambda: keep("transformed", requests.get(picture.resize(width=7).signed_url(converting)).content))

new = job["replacement"]
step("overwrite", lambda: picture.overwrite(filepath=new).handle)
step("content after overwrite", lambda: keep("overwritten", picture.get_content()))
step("overwrite from memory", lambda: picture.overwrite(file_obj=io.BytesIO(b"from memory")).handle)
step("content from memory", lambda: keep("from-memory", picture.get_content()))
encoded = io.BytesIO(base64.b64encode(b"was base64"))
step("overwrite with base64", lambda: picture.overwrite(file_obj=encoded, base64decode=True).handle)
step("content from base64", lambda: keep("from-base64", picture.get_content()))
step("metadata after overwrite", lambda: picture.metadata(["size", "filename", "mimetype", "md5"]))

# Another file of the emulator is the source that needs no network.
source = client.upload(file_obj=io.BytesIO(b"from a url"), store_params={"filename": "source.txt"})
step("overwrite from a url", lambda: picture.overwrite(url=source.signed_url()).handle)
step("content from a url", lambda: keep("overwritten-from-url", picture.get_content()))
step("store from a url", lambda: link(client.upload_url(source.signed_url(), store_params={"filename": "stored.txt"})))

# `store` signs nothing (it is so in the SDK), so it is for apps without security.
plain = Client(free["key"]).upload(filepath=job["picture"])
step("store a transformation", lambda: plain.resize(width=5).store(filename="small.png").handle)
step("zip", lambda: client.zip(os.path.join(job["out"], "zip"), [source.handle, picture.handle]))

step("run a workflow", lambda: requests.get(
    "%s/%s/run_workflow=id:%s/%s" % (base, client.security.as_url_string(), job["workflow"], picture.handle)).json()["jobid"])

step("delete", lambda: picture.delete())
step("content after delete", lambda: picture.get_content())
step("metadata after delete", lambda: picture.metadata())
step("delete again", lambda: picture.delete())
