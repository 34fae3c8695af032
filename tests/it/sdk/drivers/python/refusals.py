"""What a policy does not allow, seen by the SDK."""
import io

from rig import Client, Filelink, Security, job, link, requests, signed, step

secured, free = job["secured"], job["open"]
key = secured["key"]
everything = signed(secured)
CALLS = ["pick", "read", "stat", "write", "writeUrl", "store", "convert", "remove", "exif", "runWorkflow"]


def upload(security, params=None, content=b"some bytes", intelligent=False, app=key):
    return link(Client(app, security=security).upload(file_obj=io.BytesIO(content), store_params=params))


def fresh():
    """A file that nothing has happened to."""
    return upload(everything)["handle"]


picture = Client(key, security=everything).upload(filepath=job["picture"]).handle


def file(security, handle=None):
    return Filelink(handle or picture, apikey=key, security=security)


OPERATIONS = {
    "upload": lambda security: upload(security) and None,
    "content": lambda security: file(security).get_content() and None,
    "metadata": lambda security: file(security).metadata() and None,
    "exif": lambda security: file(security).metadata(["exif"]) and None,
    "resize": lambda security: file(security).resize(width=3).get_content() and None,
    "overwrite": lambda security: file(security, fresh()).overwrite(file_obj=io.BytesIO(b"new")) and None,
    "delete": lambda security: file(security, fresh()).delete(),
}

for call in CALLS:
    for name, operation in OPERATIONS.items():
        step("%s with %s" % (name, call), lambda: operation(signed(secured, call=[call])))


def altered(security, **changes):
    """The same policy text and signature, but for what is changed."""
    for name, value in changes.items():
        setattr(security, name, value)
    return security


BAD = {
    "expired": signed(secured, expiry=job["now"] - 1),
    "foreign": signed(free),
    "forged": altered(signed(secured), policy_b64=signed(secured, call=["read"]).policy_b64),
    "unpadded": altered(Security({"expiry": job["now"] + 36000}, secured["secret"]), policy_b64=job["unpadded"]["policy"],
                        signature=job["unpadded"]["signature"]),
    "without expiry": Security({"call": CALLS}, secured["secret"]),
    "misspelt": Security({"expires": job["now"] + 3600}, secured["secret"]),
    "none": None,
}
for kind, security in BAD.items():
    for name, operation in OPERATIONS.items():
        step("%s, %s" % (name, kind), lambda: operation(security))

other = fresh()
for name in ("content", "metadata", "resize", "overwrite", "delete"):
    step("%s, other handle" % name, lambda: OPERATIONS[name](signed(secured, handle=other)))
step("content, this handle", lambda: file(signed(secured, handle=picture)).get_content() and None)

step("larger than maxSize", lambda: upload(signed(secured, maxSize=9)))
step("as large as maxSize", lambda: upload(signed(secured, maxSize=10)))
step("smaller than minSize", lambda: upload(signed(secured, minSize=11)))
step("outside path", lambda: upload(signed(secured, path="mine/.*"), {"path": "yours/1/"}))
step("inside path", lambda: upload(signed(secured, path="mine/.*"), {"path": "mine/1/"}))
step("outside container", lambda: upload(signed(secured, container="ours"), {"container": "theirs"}))
step("inside container", lambda: upload(signed(secured, container="ours"), {"container": "ours"}))
# Its bytes need both characters in which the two alphabets differ.
step("a policy of odd letters", lambda: upload(signed(secured, path="a>~.*|~>?~>??"), {"path": "a>~1/"}))

step("no key", lambda: upload(None, app=None))
step("nobody's key", lambda: upload(None, app="ANobodyz"))
step("no such file", lambda: file(everything, "A" * 20).get_content())

# An app without security is open, but for what changes a file.
plain = Client(free["key"]).upload(file_obj=io.BytesIO(b"open")).handle
step("open app, content", lambda: Filelink(plain).get_content().decode())
step("open app, metadata", lambda: Filelink(plain).metadata(["size"]))
step("open app, overwrite by the SDK", lambda: Filelink(plain).overwrite(file_obj=io.BytesIO(b"x")))
step("open app, delete by the SDK", lambda: Filelink(plain, apikey=free["key"]).delete())
url = "%s/api/file/%s?key=%s" % (job["base"], plain, free["key"])
step("open app, overwrite", lambda: requests.post(url, data=b"x").status_code)
step("open app, delete", lambda: requests.delete(url).status_code)
step("open app, overwrite with a policy", lambda: Filelink(plain, security=signed(free)).overwrite(
    file_obj=io.BytesIO(b"new")).get_content().decode())
step("open app, delete with a policy", lambda: Filelink(plain, free["key"], signed(free)).delete())
