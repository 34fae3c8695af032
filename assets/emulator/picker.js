// A stand-in for Filestack's Picker, served by the emulator where the official loader expects the real one (protocol 9.1). It offers
// what works without a cloud: files, folders, drag and drop, paste and the camera; cropping and rotating pictures; and it uploads
// through `client.upload` of whatever client it is given. Options and answers are those of protocol 9.2 and 9.3.
(() => {
  "use strict";

  const LOCAL = "local_file_system";
  const EDITABLE = /^image\/(jpeg|png|webp)$/;
  const STYLE = `
.fsp, .fsp * { box-sizing: border-box; }
.fsp { --fsp-ink: #1b1f24; --fsp-soft: #57606a; --fsp-line: #8c959f; --fsp-back: #fff; --fsp-tint: #f3f5f7; --fsp-main: #0b57d0;
  --fsp-on-main: #fff; --fsp-bad: #b3261e; --fsp-good: #146c2e; color: var(--fsp-ink); font: 16px/1.45 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .fsp { --fsp-ink: #e6e9ed; --fsp-soft: #aab4bf; --fsp-line: #7d8790; --fsp-back: #1b1f24;
  --fsp-tint: #272d34; --fsp-main: #8ab4f8; --fsp-on-main: #10141a; --fsp-bad: #ffb4ab; --fsp-good: #7fd69a; } }
.fsp-overlay { position: fixed; inset: 0; z-index: 2147483000; display: grid; place-items: center; padding: 12px; background: rgb(0 0 0 / 55%); }
.fsp-panel { display: flex; flex-direction: column; width: min(720px, 100%); max-height: min(640px, 100%); overflow: hidden;
  background: var(--fsp-back); border: 1px solid var(--fsp-line); border-radius: 12px; }
.fsp-inline .fsp-panel { width: 100%; max-height: none; }
.fsp-head, .fsp-foot { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; padding: 12px 16px; }
.fsp-head { border-bottom: 1px solid var(--fsp-line); } .fsp-foot { border-top: 1px solid var(--fsp-line); }
.fsp h2 { margin: 0; font-size: 1.1rem; } .fsp p { margin: 0; }
.fsp-note { color: var(--fsp-soft); font-size: .85rem; } .fsp-grow { flex: 1; }
.fsp-body { flex: 1; overflow: auto; padding: 16px; display: grid; gap: 12px; align-content: start; }
.fsp button { min-height: 36px; padding: 6px 14px; font: inherit; color: var(--fsp-ink); background: var(--fsp-tint);
  border: 1px solid var(--fsp-line); border-radius: 8px; cursor: pointer; }
.fsp button.fsp-primary { color: var(--fsp-on-main); background: var(--fsp-main); border-color: var(--fsp-main); }
.fsp button:disabled { opacity: .55; cursor: default; }
.fsp :focus-visible { outline: 3px solid var(--fsp-main); outline-offset: 2px; }
.fsp-drop { display: grid; gap: 10px; justify-items: center; padding: 28px 12px; text-align: center; background: var(--fsp-tint);
  border: 2px dashed var(--fsp-line); border-radius: 10px; }
.fsp-drop.fsp-over, .fsp-pane.fsp-over { border-color: var(--fsp-main); border-style: solid; }
.fsp-row { display: flex; flex-wrap: wrap; justify-content: center; gap: 8px; }
.fsp-files { display: grid; gap: 8px; margin: 0; padding: 0; list-style: none; }
.fsp-file { display: grid; grid-template-columns: 48px 1fr auto; gap: 4px 12px; align-items: center; padding: 8px;
  border: 1px solid var(--fsp-line); border-radius: 8px; }
.fsp-file img, .fsp-file .fsp-kind { width: 48px; height: 48px; object-fit: cover; border-radius: 6px; background: var(--fsp-tint); }
.fsp-file .fsp-kind { display: grid; place-items: center; font-size: .7rem; color: var(--fsp-soft); overflow: hidden; }
.fsp-name { overflow-wrap: anywhere; } .fsp-state { color: var(--fsp-soft); font-size: .85rem; }
.fsp-bad { color: var(--fsp-bad); } .fsp-good { color: var(--fsp-good); }
.fsp progress { width: 100%; grid-column: 1 / -1; accent-color: var(--fsp-main); }
.fsp-pane { display: grid; place-items: center; gap: 8px; min-height: 120px; padding: 16px; text-align: center; cursor: pointer;
  background: var(--fsp-tint); border: 2px dashed var(--fsp-line); border-radius: 10px; }
.fsp-editor canvas, .fsp-editor video { max-width: 100%; max-height: 300px; justify-self: center; border: 1px solid var(--fsp-line); touch-action: none; }
.fsp-fields { display: flex; flex-wrap: wrap; gap: 8px 16px; } .fsp-fields label { display: grid; font-size: .85rem; }
.fsp-fields input { width: 6rem; min-height: 32px; font: inherit; color: inherit; background: var(--fsp-back); border: 1px solid var(--fsp-line); border-radius: 6px; }
.fsp [hidden] { display: none !important; }
.fsp-live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 420px) { .fsp-overlay { padding: 0; } .fsp-overlay .fsp-panel { height: 100%; max-height: 100%; border-radius: 0; }
  .fsp-file { grid-template-columns: 48px 1fr; } .fsp-actions { grid-column: 2 / -1; justify-content: start; } }`;

  // A constructed sheet needs no permission of the page's CSP.
  function dress() {
    if (dress.done) return;
    dress.done = true;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }

  function make(tag, fields = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(fields)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name in element && typeof value !== "string") element[name] = value;
      else if (value !== undefined) element.setAttribute(name === "className" ? "class" : name, value);
    }
    element.append(...children.filter((child) => child !== undefined));
    return element;
  }

  function button(words, act, fields = {}) {
    return make("button", { type: "button", onclick: act, ...fields }, words);
  }

  function sizeText(bytes) {
    const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    const unit = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
    return `${unit ? (bytes / 1024 ** unit).toFixed(1).replace(/\.0$/, "") : bytes} ${units[unit]}`;
  }

  // ---- What may be chosen.

  function accepts(file, accept) {
    const rules = (Array.isArray(accept) ? accept : accept ? String(accept).split(",") : []).map((rule) => rule.trim().toLowerCase());
    const name = file.name.toLowerCase();
    const type = file.type.toLowerCase();
    return (
      rules.length === 0 ||
      rules.some((rule) => {
        if (rule.startsWith(".")) return name.endsWith(rule);
        if (rule.endsWith("/*")) return type.startsWith(rule.slice(0, -1));
        return rule === "*/*" || type === rule || (!rule.includes("/") && name.endsWith(`.${rule}`));
      })
    );
  }

  function complaint(file, options) {
    if (!accepts(file, options.accept)) {
      return `This type is not accepted here. Accepted: ${[options.accept].flat().join(", ")}.`;
    }
    if (options.maxSize && file.size > options.maxSize) {
      return `Too large: it has ${sizeText(file.size)}, the limit is ${sizeText(options.maxSize)}.`;
    }
    return file.size === 0 ? "This file is empty, and Filestack’s client stores no empty files. Choose another." : null;
  }

  // Everything below a dropped folder, each file with its path.
  async function entriesOf(transfer) {
    const roots = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (roots.length === 0) return [...transfer.files].map((file) => ({ file, path: file.name }));
    const found = [];
    const walk = async (entry) => {
      if (entry.isFile) {
        const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
        return found.push({ file, path: entry.fullPath.replace(/^\//, "") });
      }
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (some.length === 0) return undefined;
        for (const child of some) await walk(child);
      }
    };
    for (const root of roots) await walk(root);
    return found;
  }

  // ---- One chosen file.

  class Choice {
    constructor(picker, file, path, source = LOCAL) {
      Object.assign(this, { picker, file, source, state: "chosen", token: {} });
      this.originalPath = path || file.name;
      this.original = file;
      this.uploadId = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
      this.row = this.draw();
    }

    get public() {
      const { file, source, originalPath, uploadId, original } = this;
      const originalFile = this.picker.options.exposeOriginalFile
        ? original
        : { name: original.name, type: original.type, size: original.size };
      const plain = { filename: file.name, mimetype: file.type, size: file.size, source, originalPath, uploadId, originalFile };
      if (this.cropped) plain.cropped = this.cropped;
      if (this.rotated) plain.rotated = this.rotated;
      return plain;
    }

    draw() {
      const { picker } = this;
      const editable = picker.canEdit(this.file);
      this.words = make("span", { className: "fsp-state" }, sizeText(this.file.size));
      this.title = make("span", { className: "fsp-name" }, this.file.name);
      this.bar = make("progress", { max: 100, value: 0, hidden: true, "aria-label": `Progress of ${this.file.name}` });
      const named = (words) => ({ "aria-label": `${words} ${this.file.name}` });
      this.edit = button("Edit", () => picker.editor(this), { ...named("Edit"), hidden: !editable });
      this.retry = button("Retry", () => picker.start([this]), { ...named("Retry"), hidden: true });
      this.drop = button("Remove", () => this.remove(), named("Remove"));
      return make(
        "li",
        { className: "fsp-file" },
        this.picture(),
        make("div", {}, make("div", {}, this.title), this.words),
        make("div", { className: "fsp-row fsp-actions" }, this.edit, this.retry, this.drop),
        this.bar,
      );
    }

    picture() {
      const kind = (this.file.type.split("/")[1] || this.file.name.split(".").pop() || "file").slice(0, 5);
      const fallback = () => make("span", { className: "fsp-kind", "aria-hidden": "true" }, kind);
      if (this.picker.options.disableThumbnails || !this.file.type.startsWith("image/")) return fallback();
      const address = URL.createObjectURL(this.file);
      const free = () => URL.revokeObjectURL(address);
      const image = make("img", { src: address, alt: "", onload: free });
      image.addEventListener("error", () => (free(), image.replaceWith(fallback())));
      return image;
    }

    redraw() {
      const row = this.row;
      this.row = this.draw();
      row.replaceWith(this.row);
    }

    become(state, words, className = "") {
      this.state = state;
      this.words.textContent = words;
      this.words.className = `fsp-state ${className}`;
      this.bar.hidden = state !== "sending";
      this.edit.hidden = state !== "chosen" || !this.picker.canEdit(this.file);
      this.retry.hidden = state !== "failed";
      const verb = state === "sending" ? "Cancel" : "Remove";
      this.drop.textContent = verb;
      this.drop.setAttribute("aria-label", `${verb} ${this.file.name}`);
      this.drop.hidden = state === "done";
    }

    remove() {
      if (this.state === "sending") {
        // The official client fills the token a moment after it was given it.
        this.unwanted = true;
        this.token.cancel?.();
        return;
      }
      this.picker.forget(this);
    }

    async send() {
      const { picker } = this;
      const { options, client } = picker;
      this.token = {};
      this.unwanted = false;
      this.become("sending", "Starting");
      options.onFileUploadStarted?.(this.public, this.token);
      const store = { ...options.storeTo };
      const wanted = typeof store.filename === "function" ? store.filename(this.public) : store.filename;
      store.filename = wanted ?? this.file.name;
      const config = {
        ...options.uploadConfig,
        onProgress: (event) => {
          if (this.unwanted) return this.token.cancel?.();
          this.percent = event.totalPercent;
          this.bar.value = event.totalPercent;
          this.words.textContent = `${Math.floor(event.totalPercent)} % of ${sizeText(this.file.size)}`;
          options.onFileUploadProgress?.(this.public, event);
          return picker.progressed();
        },
      };
      try {
        const stored = await client.upload({ file: this.file, name: store.filename }, config, store, this.token);
        const { handle, url, key, container, status, workflows } = stored;
        const kept = { handle, url, status: status ?? "Stored", ...(key && { key }), ...(container && { container }) };
        this.result = { ...this.public, ...kept, ...(workflows && { workflows }) };
        this.become("done", "Uploaded", "fsp-good");
        options.onFileUploadFinished?.(this.result);
      } catch (failed) {
        const error = failed instanceof Error ? failed : (failed?.error ?? picker.lastError ?? new Error("The upload failed"));
        picker.lastError = undefined;
        if (error.type === "aborted") {
          this.become("failed", "Cancelled");
          options.onFileUploadCancel?.(this.public);
        } else {
          this.become("failed", `Failed: ${String(error.message).replace(/^FS-/, "")}`, "fsp-bad");
          picker.say(`${this.file.name} failed`);
          options.onFileUploadFailed?.(this.public, error);
        }
      }
    }
  }

  // ---- The picker.

  class Picker {
    constructor(client, options = {}) {
      this.client = client;
      this.options = { maxFiles: 1, minFiles: 1, displayMode: "overlay", fromSources: [LOCAL], concurrency: 4, ...options };
      this.choices = [];
      // The official client tells the reason of a failure to its listeners alone.
      client.on?.("upload.error", (error) => (this.lastError = error));
    }

    async open() {
      if (this.root) return;
      dress();
      const { displayMode } = this.options;
      this.opener = document.activeElement;
      if (displayMode === "dropPane") this.pane();
      else this.window(displayMode === "inline");
      document.addEventListener("paste", (this.pasting = (event) => this.pasted(event)));
      this.options.onOpen?.({ close: () => this.close(), cancel: () => this.cancel() });
    }

    async close() {
      if (!this.root) return;
      document.removeEventListener("paste", this.pasting);
      this.camera?.();
      this.root.remove();
      this.root = undefined;
      if (this.options.displayMode === "overlay") this.opener?.focus?.();
      this.options.onClose?.();
    }

    async cancel() {
      for (const choice of this.choices) if (choice.state === "sending") choice.token.cancel?.();
      this.options.onCancel?.(this.answer());
      await this.close();
    }

    async crop(files) {
      await this.open();
      const fetched = await Promise.all([files].flat().map((file) => (file instanceof Blob ? file : download(file))));
      await this.add(fetched.map((file) => ({ file, path: file.name })));
      const first = this.choices.find((choice) => this.canEdit(choice.file));
      if (first) this.editor(first);
    }

    host() {
      const { container } = this.options;
      const found = typeof container === "string" ? document.querySelector(container) : container;
      if (!found) throw new Error(`The picker's container ${container ?? ""} is not on this page`);
      return found;
    }

    window(inline) {
      const many = this.options.maxFiles > 1;
      this.live = make("p", { className: "fsp-live", "aria-live": "polite" });
      this.list = make("ul", { className: "fsp-files", "aria-label": "Chosen files" });
      this.problems = make("div", { role: "alert", className: "fsp-bad" });
      this.go = button("Upload", () => this.start(), { className: "fsp-primary", disabled: true });
      this.summary = make("p", { className: "fsp-grow fsp-note" });
      this.body = make("div", { className: "fsp-body" }, this.dropZone(many), this.problems, this.list);
      const heading = `fsp-title-${Math.random().toString(36).slice(2)}`;
      const words = inline ? {} : { role: "dialog", "aria-modal": "true" };
      const panel = make(
        inline ? "section" : "div",
        { className: "fsp-panel", "aria-labelledby": heading, ...words },
        make(
          "div",
          { className: "fsp-head" },
          make("h2", { id: heading, tabindex: "-1" }, many ? "Choose files" : "Choose a file"),
          make("p", { className: "fsp-note fsp-grow" }, "Stand-in for Filestack’s Picker, without clouds"),
          inline ? undefined : button("Close", () => this.cancel()),
        ),
        this.body,
        make("div", { className: "fsp-foot" }, this.summary, this.go),
        this.live,
      );
      this.root = make("div", { id: this.options.rootId ?? "__filestack-picker", className: `fsp ${inline ? "fsp-inline" : "fsp-overlay"}` }, panel);
      if (inline) this.host().append(this.root);
      else {
        document.body.append(this.root);
        this.root.addEventListener("keydown", (event) => this.keys(event, panel));
        this.root.querySelector("h2").focus();
      }
      this.drops(this.options.globalDropZone ? document : this.root, this.root.querySelector(".fsp-drop"));
      this.count();
    }

    dropZone(many) {
      const sources = new Set(this.options.fromSources);
      const input = make("input", { type: "file", multiple: many, hidden: true, "aria-label": "Files", onchange: () => this.chosen(input) });
      if (this.options.accept) input.accept = [this.options.accept].flat().map((rule) => (/^\w+$/.test(rule) ? `.${rule}` : rule)).join(",");
      const folder = make("input", { type: "file", hidden: true, "aria-label": "Folder", onchange: () => this.chosen(folder) });
      folder.webkitdirectory = true;
      const limits = [];
      if (this.options.accept) limits.push(`Accepted: ${[this.options.accept].flat().join(", ")}`);
      if (this.options.maxSize) limits.push(`up to ${sizeText(this.options.maxSize)} each`);
      if (many) limits.push(`at most ${this.options.maxFiles} files`);
      const camera = sources.has("webcam") && navigator.mediaDevices;
      return make(
        "div",
        { className: "fsp-drop" },
        make("p", {}, "Drop or paste here, or"),
        make(
          "div",
          { className: "fsp-row" },
          button(many ? "Select files" : "Select a file", () => input.click(), { className: "fsp-primary" }),
          many && !this.options.disableDirectoryUpload ? button("Select a folder", () => folder.click()) : undefined,
          camera ? button("Use the camera", () => this.photograph()) : undefined,
        ),
        make("p", { className: "fsp-note" }, limits.join(" · ")),
        input,
        folder,
      );
    }

    pane() {
      const { dropPane = {} } = this.options;
      const input = make("input", { type: "file", hidden: true, multiple: this.options.maxFiles > 1, "aria-label": "Files" });
      input.addEventListener("change", () => this.chosen(input));
      this.live = make("p", { className: "fsp-note", "aria-live": "polite" }, "Stand-in for Filestack’s Picker");
      const open = (event) => {
        dropPane.onClick?.(event);
        if (!dropPane.disableClick) input.click();
      };
      const pane = make("div", { className: "fsp-pane" }, button("Drop files here, or press to choose", open), this.live, input);
      this.root = make("div", { className: "fsp" }, pane);
      this.host().append(this.root);
      this.drops(pane, pane);
    }

    drops(target, shown) {
      const { dropPane = {} } = this.options;
      const files = (event) => event.dataTransfer?.types.includes("Files");
      const over = (on) => shown.classList.toggle("fsp-over", on);
      target.addEventListener("dragenter", (event) => files(event) && dropPane.onDragEnter?.(event));
      target.addEventListener("dragover", (event) => {
        if (!files(event) || !this.root) return;
        event.preventDefault();
        over(true);
        dropPane.onDragOver?.(event);
      });
      target.addEventListener("dragleave", (event) => {
        over(false);
        dropPane.onDragLeave?.(event);
      });
      target.addEventListener("drop", async (event) => {
        over(false);
        if (!files(event) || !this.root) return;
        event.preventDefault();
        event.stopPropagation();
        dropPane.onDrop?.(event);
        await this.add(await entriesOf(event.dataTransfer));
      });
    }

    // Focus stays in the window, and Escape leaves it.
    keys(event, panel) {
      if (event.key === "Escape") {
        event.preventDefault();
        return this.leave ? this.leave() : this.cancel();
      }
      if (event.key !== "Tab") return undefined;
      const all = [...panel.querySelectorAll("button, input, [href]")].filter((one) => !one.disabled && one.offsetParent);
      const [first, last] = [all[0], all.at(-1)];
      const at = document.activeElement;
      const inside = all.includes(at);
      if (event.shiftKey && (at === first || !inside)) (event.preventDefault(), last?.focus());
      else if (!event.shiftKey && at === last) (event.preventDefault(), first?.focus());
      return undefined;
    }

    pasted(event) {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length) this.add(files.map((file) => ({ file, path: file.name })));
    }

    chosen(input) {
      const files = [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
      input.value = ""; // The same file may be chosen again.
      this.add(files);
    }

    async add(entries, source = LOCAL) {
      const refused = [];
      for (const { file: chosen, path } of entries) {
        const room = this.options.maxFiles - this.choices.length;
        if (room <= 0) {
          if (this.options.maxFiles === 1 && this.choices[0]?.state === "chosen") this.forget(this.choices[0]);
          else {
            refused.push(`Only ${this.options.maxFiles} can be chosen; the others were left out.`);
            break;
          }
        }
        const problem = complaint(chosen, this.options);
        const file = problem ? null : await this.asked(chosen, path, refused, source);
        if (problem) refused.push(`${chosen.name}: ${problem}`);
        if (!file) continue;
        const choice = new Choice(this, await this.fitted(file), path, source);
        this.choices.push(choice);
        this.list?.append(choice.row);
        if (this.options.uploadInBackground && this.options.disableTransformer) this.start([choice]);
      }
      this.problems?.replaceChildren(...refused.map((words) => make("p", {}, words)));
      if (!this.list && refused.length) this.say(refused.join(" "));
      this.count();
      const full = this.choices.length >= this.options.maxFiles;
      if (!this.list || (this.options.startUploadingWhenMaxFilesReached && full)) await this.start();
    }

    // The page may refuse a file by throwing, or rename it by returning another.
    async asked(file, path, refused, source) {
      const shown = { filename: file.name, name: file.name, mimetype: file.type, size: file.size, source, originalPath: path, originalFile: file };
      try {
        const answer = await this.options.onFileSelected?.(shown);
        const wanted = answer?.name && answer.name !== file.name ? answer.name : answer?.filename;
        return wanted && wanted !== file.name ? new File([file], wanted, { type: file.type }) : file;
      } catch (error) {
        refused.push(`${file.name}: ${error?.message ?? error ?? "refused by this page."}`);
        return null;
      }
    }

    // imageMax and imageDim: made smaller here, before anything is sent.
    async fitted(file) {
      const { imageMax, imageDim } = this.options;
      if (!EDITABLE.test(file.type) || !(imageMax || imageDim)) return file;
      const image = await createImageBitmap(file);
      const [width, height] = imageDim ?? imageMax;
      const scale = Math.min(width / image.width, height / image.height);
      if (!imageDim && scale >= 1) return file;
      const size = imageDim ? [width, height] : [Math.round(image.width * scale), Math.round(image.height * scale)];
      return painted(file, size, (pen) => pen.drawImage(image, 0, 0, ...size));
    }

    forget(choice) {
      this.choices = this.choices.filter((other) => other !== choice);
      const next = choice.row.nextElementSibling ?? choice.row.previousElementSibling;
      choice.row.remove();
      (next?.querySelector("button:not([hidden])") ?? this.root?.querySelector(".fsp-drop button"))?.focus();
      this.count();
    }

    count() {
      if (!this.go) return;
      const chosen = this.choices.filter((choice) => choice.state === "chosen");
      const bytes = chosen.reduce((sum, choice) => sum + choice.file.size, 0);
      const { minFiles } = this.options;
      this.go.disabled = chosen.length === 0 || this.choices.length < minFiles || this.busy;
      this.go.textContent = chosen.length > 1 ? `Upload ${chosen.length} files` : "Upload";
      const least = this.choices.length < minFiles && minFiles > 1 ? `, at least ${minFiles} are needed` : "";
      this.summary.textContent = chosen.length ? `${chosen.length} chosen, ${sizeText(bytes)}${least}` : `Nothing chosen${least}`;
      this.say(this.summary.textContent);
    }

    progressed() {
      const { dropPane } = this.options;
      const total = this.choices.reduce((sum, choice) => sum + (choice.state === "done" ? 100 : (choice.percent ?? 0)), 0);
      const percent = Math.floor(total / Math.max(this.choices.length, 1));
      dropPane?.onProgress?.(percent);
      if (!this.list) this.say(`Uploading: ${percent} %`);
    }

    async start(some = this.choices.filter((choice) => choice.state === "chosen")) {
      if (some.length === 0) return;
      this.busy = true;
      this.count();
      this.say(`Uploading ${some.length === 1 ? some[0].file.name : `${some.length} files`}`);
      this.options.onUploadStarted?.(some.map((choice) => choice.public));
      if (this.options.hideModalWhenUploading && this.root) this.root.hidden = true;
      const waiting = [...some];
      const lane = async () => {
        for (let choice = waiting.shift(); choice; choice = waiting.shift()) await choice.send();
      };
      await Promise.all(Array.from({ length: Math.min(this.options.concurrency, some.length) }, lane));
      this.busy = false;
      await this.finished();
    }

    async finished() {
      if (this.choices.some((choice) => choice.state === "sending" || choice.state === "chosen")) return this.count();
      const answer = this.answer();
      const failed = this.choices.filter((choice) => choice.state === "failed");
      if (failed.length && this.root && this.list) {
        this.root.hidden = false;
        this.summary.textContent = `${answer.filesUploaded.length} uploaded, ${failed.length} not. Retry or remove them, or go on without.`;
        this.go.disabled = false;
        this.go.textContent = "Go on without";
        const go = this.go.cloneNode(true);
        this.go.replaceWith(go);
        go.addEventListener("click", () => this.done(answer));
        this.again = () => go.replaceWith(this.go);
        for (const choice of failed) choice.retry.addEventListener("click", () => this.again?.(), { once: true });
        return undefined;
      }
      return this.done(answer);
    }

    async done(answer) {
      this.again?.();
      const { dropPane } = this.options;
      if (answer.filesUploaded.length) dropPane?.onSuccess?.(answer.filesUploaded);
      if (answer.filesFailed.length) dropPane?.onError?.(answer.filesFailed);
      this.say(`${answer.filesUploaded.length} uploaded`);
      this.choices = [];
      this.options.onUploadDone?.(answer);
      if (this.options.displayMode === "overlay") return this.close();
      this.list?.replaceChildren();
      return this.count();
    }

    answer() {
      const filesUploaded = this.choices.filter((choice) => choice.state === "done").map((choice) => choice.result);
      const filesFailed = this.choices
        .filter((choice) => choice.state === "failed")
        .map((choice) => ({ ...choice.public, status: "Failed" }));
      return { filesUploaded, filesFailed };
    }

    say(words) {
      if (this.live) this.live.textContent = words;
    }

    // ---- Pictures.

    canEdit(file) {
      return !this.options.disableTransformer && EDITABLE.test(file.type);
    }

    may(what) {
      const { transformations } = this.options;
      return transformations === undefined || transformations === true || Boolean(transformations?.[what] ?? true);
    }

    async editor(choice) {
      const image = await createImageBitmap(choice.original).catch(() => null);
      if (!image) return this.say(`${choice.file.name} cannot be edited`);
      const edit = { turns: 0, circle: false, area: null };
      const canvas = make("canvas", { tabindex: "-1", "aria-label": `Preview of ${choice.file.name}` });
      const turned = () => (edit.turns % 2 ? [image.height, image.width] : [image.width, image.height]);
      const field = (words) => make("input", { type: "number", min: "0", step: "1", "aria-label": words });
      const fields = ["Left", "Top", "Width", "Height"].map(field);
      const redraw = () => {
        const [width, height] = turned();
        const area = (edit.area ??= [0, 0, width, height]);
        [canvas.width, canvas.height] = [width, height];
        const pen = canvas.getContext("2d");
        paint(pen, image, edit.turns, width, height);
        pen.fillStyle = "rgb(0 0 0 / 50%)";
        pen.beginPath();
        pen.rect(0, 0, width, height);
        shape(pen, area, edit.circle);
        pen.fill("evenodd");
        fields.forEach((input, i) => (input.value = String(area[i])));
      };
      const keep = (area) => {
        const [width, height] = turned();
        let [x, y, w, h] = area.map((value) => Math.round(Number(value) || 0));
        [x, y] = [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
        [w, h] = [Math.min(Math.max(w, 1), width - x), Math.min(Math.max(h, 1), height - y)];
        const ratio = this.options.transformations?.crop?.aspectRatio;
        if (ratio) [w, h] = w / ratio > h ? [Math.max(1, Math.round(h * ratio)), h] : [w, Math.max(1, Math.round(w / ratio))];
        edit.area = [x, y, w, h];
        redraw();
      };
      const turn = (by) => {
        edit.turns = (edit.turns + by + 4) % 4;
        edit.area = null;
        redraw();
      };
      fields.forEach((input) => input.addEventListener("change", () => keep(fields.map((one) => one.value))));
      if (this.may("crop")) dragged(canvas, keep);
      const view = make(
        "div",
        { className: "fsp-body fsp-editor", role: "group", "aria-label": `Edit ${choice.file.name}` },
        canvas,
        this.may("crop")
          ? make("div", { className: "fsp-fields" }, ...fields.map((input) => make("label", {}, input.getAttribute("aria-label"), input)))
          : undefined,
        make(
          "div",
          { className: "fsp-row" },
          this.may("rotate") ? button("Rotate left", () => turn(-1)) : undefined,
          this.may("rotate") ? button("Rotate right", () => turn(1)) : undefined,
          this.may("circle") ? button("Circle", () => ((edit.circle = !edit.circle), redraw())) : undefined,
          button("Original", () => (Object.assign(edit, { turns: 0, circle: false, area: null }), redraw())),
          button("Use it", () => this.apply(choice, image, edit).then(() => this.leave()), { className: "fsp-primary" }),
          button("Back", () => this.leave()),
        ),
      );
      redraw();
      this.show(view, () => choice.row.querySelector("button:not([hidden])")?.focus());
      return undefined;
    }

    async apply(choice, image, edit) {
      const [x, y, w, h] = edit.area;
      const type = edit.circle ? "image/png" : choice.original.type;
      const base = choice.original.name.replace(/\.\w+$/, "");
      const name = edit.circle ? `${base}.png` : choice.original.name;
      const odd = edit.turns % 2;
      const [width, height] = odd ? [image.height, image.width] : [image.width, image.height];
      choice.file = await painted(new File([], name, { type }), [w, h], (pen) => {
        if (edit.circle) {
          pen.beginPath();
          shape(pen, [0, 0, w, h], true);
          pen.clip();
        }
        pen.translate(-x, -y);
        paint(pen, image, edit.turns, width, height);
      });
      const whole = x === 0 && y === 0 && w === width && h === height;
      choice.cropped = whole ? undefined : { cropArea: { position: [x, y], size: [w, h] }, originalImageSize: [image.width, image.height] };
      choice.rotated = edit.turns ? { value: edit.turns === 3 ? 90 : 90 * edit.turns, direction: edit.turns === 3 ? "CCW" : "CW" } : undefined;
      choice.redraw();
      if (choice.cropped) this.options.onFileCropped?.(choice.public);
      this.count();
    }

    // Puts another view over the list until `leave`.
    show(view, after) {
      this.body.hidden = true;
      this.go.hidden = true;
      this.body.after(view);
      this.leave = () => {
        this.leave = undefined;
        this.camera?.();
        view.remove();
        this.body.hidden = false;
        this.go.hidden = false;
        after?.();
      };
      view.querySelector("button, input")?.focus();
    }

    async photograph() {
      let stream;
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: true });
      } catch (error) {
        return this.problems.replaceChildren(make("p", {}, `The camera cannot be used: ${error.message}. Allow it in the browser, or choose a file.`));
      }
      const video = make("video", { muted: true, "aria-label": "Camera" });
      video.playsInline = true;
      video.srcObject = stream;
      this.camera = () => {
        stream.getTracks().forEach((track) => track.stop());
        this.camera = undefined;
      };
      const take = async () => {
        const name = `photo-${new Date().toISOString().replace(/[:.]/g, "-")}.jpg`;
        const size = [video.videoWidth, video.videoHeight];
        const file = await painted(new File([], name, { type: "image/jpeg" }), size, (pen) => pen.drawImage(video, 0, 0));
        this.leave();
        await this.add([{ file, path: name }], "webcam");
      };
      const row = make("div", { className: "fsp-row" }, button("Take the picture", take, { className: "fsp-primary" }), button("Back", () => this.leave()));
      this.show(make("div", { className: "fsp-body fsp-editor" }, video, row));
      return video.play();
    }
  }

  function shape(pen, [x, y, w, h], circle) {
    if (circle) {
      pen.moveTo(x + w, y + h / 2);
      pen.ellipse(x + w / 2, y + h / 2, w / 2, h / 2, 0, 0, 2 * Math.PI);
    } else pen.rect(x, y, w, h);
  }

  function paint(pen, image, turns, width, height) {
    pen.save();
    pen.translate(width / 2, height / 2);
    pen.rotate((turns * Math.PI) / 2);
    pen.drawImage(image, -image.width / 2, -image.height / 2);
    pen.restore();
  }

  // A new file with the old one's name and type, painted by `draw`.
  async function painted(file, [width, height], draw) {
    const canvas = make("canvas");
    [canvas.width, canvas.height] = [width, height];
    draw(canvas.getContext("2d"));
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, file.type, 0.92));
    return new File([blob], file.name, { type: blob.type });
  }

  function dragged(canvas, keep) {
    let from;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
    };
    canvas.addEventListener("pointerdown", (event) => {
      from = at(event);
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      const to = at(event);
      keep([Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])]);
    });
    canvas.addEventListener("pointerup", () => (from = undefined));
  }

  async function download(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    const blob = await answer.blob();
    return new File([blob], new URL(url).pathname.split("/").pop() || "picture", { type: blob.type });
  }

  window.filestackInternals ??= {};
  window.filestackInternals.modules ??= {};
  window.filestackInternals.modules["fs-loader-picker"] = { instance: Picker };
})();
