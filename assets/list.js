// The list while documents on it are being checked: their rows change by themselves. Without this script the page has a link to refresh it.

const hint = document.querySelector("[data-unsettled]");
const CHANGING = [".cell-thumb", ".cell-status", ".cell-actions"];
const LONGEST_PAUSE = 30_000;
let pause = 2_000;

const unsettled = () => document.querySelectorAll("tbody tr:has(.status-processing)");
const idOf = (row) => row.querySelector("input[name=id]").value;
const statusOf = (row) => row.querySelector(".cell-status").textContent.trim();
const rowOf = (page, id) => page.querySelector(`tbody input[name=id][value="${CSS.escape(id)}"]`)?.closest("tr");

// Whoever is just about to press something there stays where they are.
function replace(row, newer) {
  for (const cell of CHANGING) {
    const focused = row.querySelector(cell).contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
    const before = row.querySelector(cell);
    const after = document.adoptNode(newer.querySelector(cell));
    after.querySelector("img")?.addEventListener("error", () => after.replaceWith(before), { once: true });
    before.replaceWith(after);
    if (focused) after.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }
}

async function look() {
  if (!document.hidden) {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    // Signed out meanwhile, or a server that is busy: the next look may have more luck, and the link is there.
    const page = answer?.ok && !answer.redirected && new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const row of page ? unsettled() : []) {
      const newer = rowOf(page, idOf(row));
      if (!newer || statusOf(newer) === statusOf(row)) continue;
      replace(row, newer);
      hint.textContent = `${row.querySelector(".cell-name a").textContent}: ${statusOf(row)}.`;
      pause = 2_000;
    }
  }
  if (unsettled().length === 0) return;
  pause = Math.min(pause * 1.5, LONGEST_PAUSE);
  setTimeout(look, pause);
}

if (hint && unsettled().length > 0) {
  hint.textContent = "Some documents are still being checked. Their rows change by themselves.";
  setTimeout(look, pause);
}
