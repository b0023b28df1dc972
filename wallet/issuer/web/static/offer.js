// The offer page: what the wallet does is seen here as it happens; when it is over, the code goes away.

const box = document.getElementById("offer");
const { watch } = await import(box.dataset.poll);
const byId = (id) => document.getElementById(id);
const DONE = new Set(["accepted"]);
const AGAIN = new Set(["expired", "blocked"]);

function show(state) {
  if (!state.title) return true;
  if (box.dataset.state !== state.state) {
    box.dataset.state = state.state;
    byId("state-box").className = `verdict verdict-${state.kind}`;
    for (const mark of byId("state-box").querySelectorAll("[data-kind]")) mark.hidden = mark.dataset.kind !== state.kind;
    byId("state-title").textContent = state.title;
    byId("state-text").textContent = state.text;
  }
  if (!state.final) return false;
  byId("open-offer")?.remove();
  byId("again").hidden = !AGAIN.has(state.state);
  if (DONE.has(state.state)) finish();
  byId("done").classList.toggle("button-quiet", !DONE.has(state.state));
  return true;
}

function finish() {
  for (const step of document.querySelectorAll(".step")) {
    step.className = "step step-done";
    step.removeAttribute("aria-current");
    step.querySelector(".step-mark").textContent = "\u2713";
  }
}

function count() {
  const end = byId("expires");
  if (!end) return;
  const seconds = Math.round((Date.parse(end.dateTime) - Date.now()) / 1000);
  if (seconds > 0) byId("left").textContent = `, ${seconds > 90 ? `${Math.round(seconds / 60)} minutes` : `${seconds} seconds`} left`;
  setTimeout(count, 1000);
}

count();
watch(box.dataset.stateUrl, show, (offline) => { byId("offline").hidden = !offline; });
