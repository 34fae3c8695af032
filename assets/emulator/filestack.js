// A stand-in for Filestack's browser client, served by the emulator: the same global `filestack`, and the calls that a page with a
// picker or with direct uploads makes (protocol 9.1 and 10). It talks to the origin it was loaded from. The official client works
// against the emulator as well; this one exists so that a page needs no package to be tried.
(() => {
  "use strict";

  const SMALLEST_PART = 5 * 1024 * 1024;
  const PART = 6 * 1024 * 1024;
  const VERSION = "stand-in";
  const origin = new URL(document.currentScript?.src ?? location.href).origin;

  const urls = {
    fileApiUrl: `${origin}/api/file`,
    uploadApiUrl: origin,
    cloudApiUrl: origin,
    cdnUrl: origin,
    processUrl: origin,
    pickerUrl: `${origin}/picker/picker.js`,
  };

  // ---- Errors: what `client.on("upload.error")` and a rejected picker see.

  class FilestackError extends Error {
    constructor(message, type, details = {}) {
      super(`FS-${message}`);
      this.type = type; // validation, request, aborted or other
      this.details = details;
    }
  }

  // ---- One HTTP call with progress, a time limit and a way to abort it.

  function send(method, url, { body, headers = {}, timeout, onSent, aborter }) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const abort = () => request.abort();
      request.open(method, url);
      request.timeout = timeout;
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      if (onSent) request.upload.addEventListener("progress", (event) => onSent(event.loaded));
      request.addEventListener("load", () => resolve(request));
      request.addEventListener("error", () => reject(new FilestackError("Network error", "request", { code: "NETWORK" })));
      request.addEventListener("timeout", () => reject(new FilestackError("Request timed out", "request", { code: "TIMEDOUT" })));
      request.addEventListener("abort", () => reject(new FilestackError("Aborted", "aborted", { code: "ABORTED" })));
      request.addEventListener("loadend", () => aborter?.signal.removeEventListener("abort", abort));
      if (aborter?.signal.aborted) return reject(new FilestackError("Aborted", "aborted", { code: "ABORTED" }));
      aborter?.signal.addEventListener("abort", abort);
      request.send(body);
    });
  }

  function parsed(request) {
    const text = request.responseText;
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }

  function refused(request) {
    const data = parsed(request);
    const words = data?.error?.msg ?? data?.error ?? (typeof data === "string" && data ? data : `Answer ${request.status}`);
    return new FilestackError(String(words), "request", { code: request.status, data, headers: {} });
  }

  // ---- MD5, which the browser does not offer and every part carries.

  const ROTATIONS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
  const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0);

  function md5(bytes) {
    const padded = new Uint8Array((((bytes.length + 8) >>> 6) + 1) << 6);
    padded.set(bytes);
    padded[bytes.length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 8, (bytes.length << 3) >>> 0, true);
    view.setUint32(padded.length - 4, Math.floor(bytes.length / 2 ** 29), true);
    const words = new Int32Array(16);
    let [a0, b0, c0, d0] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
    for (let block = 0; block < padded.length; block += 64) {
      for (let i = 0; i < 16; i += 1) words[i] = view.getInt32(block + 4 * i, true);
      let [a, b, c, d] = [a0, b0, c0, d0];
      for (let i = 0; i < 64; i += 1) {
        const round = i >> 4;
        let mixed;
        let index;
        if (round === 0) [mixed, index] = [(b & c) | (~b & d), i];
        else if (round === 1) [mixed, index] = [(d & b) | (~d & c), (5 * i + 1) & 15];
        else if (round === 2) [mixed, index] = [b ^ c ^ d, (3 * i + 5) & 15];
        else [mixed, index] = [c ^ (b | ~d), (7 * i) & 15];
        const sum = (a + mixed + SINES[i] + words[index]) | 0;
        const by = ROTATIONS[(round << 2) | (i & 3)];
        [a, d, c, b] = [d, c, b, (b + ((sum << by) | (sum >>> (32 - by)))) | 0];
      }
      a0 = (a0 + a) | 0;
      b0 = (b0 + b) | 0;
      c0 = (c0 + c) | 0;
      d0 = (d0 + d) | 0;
    }
    const digest = new DataView(new ArrayBuffer(16));
    [a0, b0, c0, d0].forEach((word, i) => digest.setInt32(4 * i, word, true));
    return btoa(String.fromCharCode(...new Uint8Array(digest.buffer)));
  }

  // ---- One file on its way.

  class Upload {
    constructor(client, input, options, store, token, security) {
      const source = input?.file ?? input;
      if (!(source instanceof Blob)) throw new FilestackError("Invalid upload params: a File or a Blob is needed", "validation");
      const wanted = typeof store.filename === "function" ? store.filename(source) : store.filename;
      Object.assign(this, { client, source, options, security });
      this.store = { location: "s3", ...store };
      for (const ours of ["filename", "mimetype", "sanitizer"]) delete this.store[ours];
      this.name = sanitised(wanted ?? input?.name ?? source.name ?? "undefined", store.sanitizer || {});
      this.type = store.mimetype ?? (source.type || "application/octet-stream");
      this.partSize = Math.max(options.partSize ?? PART, SMALLEST_PART, Math.ceil(source.size / 10000));
      this.retries = options.retry || 10;
      this.timeout = options.timeout ?? 120000;
      this.aborter = new AbortController();
      this.sent = new Map();
      this.highest = 0;
      this.status = "Initialized";
      this.gate = Promise.resolve();
      Object.assign(token, {
        pause: () => this.pause(),
        resume: () => this.resume(),
        cancel: () => this.aborter.abort(),
      });
    }

    pause() {
      this.held ??= Promise.withResolvers?.() ?? deferred();
      this.gate = this.held.promise;
    }

    resume() {
      this.held?.resolve();
      this.held = undefined;
    }

    async run() {
      if (this.source.size === 0) throw new FilestackError("Invalid file: it is empty", "validation");
      this.status = "Progress";
      this.report();
      const ticking = setInterval(() => this.report(), this.options.progressInterval ?? 1000);
      try {
        const started = await this.call("/multipart/start", {
          filename: this.name,
          mimetype: this.type,
          size: this.source.size,
        }, urls.uploadApiUrl);
        const { uri, region, upload_id: id, location_url: place } = started;
        if (!uri || !region || !id || !place) throw new FilestackError("Incorrect start response", "request");
        this.ids = { uri, region, upload_id: id };
        this.place = place.startsWith("http") ? place : `${new URL(urls.uploadApiUrl).protocol}//${place}`;
        const etags = await this.parts();
        const stored = await this.complete(etags);
        this.sent.set("all", this.source.size);
        this.status = stored.status ?? "Stored";
        this.report();
        return this.result(stored);
      } catch (error) {
        this.status = "Failed";
        throw error;
      } finally {
        clearInterval(ticking);
      }
    }

    async parts() {
      const count = Math.ceil(this.source.size / this.partSize);
      const etags = new Array(count);
      let next = 0;
      const lane = async () => {
        while (next < count) {
          const part = next;
          next += 1;
          await this.gate;
          etags[part] = { part_number: part + 1, etag: await this.part(part) };
        }
      };
      const lanes = Math.min(this.options.concurrency ?? 3, count);
      await Promise.all(Array.from({ length: lanes }, lane)).catch((error) => {
        this.aborter.abort();
        throw error;
      });
      return etags;
    }

    async part(index) {
      const from = index * this.partSize;
      const blob = this.source.slice(from, Math.min(from + this.partSize, this.source.size));
      const sum = this.options.disableIntegrityCheck ? {} : { md5: md5(new Uint8Array(await blob.arrayBuffer())) };
      return this.again(async () => {
        const target = await this.once("/multipart/upload", { ...this.ids, part: index + 1, size: blob.size, ...sum }, this.place);
        const answer = await send("PUT", target.url, {
          body: blob,
          headers: target.headers ?? {},
          timeout: this.timeout,
          aborter: this.aborter,
          onSent: (bytes) => this.sent.set(index, Math.min(bytes, blob.size)),
        });
        if (answer.status !== 200) throw refused(answer);
        const etag = answer.getResponseHeader("ETag");
        if (!etag) throw new FilestackError("Cannot upload file, check S3 bucket settings", "request");
        this.sent.set(index, blob.size);
        return etag;
      });
    }

    async complete(parts) {
      for (;;) {
        const stored = await this.call("/multipart/complete", {
          ...this.ids,
          filename: this.name,
          mimetype: this.type,
          size: this.source.size,
          parts,
          ...(this.options.tags ? { upload_tags: this.options.tags } : {}),
        }, this.place);
        if (stored) return stored;
        await wait(1000, this.aborter); // 202: the parts are not merged yet.
      }
    }

    call(path, fields, base) {
      return this.again(() => this.once(path, fields, base));
    }

    // The policy is read anew for each call, so that a page may renew it while an upload runs.
    async once(path, fields, base) {
      const { policy, signature } = this.security ?? this.client.session;
      const body = { apikey: this.client.session.apikey, store: this.store, ...fields };
      if (policy) Object.assign(body, { policy, signature });
      const answer = await send("POST", base + path, {
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json", "Filestack-Source": VERSION },
        timeout: this.timeout,
        aborter: this.aborter,
      });
      if (answer.status === 202) return null;
      if (answer.status !== 200) throw refused(answer);
      return parsed(answer);
    }

    async again(attempt) {
      const { retryFactor = 2, retryMaxTime = 15000, onRetry } = this.options;
      for (let tries = 1; ; tries += 1) {
        try {
          return await attempt();
        } catch (error) {
          const { code } = error.details ?? {};
          const passing = code === "NETWORK" || code === "TIMEDOUT" || code >= 500;
          if (!passing || tries > this.retries) throw error;
          onRetry?.({ location: "upload", filename: this.name, attempt: tries });
          await wait(Math.min(retryMaxTime, retryFactor ** tries * 1000), this.aborter);
        }
      }
    }

    report() {
      const bytes = this.sent.get("all") ?? [...this.sent.values()].reduce((sum, part) => sum + part, 0);
      this.highest = Math.max(this.highest, Math.min(bytes, this.source.size));
      const totalPercent = this.source.size ? Math.round((1000 * this.highest) / this.source.size) / 10 : 0;
      this.options.onProgress?.({ totalBytes: this.highest, totalPercent, files: {} });
    }

    result(stored) {
      const { handle, url, container, key, upload_tags: uploadTags, workflows } = stored;
      return {
        filename: stored.filename ?? this.name,
        name: stored.filename ?? this.name,
        mimetype: stored.mimetype ?? this.type,
        type: stored.mimetype ?? this.type,
        size: this.source.size,
        status: this.status,
        handle,
        url,
        container,
        key,
        uploadTags,
        workflows,
      };
    }
  }

  function deferred() {
    let resolve;
    const promise = new Promise((done) => (resolve = done));
    return { promise, resolve };
  }

  // Waits, but not for an upload that was cancelled meanwhile; a connection that comes back ends the wait.
  function wait(milliseconds, aborter) {
    return new Promise((resolve, reject) => {
      const settle = (end) => () => {
        clearTimeout(timer);
        removeEventListener("online", online);
        aborter.signal.removeEventListener("abort", gone);
        end();
      };
      const online = settle(resolve);
      const gone = settle(() => reject(new FilestackError("Aborted", "aborted", { code: "ABORTED" })));
      const timer = setTimeout(online, milliseconds);
      addEventListener("online", online);
      aborter.signal.addEventListener("abort", gone);
      if (aborter.signal.aborted) gone();
    });
  }

  // The characters that the official client replaces, unless others are named (protocol 10 and 11.4). `false` changes nothing there either.
  function sanitised(name, { exclude = [...'\\{}|%`"\'~[]#^<>'], replacement = "-" }) {
    const dot = name.lastIndexOf(".");
    const [base, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
    const clean = [...base].map((letter) => (exclude.includes(letter) ? replacement : letter)).join("");
    return `${clean || "undefined"}${extension}`;
  }

  // ---- The client and the picker's loader.

  class Client {
    constructor(apikey, options) {
      const { security } = options;
      if (security && !(security.policy && security.signature)) {
        throw new Error("Both policy and signature are required for client security");
      }
      this.session = { apikey, urls, policy: security?.policy, signature: security?.signature };
      this.options = options;
      this.listeners = new Map();
    }

    on(name, listener) {
      this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
      return this;
    }

    emit(name, value) {
      for (const listener of this.listeners.get(name) ?? []) listener(value);
    }

    setSecurity({ policy, signature }) {
      Object.assign(this.session, { policy, signature });
    }

    async upload(input, options = {}, store = {}, token = {}, security) {
      const upload = new Upload(this, input, options, store, token, security);
      this.emit("upload.start");
      try {
        return await upload.run();
      } catch (error) {
        this.emit("upload.error", error);
        // Like the official client: what rejects is the file, and the reason reaches the listener; we add it to the file too.
        throw { ...upload.result({}), status: "Failed", error };
      }
    }

    multiupload(inputs, options, store, token, security) {
      const each = (input) => this.upload(input, options, store, token, security).catch((failed) => failed);
      return Promise.all(inputs.map(each));
    }

    picker(options = {}) {
      return new Loader(this, options);
    }
  }

  const PICKER = "fs-loader-picker";
  window.filestackInternals ??= {};
  window.filestackInternals.modules ??= {};
  let loading;

  // Unlike the official loader, this one says when the script cannot be had.
  function load() {
    const ready = () => window.filestackInternals.modules[PICKER]?.instance;
    if (ready()) return Promise.resolve(ready());
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      Object.assign(script, { id: PICKER, crossOrigin: "anonymous", async: true, src: urls.pickerUrl });
      const failed = () => {
        loading = undefined;
        script.remove();
        reject(new FilestackError(`The picker could not be loaded from ${urls.pickerUrl}`, "other"));
      };
      script.addEventListener("load", () => (ready() ? resolve(ready()) : failed()));
      script.addEventListener("error", failed);
      document.body.append(script);
    });
    return loading;
  }

  class Loader {
    constructor(client, options) {
      this.made = load().then((Picker) => new Picker(client, options));
      this.made.catch(() => {}); // Whoever calls a method is told.
    }

    async open() {
      await (await this.made).open();
    }

    async close() {
      await (await this.made).close();
    }

    async cancel() {
      await (await this.made).cancel();
    }

    async crop(files) {
      await (await this.made).crop(files);
    }
  }

  window.filestack = {
    version: VERSION,
    init(apikey, options = {}) {
      if (typeof apikey !== "string" || !apikey) throw new Error("An apikey is required to initialize the Filestack client");
      return new Client(apikey, options);
    },
  };
})();
