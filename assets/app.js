// Small helps on every page. Everything works without them; what needs them is hidden until they run.

const all = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act);

// Times in the reader's own zone and language; the server writes UTC.
all("time[datetime]", (time) => {
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  time.title = moment.toLocaleString(undefined, { dateStyle: "long", timeStyle: "medium" });
});

// A picture that cannot be had gives way to the icon of its type.
function fallBack(image) {
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("class", "icon");
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", image.dataset.fallback);
  icon.append(use);
  const tile = image.closest(".thumb");
  if (tile) return image.replaceWith(icon);
  const large = document.createElement("span");
  large.className = `thumb thumb-large ${image.dataset.fallback.split("#")[1]}`;
  large.append(icon);
  const words = document.createElement("p");
  words.textContent = "The preview could not be loaded.";
  image.replaceWith(large, words);
}

all("img[data-fallback]", (image) => {
  if (image.complete && image.naturalWidth === 0) fallBack(image);
  else image.addEventListener("error", () => fallBack(image), { once: true });
});

all("[data-dismiss]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.parentElement.remove();
    document.getElementById("main").focus();
  });
});

all("[data-reveals]", (button) => {
  const input = document.getElementById(button.dataset.reveals);
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  // Never sent as text: browsers would offer to remember it as such.
  input.form.addEventListener("submit", () => show(false));
});

if (navigator.clipboard) {
  all("[data-copies]", (button) => {
    const words = button.querySelector("span");
    const before = [...words.childNodes];
    button.hidden = false;
    words.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copies).textContent;
      words.textContent = await navigator.clipboard.writeText(text).then(() => "Copied", () => "Not copied");
      setTimeout(() => words.replaceChildren(...before), 2000);
    });
  });
}

// The menu of the account closes by Escape and by a click elsewhere.
all("details.account", (menu) => {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
});

// The theme is kept in a cookie, so that the server can write it into the next page before the first paint.
all("[data-theme-switch]", (select) => {
  const apply = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  const kept = document.cookie.match(/(?:^|; )theme=(light|dark)(?:;|$)/)?.[1] ?? "auto";
  select.value = kept;
  apply(kept);
  select.closest("[hidden]").hidden = false;
  select.addEventListener("change", () => {
    const age = select.value === "auto" ? 0 : 365 * 24 * 60 * 60;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `theme=${select.value}; path=/; max-age=${age}; samesite=lax${secure}`;
    apply(select.value);
  });
});

// Choosing documents in a list: the bar says how many, and comes when there are some.
const boxes = [...document.querySelectorAll("tbody .cell-select input")];
all("[data-bulk]", (bar) => {
  const count = bar.querySelector("[data-bulk-count]");
  const whole = document.querySelector("[data-select-all] input");
  const show = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    count.textContent = chosen === 1 ? "1 document chosen" : `${chosen} documents chosen`;
    bar.toggleAttribute("data-idle", chosen === 0);
    if (!whole) return;
    whole.checked = chosen > 0 && chosen === boxes.length;
    whole.indeterminate = chosen > 0 && chosen < boxes.length;
  };
  let last = null;
  for (const box of boxes) {
    box.addEventListener("click", (event) => {
      if (event.shiftKey && last && last !== box) {
        const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
        for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
      }
      last = box;
      show();
    });
  }
  if (whole && boxes.length > 0) {
    whole.closest("[hidden]").hidden = false;
    whole.addEventListener("change", () => {
      for (const box of boxes) box.checked = whole.checked;
      show();
    });
  }
  // Boxes that the browser filled in again after going back.
  window.addEventListener("pageshow", show);
  show();
});

// Single keys, for those who want them.
const help = document.getElementById("shortcuts");
if (help) {
  const OFF = "satchel-shortcuts-off";
  const stored = (act) => {
    try {
      return act(localStorage);
    } catch {
      return null; // Storage may be forbidden; the keys then stay on.
    }
  };
  const toggle = help.querySelector("[data-shortcuts-switch]");
  toggle.checked = !stored((storage) => storage.getItem(OFF));
  toggle.addEventListener("change", () => {
    stored((storage) => (toggle.checked ? storage.removeItem(OFF) : storage.setItem(OFF, "1")));
  });

  all("[data-opens=shortcuts]", (button) => {
    button.hidden = false;
    button.addEventListener("click", () => help.showModal());
  });

  const go = (path) => () => location.assign(path);
  const search = () => {
    const box = document.querySelector("[data-search]");
    if (!box) return location.assign("/documents");
    box.focus();
    box.select();
  };
  const choose = (event) => event.target.closest?.("tbody tr")?.querySelector(".cell-select input")?.click();
  const trash = () => {
    if (boxes.some((box) => box.checked)) document.querySelector("[data-bulk-trash]")?.click();
  };
  // From row to row, where the focus is in one already; elsewhere the arrows scroll, as they always do.
  const inRow = (event) => event.target.closest?.("tbody tr");
  const move = (step) => (event) => {
    const rows = [...document.querySelectorAll("tbody tr")];
    const row = rows[rows.indexOf(inRow(event)) + step];
    const place = event.target.matches("[type=checkbox]") ? ".cell-select input" : "th a, .cell-select input";
    row?.querySelector(place)?.focus();
  };
  const arrows = { ArrowDown: move(1), ArrowUp: move(-1) };
  const keys = { x: choose, Delete: trash, "/": search, u: go("/uploads/new"), d: go("/documents"), "?": () => help.showModal() };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable], dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !toggle.checked) return;
    const known = inRow(event) ? { ...keys, ...arrows } : keys;
    if (!Object.hasOwn(known, event.key)) return;
    event.preventDefault();
    known[event.key](event);
  });
}
