// The upload page with a queue: several files at once, each with its own progress, cancel and retry.
// A file goes straight to Filestack and is then registered; where that cannot be, it is one request to the JSON API. The plain form
// stays for browsers without scripts.

const AT_ONCE = 3;
const MOST_FILES = 2000;
// Bytes, with room for the dots of what was cut.
const LONGEST_NAME = 245;
const API = "/api/uploads";

const form = document.getElementById("uploader");
const input = document.getElementById("file");
const queue = document.getElementById("queue");
const list = document.getElementById("queue-list");
const folderHint = document.getElementById("folder-hint");
const folder = document.getElementById("folder");
const camera = document.getElementById("camera");
const pattern = document.getElementById("queue-row");
const maxBytes = Number(form.dataset.maxBytes);
// What was left when the page was made; the server knows what is left now.
const leftBytes = Number(form.dataset.leftBytes ?? Infinity);
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

let token = meta("csrf-token");
const items = [];
const direct = await import(form.dataset.direct).catch(() => null);
// False once it has turned out that Filestack cannot be reached from this browser.
let reachable = direct !== null;

// States: waiting, sending, saving (all bytes sent), done, failed, refused, cancelled.
// `failed` and `cancelled` may be tried again, `refused` may not; `checking` comes before a retry after sign-out.
const RUNNING = new Set(["sending", "saving"]);
const OPEN = new Set(["waiting", "sending", "saving"]);

class Item {
  constructor(file, path = file.name) {
    this.file = file;
    this.name = nameOf(path);
    this.sent = 0;
    this.row = pattern.content.firstElementChild.cloneNode(true);
    this.find(".queue-name").textContent = this.name;
    this.find(".queue-size").textContent = sizeText(file.size);
    this.find(".thumb").className = `thumb ${kindOf(file.type)}`;
    const use = this.find("use");
    use.setAttribute("href", use.getAttribute("href").replace("kind-other", kindOf(file.type)));
    this.bar = this.find("progress");
    this.bar.setAttribute("aria-label", `Progress of ${this.name}`);
    this.button("cancel").addEventListener("click", () => this.cancel());
    this.button("retry").addEventListener("click", () => this.retry());
    list.append(this.row);
    this.become("waiting", "Waiting");
    if (file.size > maxBytes) {
      const rule = `It has ${sizeText(file.size)}; one file may have up to ${form.dataset.maxText}.`;
      this.refuse(`Too large. ${rule}`, "Split it or compress it, then add it again.");
    } else if (file.size > leftBytes) {
      const rule = `It has ${sizeText(file.size)}; ${sizeText(leftBytes)} is left of what you may keep.`;
      this.refuse(`No room. ${rule}`, "Delete documents that you no longer need, or ask your administrator for more.");
    }
  }

  find(selector) {
    return this.row.querySelector(selector);
  }

  button(role) {
    return this.find(`[data-role="${role}"]`);
  }

  become(state, words) {
    this.state = state;
    this.say(words);
    const failed = state === "failed" || state === "refused";
    const over = failed || state === "cancelled";
    this.find(".queue-state").className = `queue-state${state === "done" ? " is-done" : failed ? " is-failed" : ""}`;
    this.bar.hidden = !RUNNING.has(state);
    this.button("cancel").hidden = state === "done";
    const verb = over ? "Remove" : "Cancel";
    this.button("cancel").title = verb;
    this.button("cancel").setAttribute("aria-label", `${verb} ${this.name}`);
    this.button("retry").hidden = state !== "failed" && state !== "cancelled";
    if (!failed) this.help("");
    if (failed) announce(`${this.name}: ${words}`);
  }

  say(words) {
    this.find(".queue-state").textContent = words;
  }

  help(words, requestId) {
    const help = this.find(".queue-help");
    help.replaceChildren(words);
    if (requestId) {
      const id = document.createElement("code");
      id.textContent = requestId;
      help.append(words ? " " : "", "Request id: ", id);
    }
    help.hidden = !words && !requestId;
  }

  refuse(words, help, requestId) {
    this.become("refused", words);
    this.help(help, requestId);
  }

  fail(words, help, requestId, reason = "other") {
    this.reason = reason;
    this.become("failed", words);
    this.help(help, requestId);
  }

  start() {
    this.sent = 0;
    this.begun = performance.now();
    this.bar.max = Math.max(this.file.size, 1);
    this.bar.value = 0;
    this.become("sending", "Starting");
    // Filestack's client takes no empty files.
    if (reachable && this.file.size > 0) this.sendDirectly();
    else this.sendThroughServer();
  }

  async sendDirectly() {
    this.upload = {};
    const upload = this.upload;
    const mine = () => this.upload === upload && RUNNING.has(this.state);
    try {
      this.stored ??= await direct.store(this.file, this.name, upload, (event) => mine() && this.progressed(event.totalBytes));
      if (!mine()) return;
      this.sent = this.file.size;
      this.bar.removeAttribute("value");
      this.become("saving", "Saving");
      draw();
      const registered = await direct.register(this.stored.handle, token);
      if (!mine()) return;
      this.finish(registered.id);
      this.offer(registered.duplicates ?? []);
      this.explain(this.stored, registered);
    } catch (trouble) {
      // What is stored already is only registered again, unless its time is over.
      if (!["session", "network"].includes(trouble.code)) this.stored = undefined;
      if (!mine()) return;
      if (trouble.code === "script" || trouble.code === "unreachable") return this.goAround(trouble);
      const final = trouble.code === "file" || trouble.code === "upload-too-large" || trouble.code === "over-quota";
      if (final) this.refuse(trouble.message, trouble.help, trouble.requestId);
      else this.fail(trouble.message, trouble.help ?? "Press Retry.", trouble.requestId, trouble.code);
    }
    next();
  }

  // This browser cannot reach Filestack; the server can.
  goAround(trouble) {
    reachable = false;
    const note = document.getElementById("direct-note");
    note.hidden = false;
    note.querySelector("p").textContent = `${trouble.message} Files go through this server instead.`;
    this.sendThroughServer();
  }

  sendThroughServer() {
    const body = new FormData();
    // The size stands before the bytes: the server then knows what is coming.
    body.append("size", String(this.file.size));
    body.append("file", this.file, this.name);
    const request = new XMLHttpRequest();
    this.request = request;
    request.open("POST", API);
    request.setRequestHeader("X-CSRF-Token", token);
    request.setRequestHeader("Accept", "application/json, application/problem+json");
    request.upload.addEventListener("progress", (event) => this.progressed(event.loaded));
    request.upload.addEventListener("load", () => {
      this.sent = this.file.size;
      this.bar.removeAttribute("value");
      this.become("saving", "Saving");
      draw();
    });
    request.addEventListener("load", () => this.answered());
    request.addEventListener("error", () => this.lost());
    request.addEventListener("loadend", next);
    request.send(body);
  }

  progressed(loaded) {
    // What is counted includes a few hundred bytes of form around the file.
    this.sent = Math.min(loaded, this.file.size);
    this.bar.value = this.sent;
    const seconds = (performance.now() - this.begun) / 1000;
    const speed = this.sent / Math.max(seconds, 0.001);
    const percent = this.file.size ? Math.floor((100 * this.sent) / this.file.size) : 100;
    const parts = [`${percent} %`, `${sizeText(this.sent)} of ${sizeText(this.file.size)}`];
    if (seconds > 1 && speed > 0) {
      parts.push(`${sizeText(speed)}/s`, `${timeText((this.file.size - this.sent) / speed)} left`);
    }
    this.say(parts.join(" · "));
    if (percent >= 50 && !this.halfSaid && seconds > 5) {
      this.halfSaid = true;
      announce(`${this.name}: half uploaded`);
    }
    draw();
  }

  answered() {
    const { request } = this;
    const reply = parsed(request.responseText);
    if (request.status === 201 && reply.id) {
      this.finish(reply.id);
      return this.compare(reply.handle);
    }
    const sentence = reply.detail || reply.title || `The server answered ${request.status}.`;
    const id = reply.request_id ?? request.getResponseHeader("X-Request-Id");
    switch (request.status) {
      case 401:
        return this.fail("You are signed out.", "Sign in again in another tab, then press Retry here: your files are kept.", id, "session");
      case 403:
        return this.fail(sentence, "Reload this page in another tab to see whether you are signed in, then press Retry.", id, "session");
      case 400:
      case 413:
      case 415:
      case 422:
        return this.refuse(sentence, reply.code === "over-quota" ? "Then add the file again." : "Change the file, then add it again.", id);
      case 429:
      case 503: {
        const wait = Number(request.getResponseHeader("Retry-After"));
        const when = wait > 0 ? `in ${timeText(wait)}` : "in a moment";
        return this.fail(sentence, `Press Retry ${when}.`, id);
      }
      default:
        return this.fail(sentence, "Press Retry. If it happens again, tell your administrator the request id.", id);
    }
  }

  lost() {
    const words = navigator.onLine ? "The connection was cut." : "You are offline.";
    const help = navigator.onLine
      ? "Press Retry. If it happens again, the server may have refused the file or be unreachable."
      : "It starts again by itself when you are back online.";
    this.fail(words, help, null, "network");
  }

  finish(id) {
    this.id = id;
    this.become("done", "Uploaded");
    const path = `/documents/${encodeURIComponent(id)}`;
    const open = this.button("open");
    open.href = path;
    open.hidden = false;
    open.setAttribute("aria-label", `Open ${this.name}`);
    if (!navigator.clipboard) return;
    const copy = this.button("copy");
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      const url = new URL(path, location.href).href;
      const words = await navigator.clipboard.writeText(url).then(() => "Copied", () => "Not copied");
      copy.querySelector("span").textContent = words;
      announce(words);
      setTimeout(() => (copy.querySelector("span").textContent = "Copy link"), 2000);
    });
  }

  // What came through the server is registered: asking for it again tells what else has its content.
  async compare(handle) {
    const known = await direct?.register(handle, token).catch(() => null);
    if (known && this.state === "done") this.offer(known.duplicates ?? []);
  }

  // The same content is there already: which of them stays?
  offer(duplicates) {
    if (duplicates.length === 0) return;
    const [other] = duplicates;
    const link = document.createElement("a");
    link.href = `/documents/${encodeURIComponent(other.id)}`;
    link.textContent = other.name;
    const help = this.find(".queue-help");
    const choose = (words, gone) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button button-small";
      button.textContent = words;
      button.addEventListener("click", async () => {
        const done = gone ? await direct.remove(gone, token).catch(() => null) : { ok: true };
        if (!done?.ok) return this.say("That did not work. Try again.");
        help.hidden = true;
        if (gone === this.id) this.become("skipped", "Skipped: you have it already");
        else this.say(gone ? "Uploaded, the earlier one is in the trash" : "Uploaded");
        if (gone === this.id) for (const role of ["open", "copy"]) this.button(role).hidden = true;
        announce(this.find(".queue-state").textContent);
        return draw();
      });
      return button;
    };
    const choices = document.createElement("span");
    choices.className = "queue-choices";
    choices.append(choose("Keep both"), choose("Skip", this.id), choose("Replace", other.id));
    help.replaceChildren("You already have this: ", link, choices);
    help.hidden = false;
    announce(`${this.name}: you already have this`);
  }

  // What a developer wants to see: both answers, and the picture as the CDN makes it.
  async explain(stored, registered) {
    const details = this.find(".queue-details");
    details.hidden = false;
    const plain = Object.fromEntries(Object.entries(JSON.parse(JSON.stringify(stored))).filter(([, value]) => value !== undefined));
    details.querySelector('[data-part="filestack"]').textContent = JSON.stringify(plain, null, 2);
    details.querySelector('[data-part="registered"]').textContent = JSON.stringify(registered, null, 2);
    const preview = details.querySelector("img");
    if (!this.file.type.startsWith("image/")) return;
    const thumbnail = await direct.json(`/api/uploads/${encodeURIComponent(registered.id)}/thumbnail`).catch(() => null);
    if (!thumbnail) return;
    preview.src = thumbnail.url;
    preview.alt = `Preview of ${this.name}`;
    preview.hidden = false;
    const small = preview.cloneNode();
    small.alt = "";
    this.find(".thumb").replaceChildren(small);
  }

  cancel() {
    if (!OPEN.has(this.state)) {
      this.state = "removed";
      items.splice(items.indexOf(this), 1);
      this.row.remove();
      input.focus();
      return next();
    }
    this.become("cancelled", "Cancelled");
    this.request?.abort();
    if (this.upload) this.upload.unwanted = true;
    this.upload?.cancel?.();
    this.upload = undefined;
    this.stored = undefined;
    this.button("retry").focus();
    next();
  }

  async retry() {
    if (this.reason === "session") {
      this.become("checking", "Checking whether you are signed in");
      const problem = await renewToken();
      if (this.state !== "checking") return; // Removed meanwhile.
      if (problem) return this.fail(problem, "Sign in again in another tab, then press Retry here.", null, "session");
    }
    this.reason = undefined;
    this.become("waiting", "Waiting");
    next();
  }
}

// After signing in again the old token is worthless; a fresh page has the new one.
async function renewToken() {
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" }, cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const find = (name) => page.querySelector(`meta[name="${name}"]`)?.content ?? "";
    if (!answer.ok || !find("account")) return "You are still signed out.";
    if (find("account") !== meta("account")) return `You are signed in as ${find("account")} now.`;
    token = find("csrf-token");
    return null;
  } catch {
    return "The server cannot be reached.";
  }
}

function add(files) {
  const before = items.length;
  for (const chosen of files) {
    const { file, path } =
      chosen instanceof File ? { file: chosen, path: chosen.webkitRelativePath || chosen.name } : chosen;
    items.push(new Item(file, path));
  }
  if (items.length === before) return;
  queue.hidden = false;
  const count = items.length - before;
  announce(count === 1 ? `${items.at(-1).name} added` : `${count} files added`);
  next();
}

// Starts what may start, and says where the whole queue is.
function next() {
  const running = items.filter((item) => RUNNING.has(item.state)).length;
  items.filter((item) => item.state === "waiting").slice(0, AT_ONCE - running).forEach((item) => item.start());
  draw();
}

let working = false;

function draw() {
  queue.hidden = items.length === 0;
  const counted = items.filter((item) => item.state === "done" || OPEN.has(item.state));
  const total = counted.reduce((sum, item) => sum + item.file.size, 0);
  const sent = counted.reduce((sum, item) => sum + (item.state === "done" ? item.file.size : item.sent), 0);
  const done = items.filter((item) => item.state === "done").length;
  const failed = items.filter((item) => item.state === "failed" || item.state === "refused").length;
  const open = items.some((item) => OPEN.has(item.state));
  const percent = total ? Math.floor((100 * sent) / total) : open ? 0 : 100;
  const words = [`${done} of ${items.length} uploaded`];
  if (failed) words.push(`${failed} failed`);
  if (open) words.push(`${percent} %`, `${sizeText(sent)} of ${sizeText(total)}`);
  document.getElementById("queue-summary").textContent = words.join(" · ");
  const bar = document.getElementById("queue-progress");
  bar.value = percent;
  bar.hidden = !open;
  document.getElementById("queue-done").hidden = open || done === 0;
  if (working && !open) announce(`Finished: ${words.join(", ")}`);
  working = open;
}

function announce(words) {
  document.getElementById("announcer").textContent = words;
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {}; // A proxy may answer in HTML.
  }
}

function sizeText(bytes) {
  if (bytes < 1024) return `${Math.round(bytes)} ${Math.round(bytes) === 1 ? "byte" : "bytes"}`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let unit = -1;
  do {
    bytes /= 1024;
    unit += 1;
  } while (bytes >= 1023.95 && unit < units.length - 1);
  return `${bytes >= 99.95 ? bytes.toFixed(0) : bytes.toFixed(1).replace(/\.0$/, "")} ${units[unit]}`;
}

function timeText(seconds) {
  if (seconds < 1) return "1 s";
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

// Only a hint until the server has looked at the bytes.
function kindOf(type) {
  const families = { image: "kind-image", audio: "kind-audio", video: "kind-video", text: "kind-text" };
  if (type === "application/pdf") return "kind-pdf";
  if (/zip|tar|7z|rar/.test(type)) return "kind-archive";
  if (/spreadsheet|excel|csv/.test(type)) return "kind-sheet";
  if (/presentation|powerpoint/.test(type)) return "kind-slides";
  return families[type.split("/")[0]] ?? "kind-other";
}

// Documents have no folders; the way to a file stays in its name, the end of it when it is too long.
function nameOf(path) {
  const parts = path.split("/").filter(Boolean);
  const joined = () => parts.join(" › ");
  let cut = false;
  while (parts.length > 1 && new TextEncoder().encode(joined()).length > LONGEST_NAME) {
    parts.shift();
    cut = true;
  }
  return cut ? `… › ${joined()}` : joined();
}

// Everything that was dropped, with all that is in folders.
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const found = [];
  const walk = async (entry) => {
    if (found.length >= MOST_FILES) return;
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      found.push({ file, path: entry.fullPath });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const child of some) await walk(child);
    }
  };
  let unread = false;
  for (const entry of entries) await walk(entry).catch(() => (unread = true));
  folderHint.hidden = !unread && found.length < MOST_FILES;
  folderHint.querySelector("p").textContent = unread
    ? "Some files of the folder could not be read. Look at the list, then add them one by one."
    : `Only the first ${MOST_FILES} files were added. Add the others once these are uploaded.`;
  return found;
}

// The Picker: files come back stored, and are registered one by one.
const pickerButton = document.getElementById("picker-open");
const PICKED_AT_ONCE = 20;
const RENEW_BEFORE_MS = 60000;

let opened; // The Picker, while it is open.

async function openPicker() {
  if (opened) return opened.close();
  pickerButton.disabled = true;
  const problem = document.getElementById("picker-problem");
  problem.hidden = true;
  let renewal;
  try {
    const { client, granted, renew } = await direct.open(PICKED_AT_ONCE);
    const wide = innerWidth >= 900;
    const closed = () => {
      clearInterval(renewal);
      opened = undefined;
      pickerButton.disabled = false;
      pickerButton.textContent = "Open the Picker";
      // Disabled, it lost the focus that the Picker would give back.
      if (!wide) pickerButton.focus();
    };
    renewal = setInterval(() => {
      if (Date.parse(granted.expires_at) - Date.now() < RENEW_BEFORE_MS) renew().catch(() => {});
    }, 10000);
    const picker = client.picker({
      maxFiles: PICKED_AT_ONCE,
      maxSize: granted.max_size,
      fromSources: ["local_file_system", "webcam"],
      storeTo: { path: granted.path },
      onFileSelected: (file) => ({ ...file, name: nameOf(file.originalPath || file.name || file.filename) }),
      displayMode: wide ? "inline" : "overlay",
      container: "#picker",
      onFileUploadFinished: (file) => picked(file),
      // In the page it would stay; over it, it closes by itself.
      onUploadDone: () => wide && picker.close(),
      onClose: closed,
      ...(granted.accept.length ? { accept: granted.accept } : {}),
    });
    opened = picker;
    await direct.shown(picker, granted.urls.pickerUrl);
    if (!wide) return;
    pickerButton.disabled = false;
    pickerButton.textContent = "Close the Picker";
    document.getElementById("picker").scrollIntoView({ block: "nearest" });
  } catch (trouble) {
    clearInterval(renewal);
    opened = undefined;
    pickerButton.disabled = false;
    problem.hidden = false;
    problem.querySelector("p").textContent = `The Picker cannot be opened. ${trouble.message.replace(/\.?$/, ".")} Or use the box above.`;
  }
}

async function picked(stored) {
  const item = new Item({ name: stored.filename, size: stored.size, type: stored.mimetype ?? "" });
  items.push(item);
  queue.hidden = false;
  const settle = async () => {
    item.become("saving", "Saving");
    draw();
    try {
      const registered = await direct.register(stored.handle, token);
      item.finish(registered.id);
      item.offer(registered.duplicates ?? []);
      item.explain(stored, registered);
    } catch (trouble) {
      item.fail(trouble.message, trouble.help, trouble.requestId, trouble.code);
    }
    draw();
  };
  // Its bytes are stored: trying again means registering again.
  item.start = settle;
  await settle();
}

// The server fetches it; nothing is known of it before.
const importer = document.getElementById("import");

function imported(url) {
  const item = new Item({ name: url.split(/[?#]/)[0].split("/").filter(Boolean).at(-1) ?? url, size: 0, type: "" });
  item.find(".queue-size").textContent = "";
  item.start = async () => {
    item.become("saving", "The server fetches it");
    item.bar.removeAttribute("value");
    draw();
    try {
      const headers = { "Content-Type": "application/json", "X-CSRF-Token": token };
      const made = await direct.json("/api/uploads/import", { method: "POST", headers, body: JSON.stringify({ url }) });
      item.finish(made.id);
      item.compare(made.handle);
    } catch (trouble) {
      item.fail(trouble.message, trouble.help, trouble.requestId, trouble.code);
    }
    draw();
  };
  items.push(item);
  queue.hidden = false;
  item.start();
}

if (importer && direct) {
  importer.hidden = false;
  importer.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = document.getElementById("import-url");
    imported(field.value.trim());
    field.value = "";
  });
}

if (pickerButton && direct) {
  pickerButton.closest("section").hidden = false;
  pickerButton.addEventListener("click", openPicker);
}

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
const dragging = (on) => document.documentElement.classList.toggle("is-dragging", on);

input.addEventListener("change", () => {
  add(input.files);
  input.value = ""; // The same file may be chosen again.
});
for (const [button, other] of [["choose-folder", folder], ["choose-camera", camera]]) {
  document.getElementById(button).addEventListener("click", () => other.click());
  other.addEventListener("change", () => {
    add(other.files);
    other.value = "";
  });
}
document.getElementById("choose-more").hidden = false;
document.getElementById("choose-folder").hidden = !("webkitdirectory" in folder);
document.getElementById("choose-camera").hidden = !matchMedia("(pointer: coarse)").matches;
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("queue-more").addEventListener("click", () => {
  input.focus();
  input.click();
});
document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  dragging(true);
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) dragging(false);
});
document.addEventListener("drop", (event) => {
  dragging(false);
  if (!carriesFiles(event)) return;
  event.preventDefault();
  dropped(event.dataTransfer).then(add);
});
document.addEventListener("paste", (event) => {
  // While it is open, the Picker takes what is pasted.
  if (event.clipboardData?.files.length && !opened) add(event.clipboardData.files);
});
addEventListener("beforeunload", (event) => {
  if (items.some((item) => OPEN.has(item.state))) event.preventDefault();
});
addEventListener("online", () => {
  items.filter((item) => item.state === "failed" && item.reason === "network").forEach((item) => item.retry());
});
document.documentElement.classList.add("is-enhanced");
