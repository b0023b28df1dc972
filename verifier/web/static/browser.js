// Asking a wallet through the browser itself (Digital Credentials API). Whatever fails leads back to code and link.

const box = document.getElementById("browser");
const button = document.getElementById("browser-ask");
const stop = document.getElementById("browser-stop");
const REASONS = {
  NotAllowedError: "No answer came: the browser's window was closed, or no wallet was chosen.",
  AbortError: "You stopped looking before a wallet answered.",
  NotSupportedError: "This browser cannot ask wallets for what is needed here.",
  TypeError: "This browser cannot ask wallets for what is needed here.",
};
const LOOKING = "Your browser is looking for a wallet. The code and the link work all the while.";
const OTHER = "Your browser found no wallet that answers.";
const UNREACHED = "The answer could not be handed over: there is no connection to the verifier.";

// That the browser has the API says nothing about wallets, and neither does userAgentAllowsProtocol: only asking does.
const possible = typeof DigitalCredential !== "undefined" && typeof navigator.credentials?.get === "function";

if (box && possible) {
  box.hidden = false;
  button.addEventListener("click", ask);
}

async function ask() {
  if (button.getAttribute("aria-disabled") === "true") return;
  const patience = new AbortController();  // some browsers never say that they found nothing
  const giveUp = () => patience.abort();
  button.setAttribute("aria-disabled", "true");
  stop.hidden = false;
  stop.addEventListener("click", giveUp);
  trouble("");
  say(LOOKING);
  const problem = await exchange(patience.signal);
  stop.removeEventListener("click", giveUp);
  if (document.activeElement === stop) button.focus();
  stop.hidden = true;
  button.removeAttribute("aria-disabled");
  if (problem) { say(""); trouble(problem); }
}

/** Ask, hand the answer over, and go on; or say in a sentence why not. */
async function exchange(signal) {
  let credential;
  try {
    const { requests } = await call("GET");
    const asked = navigator.credentials.get({ mediation: "required", digital: { requests }, signal });
    credential = await Promise.race([asked, stopped(signal)]);
  } catch (error) {
    return error.sentence ?? REASONS[error.name] ?? OTHER;
  }
  try {
    if (!credential) return OTHER;
    stop.hidden = true;
    const data = typeof credential.data === "string" ? JSON.parse(credential.data) : credential.data;
    say("The wallet has answered. The answer is being checked.");
    const told = await call("POST", { protocol: credential.protocol, data });
    location.replace(told.next);
    return "";
  } catch (error) {
    return error.sentence ?? UNREACHED;
  }
}

/** Rejects at once: browsers with a window of their own open may take their time to. */
function stopped(signal) {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")), { once: true });
  });
}

async function call(method, body) {
  const headers = { Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}) };
  const response = await fetch(box.dataset.url, {
    method, headers, cache: "no-store", credentials: "same-origin", body: body ? JSON.stringify(body) : undefined,
  });
  const told = await response.json();
  if (!response.ok) throw Object.assign(new Error(told.error), { sentence: told.error_description });
  return told;
}

function say(text) {
  document.getElementById("browser-said").textContent = text;
}

function trouble(text) {
  document.getElementById("browser-reason").textContent = text;
  document.getElementById("browser-trouble").hidden = !text;
}
