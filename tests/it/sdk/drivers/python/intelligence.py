"""What the SDK has for what is in a file, for film and for workflows."""
import io

import requests

from rig import Client, Filelink, base, job, link, signed, step

secured, free = job["secured"], job["open"]
client = Client(secured["key"], security=signed(secured))
picture = step("upload", lambda: link(client.upload(filepath=job["picture"])))["handle"]
picture = Filelink(picture, apikey=secured["key"], security=client.security)

step("tags", picture.tags)
step("sfw", picture.sfw)
step("ocr", picture.ocr)
step("tags of a smaller one", lambda: picture.resize(width=5).tags())
step("tags without security", lambda: Filelink(picture.handle, apikey=secured["key"]).tags())
reading = signed(secured, call=["read"])
step("tags for a reader", lambda: picture.tags(security=reading))


def later():
    """What takes a while is over: the emulator's clock is moved by its control surface."""
    requests.post(base + "/__emulator/api/clock", json={"action": "shift", "seconds": 5}).raise_for_status()


# The SDK signs none of these calls, so they are for apps without security.
film = Client(free["key"]).upload(file_obj=io.BytesIO(b"OggS and a film"), store_params={"filename": "a.ogv", "mimetype": "video/ogg"})
converted = film.av_convert(preset="h264", width=320, height=180, clip_offset="00:00:10")
step("convert", lambda: {"uuid": converted.uuid, "timestamp": converted.timestamp, "status": converted.status})
step("too early", lambda: converted.to_filelink().handle)
later()
step("converted", lambda: {"uuid": converted.uuid, "status": converted.status})
made = step("film", lambda: converted.to_filelink().handle)
step("metadata of the film", lambda: Filelink(made, apikey=free["key"]).metadata())

workflow = job["workflow"]


def status(jobid):
    return requests.get("%s/%s/%s/workflow_status=job_id:%s" % (base, secured["key"], client.security.as_url_string(), jobid)).json()


begun = step("run a workflow", lambda: requests.get(
    "%s/%s/run_workflow=id:%s/%s" % (base, client.security.as_url_string(), workflow, picture.handle)).json())
step("status", lambda: status(begun["jobid"]))
uploads = {}
for name, intelligent in [("upload with a workflow", False), ("intelligent upload with a workflow", True)]:
    uploads[name] = step(name, lambda: link(client.upload(
        filepath=job["picture"], intelligent=intelligent, store_params={"workflows": [workflow]})))
later()
done = step("finished", lambda: status(begun["jobid"]))
for name, upload in uploads.items():
    step("finished " + name, lambda: status(upload["reply"]["workflows"][workflow]["jobid"]))
# The SDK takes what a workflow made for a handle.
url = next(result["url"] for result in done["results"].values() if "url" in result)
made = Filelink(url[url.index("wf://"):], apikey=secured["key"], security=client.security)
step("what the workflow made", lambda: len(made.get_content()))
