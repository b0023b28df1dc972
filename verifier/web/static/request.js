// The live state of a request: the sentence, the steps, and the way to the result.

import { watch } from "/facet/poll.js";

const live = document.getElementById("live");
const STEPS = { created: 0, scanned: 1, received: 2 };

function show(state) {
  if (state.final) {
    location.replace(state.next);
    return true;
  }
  const changed = live.dataset.state !== state.state || document.getElementById("live-message").textContent !== state.message;
  if (changed) {
    live.dataset.state = state.state;
    document.getElementById("live-title").textContent = state.title;
    document.getElementById("live-message").textContent = state.message;
    document.getElementById("code")?.classList.toggle("used", state.state !== "created");
    document.getElementById("device").hidden = state.state === "received";
    document.title = document.title.replace(/^[^:]+/, state.title);
    mark(STEPS[state.state] ?? 0);
  }
  return false;
}

/** Everything before `now` is done; the tick and the number are both in the page's own words. */
function mark(now) {
  live.querySelectorAll(".step").forEach((step, index) => {
    step.classList.toggle("step-done", index < now);
    step.classList.toggle("step-now", index === now);
    if (index === now) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  });
}

watch(live.dataset.url, show, (trouble) => { document.getElementById("live-trouble").hidden = !trouble; });

const until = document.getElementById("until");
until.textContent = new Date(until.dateTime).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
