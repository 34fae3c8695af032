// A document's page while its steps run: each is shown as it happens. Without this script the page has a link to refresh it.

const list = document.querySelector("[data-steps]");
const hint = document.querySelector("[data-steps-hint]");
const status = document.querySelector(".document-line .status");

if (list && !("ended" in list.dataset) && "EventSource" in window) {
  const source = new EventSource(list.dataset.steps);
  hint.textContent = "This list changes by itself.";

  const show = (step) => {
    const row = list.querySelector(`[data-step="${CSS.escape(step.kind)}"]`);
    if (!row || (row.dataset.state === step.state && row.dataset.says === step.says)) return;
    row.dataset.state = step.state;
    row.dataset.says = step.says;
    const badge = row.querySelector(".status");
    badge.className = `status ${step.class}`;
    badge.lastChild.textContent = step.label;
    badge.querySelector("use")?.setAttribute("href", badge.querySelector("use").getAttribute("href").replace(/#.*/, `#${step.icon}`));
    row.querySelector(".step-says").textContent = step.says;
  };

  source.addEventListener("steps", (event) => JSON.parse(event.data).steps.forEach(show));
  source.addEventListener("end", (event) => {
    source.close();
    const now = JSON.parse(event.data).status;
    const changed = status && status.textContent.trim() !== now;
    const made = list.querySelector('[data-step="transcode-video"][data-state="done"]');
    hint.textContent = "All steps have ended. ";
    if (changed || made) {
      const link = document.createElement("a");
      link.href = location.pathname;
      link.textContent = "Refresh the page to see the document.";
      hint.append(link);
    }
  });
}
