// The page /docs: makes requests from its forms, and shows each as a line for curl.

const token = document.getElementById("api-token");
const csrf = document.querySelector("meta[name=csrf-token]")?.content;
const LONGEST = 20_000;

const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

// What a form asks for, as it is filled in.
function read(form) {
  const { method, path } = form.dataset;
  const headers = {};
  const query = new URLSearchParams();
  let target = path;
  let body;
  let file;
  for (const field of form.querySelectorAll("[data-place]")) {
    const { place } = field.dataset;
    if (place === "file") file = field.files[0];
    else if (place === "body") body = field.value;
    else if (field.value === "") continue;
    else if (place === "path") target = target.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (place === "query") query.append(field.name, field.value);
    else headers[field.name] = field.value;
  }
  if (query.size > 0) target += `?${query}`;
  return { method, target, headers, body, file, isForm: form.querySelector("[data-place=file]") !== null };
}

function curlOf({ method, target, headers, body, file, isForm }) {
  const parts = ["curl"];
  if (method !== "GET") parts.push("-X", method);
  parts.push("-H", '"Authorization: Bearer $TOKEN"');
  for (const [name, value] of Object.entries(headers)) parts.push("-H", quote(`${name}: ${value}`));
  if (isForm) parts.push("-F", quote(`file=@${file ? file.name : "report.pdf"}`));
  if (body !== undefined) parts.push("-H", "'Content-Type: application/json'", "-d", quote(body));
  parts.push(quote(new URL(target, location.href).href.replaceAll("%7B", "{").replaceAll("%7D", "}")));
  return parts.join(" ");
}

async function send({ method, target, headers, body, file, isForm }) {
  const all = { Accept: "application/json", ...headers };
  if (token.value.trim() !== "") all.Authorization = `Bearer ${token.value.trim()}`;
  else if (method !== "GET" && csrf) all["X-CSRF-Token"] = csrf;
  let content = body;
  if (body !== undefined) all["Content-Type"] = "application/json";
  if (isForm) {
    content = new FormData();
    if (file) {
      content.append("size", String(file.size));
      content.append("file", file, file.name);
    }
  }
  return fetch(target, { method, headers: all, body: content });
}

// A heading with the status, the headers worth knowing, and the body.
async function show(place, answer) {
  const words = document.createElement("p");
  const status = document.createElement("strong");
  status.textContent = `${answer.status} ${answer.statusText}`.trim();
  words.append("Answer: ", status);
  const list = document.createElement("dl");
  list.className = "details";
  for (const name of ["content-type", "etag", "retry-after", "idempotent-replayed", "x-request-id"]) {
    const value = answer.headers.get(name);
    if (value === null) continue;
    const row = document.createElement("div");
    const term = document.createElement("dt");
    const meaning = document.createElement("dd");
    term.textContent = name;
    meaning.textContent = value;
    row.append(term, meaning);
    list.append(row);
  }
  let text = await answer.text();
  try {
    text = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // It is shown as it came.
  }
  const body = document.createElement("pre");
  body.className = "raw";
  body.tabIndex = 0;
  body.setAttribute("aria-label", "Body of the answer");
  body.textContent = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  place.replaceChildren(words, list, ...(text === "" ? [] : [body]));
}

for (const form of document.querySelectorAll(".api-form")) {
  const section = form.closest("section");
  const curl = section.querySelector("[data-curl]");
  const result = section.querySelector("[data-result]");
  const button = form.querySelector("button");
  const refresh = () => {
    curl.textContent = curlOf(read(form));
  };
  button.hidden = false;
  refresh();
  form.addEventListener("input", refresh);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    result.hidden = false;
    result.textContent = "Sent; waiting for the answer.";
    try {
      await show(result, await send(read(form)));
    } catch {
      result.textContent = "The server could not be reached. Check the connection, then send it again.";
    }
    button.disabled = false;
  });
}
