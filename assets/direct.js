// Files straight from this browser to Filestack: the script, the right to store, and telling the server what was stored.

const SCRIPT_PATIENCE_MS = 15000;
// Without a byte sent for so long, Filestack cannot be reached; later silences are left to the client, which tries again.
const FIRST_BYTE_MS = 8000;
// The name of the Picker's script, in the page and in the client's loader.
const PICKER = "fs-loader-picker";
let loading;

// A sentence for people, with what to do; `code` says which.
export class Trouble extends Error {
  constructor(message, { help = "", code = "other", requestId } = {}) {
    super(message);
    Object.assign(this, { help, code, requestId });
  }
}

export async function json(path, options = {}) {
  const headers = { Accept: "application/json, application/problem+json", ...options.headers };
  const answer = await fetch(path, { cache: "no-store", ...options, headers }).catch(() => {
    const [words, help] = navigator.onLine
      ? ["The server cannot be reached.", "Press Retry when the connection is back."]
      : ["You are offline.", "It starts again by itself when you are back online."];
    throw new Trouble(words, { help, code: "network" });
  });
  const reply = await answer.json().catch(() => ({}));
  if (answer.ok) return reply;
  const session = answer.status === 401 || answer.status === 403;
  // What the server says of tokens is for programs.
  const words = answer.status === 401 ? "You are signed out." : (reply.detail ?? `The server answered ${answer.status}.`);
  throw new Trouble(words, {
    help: session ? "Sign in again in another tab, then press Retry here: your files are kept." : "Press Retry.",
    code: session ? "session" : (reply.code ?? "other"),
    requestId: reply.request_id,
  });
}

// Once for all files. A script that does not come is said, and may be tried again.
function load({ url, integrity }) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.crossOrigin = "anonymous";
    if (integrity) script.integrity = integrity;
    const failed = () => {
      loading = undefined;
      script.remove();
      const host = new URL(url).host;
      reject(new Trouble(`Filestack's script did not load from ${host}.`, { code: "script" }));
    };
    const patience = setTimeout(failed, SCRIPT_PATIENCE_MS);
    script.addEventListener("error", failed);
    script.addEventListener("load", () => {
      clearTimeout(patience);
      if (window.filestack?.init) resolve();
      else failed();
    });
    document.head.append(script);
  });
  return loading;
}

// Opens a Picker. The client loads its script by itself; Filestack's never tells that it did not come, and keeps waiting for it until
// its loader forgets the module.
export function shown(picker, url) {
  return new Promise((resolve, reject) => {
    const failed = () => {
      script?.remove();
      delete window.filestackInternals?.modules?.[PICKER];
      const words = `Its script did not load from ${new URL(url).host}. Press the button again when that can be reached.`;
      reject(new Trouble(words, { code: "script" }));
    };
    const patience = setTimeout(failed, SCRIPT_PATIENCE_MS);
    const script = document.getElementById(PICKER);
    script?.addEventListener("error", failed);
    // Our own client takes away a script that did not come.
    const refused = (error) => (script && !script.isConnected ? failed() : reject(error));
    picker.open().then(resolve, refused).finally(() => clearTimeout(patience));
  });
}

// A client that may store so many files in one folder, for some minutes; `renew` makes it some minutes more.
export async function open(files = 1) {
  const granted = await json(`/api/uploads/picker-config?files=${files}`);
  await load(granted.script);
  const { apikey, policy, signature } = granted;
  const client = window.filestack.init(apikey, { security: { policy, signature } });
  // In place: the client and all that it makes share this table.
  Object.assign(client.session.urls, granted.urls);
  const renew = async () => {
    const again = await json(`/api/uploads/picker-config?path=${encodeURIComponent(granted.path)}`);
    Object.assign(granted, again);
    Object.assign(client.session, { policy: again.policy, signature: again.signature });
  };
  return { client, granted, renew };
}

// Stores one file; asks for the right once more when it was refused, for it may have ended on the way. A token that is `unwanted` ends
// it; the client adds `cancel` to it a moment after it was given it.
export async function store(file, name, token, onProgress) {
  const { client, granted, renew } = await open();
  if (token.unwanted) throw new Trouble("Cancelled", { code: "aborted" });
  let why;
  client.on?.("upload.error", (error) => (why = error));
  let moved = false;
  let gaveUp = false;
  const progressed = (event) => {
    moved ||= event.totalBytes > 0;
    if (token.unwanted) token.cancel?.();
    onProgress(event);
  };
  const patience = setTimeout(() => {
    if (moved || !navigator.onLine) return;
    gaveUp = true;
    token.cancel?.();
  }, FIRST_BYTE_MS);
  const attempt = () =>
    client.upload(
      { file, name },
      { onProgress: progressed, progressInterval: 250, retry: 8, retryMaxTime: 8000, timeout: 300000 },
      // The name as it is: without being told, the client puts dashes for apostrophes and the like.
      { path: granted.path, filename: name, sanitizer: { exclude: ["\\"] } },
      token,
    );
  const reason = (failed) => (gaveUp ? undefined : failed instanceof Error ? failed : (failed?.error ?? why));
  try {
    return await attempt();
  } catch (failed) {
    if (code(reason(failed)) !== 403) throw trouble(reason(failed));
    await renew();
    return await attempt().catch((again) => {
      throw trouble(reason(again));
    });
  } finally {
    clearTimeout(patience);
  }
}

const code = (error) => error?.details?.code;

function trouble(error) {
  if (error?.type === "aborted") return new Trouble("Cancelled", { code: "aborted" });
  const said = String(error?.details?.data?.error ?? error?.message ?? "").replace(/^FS-/, "");
  switch (code(error)) {
    case 403:
    case 401:
      return new Trouble(`Filestack refused the file${said ? `: ${said}.` : "."}`, {
        help: "Press Retry. If it stays, ask your administrator whether this site's address is allowed at Filestack and the server's clock is right.",
        code: "refused",
      });
    case 400:
    case 413:
      return new Trouble(`Filestack does not take this file${said ? `: ${said}.` : "."}`, { help: "Change the file, then add it again.", code: "file" });
    default:
      return new Trouble("Filestack cannot be reached from here.", { code: "unreachable" });
  }
}

// Makes a document of what was stored. The answer names other documents with the same content.
export function register(handle, token) {
  return json("/api/uploads/register", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
    body: JSON.stringify({ handle }),
  });
}

export function remove(id, token) {
  return fetch(`/api/documents/${encodeURIComponent(id)}`, { method: "DELETE", headers: { "X-CSRF-Token": token } });
}
