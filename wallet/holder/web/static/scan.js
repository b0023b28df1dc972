// Scanning: the camera, or a picture, until there is a code that this wallet can open. The decoder runs in this page;
// where it is missing, frames go to the wallet's own server, which looks at each once and keeps none.

import { frame, jpeg, start, why } from "/facet/camera.js";

const section = document.getElementById("camera");
const say = document.getElementById("camera-say");
const video = document.getElementById("video");
const viewfinder = document.getElementById("viewfinder");
const startButton = document.getElementById("start");
const stopButton = document.getElementById("stop");
const openForm = document.getElementById("open-form");
const pictureForm = document.getElementById("picture-form");

const PAUSE = 120;
const PAUSE_SERVER = 500;
const KNOWN = { "http:": "a web address", "https:": "a web address", "mailto:": "an e-mail address", "tel:": "a phone number",
  "wifi:": "a Wi-Fi password", "geo:": "a place on a map", "otpauth:": "a code for an authenticator app", "mdoc:": "a mobile document" };

let stopCamera = null;
let decoder = null;
let looking = 0;

function tell(text, state) {
  section.dataset.state = state;
  if (say.textContent !== text) say.textContent = text;
}

/** What a text is for this wallet: null when it can be opened, else a sentence that says what it is not. */
function refusal(text) {
  let parameters = new URLSearchParams();
  try { parameters = new URL(text).searchParams; } catch { /* not a link at all */ }
  if (parameters.has("credential_offer") || parameters.has("credential_offer_uri")) return null;
  if (parameters.has("client_id") && (parameters.has("request_uri") || parameters.has("request") || parameters.has("dcql_query"))) return null;
  const scheme = /^[a-z][a-z\d+.-]*:/i.exec(text)?.[0].toLowerCase();
  return `This code is ${KNOWN[scheme] ?? "some other text"}, not an offer of a card and not a request for your data. Still looking…`;
}

/** The decoder in this page, or null where its files are missing or the browser refuses them. */
async function load() {
  const base = `${section.dataset.vendor}zxing/reader/`;
  try {
    const zxing = await import(`${base}index.js`);
    const made = await zxing.prepareZXingModule({
      overrides: { locateFile: (path) => `${base}${path}` }, fireImmediately: true });
    return made ? (image) => zxing.readBarcodes(image, { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 1 }) : null;
  } catch {
    return null;
  }
}

async function onServer(canvas) {
  const response = await fetch("/scan/decode", {
    method: "POST", body: await jpeg(canvas, 0.85), headers: { "Content-Type": "image/jpeg", Accept: "application/json" }, credentials: "same-origin" });
  if (response.status === 401) { location.assign("/unlock?next=/scan"); return ""; }
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()).text ?? "";
}

/** The text of the code on a canvas; "" when there is none. */
async function read(canvas) {
  decoder ??= load();
  const local = await decoder;
  if (!local) return onServer(canvas);
  const image = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return (await local(image))[0]?.text ?? "";
}

function open(text) {
  stop();
  tell("Found a code. Opening it…", "found");
  document.getElementById("f-link").value = text;
  openForm.requestSubmit();
}

async function look(turn) {
  let trouble = 0;
  while (turn === looking && stopCamera) {
    try {
      const text = video.videoWidth ? await read(frame(video)) : "";
      if (turn !== looking) return;
      const reason = text ? refusal(text) : null;
      if (text && !reason) return open(text);
      if (reason) tell(reason, "wrong");
      trouble = 0;
    } catch {
      trouble += 1;
      if (trouble === 3) tell("The wallet's server cannot be reached to read the code. Still trying…", "offline");
    }
    const pause = (await decoder) ? PAUSE : PAUSE_SERVER;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function stop() {
  looking += 1;
  stopCamera?.();
  stopCamera = null;
  viewfinder.hidden = true;
  stopButton.hidden = true;
  startButton.hidden = false;
}

startButton.addEventListener("click", async () => {
  startButton.disabled = true;
  tell("Your browser asks whether this page may use the camera. Allow it to scan.", "ask");
  try {
    decoder ??= load();
    viewfinder.hidden = false;
    stopCamera = await start(video);
    startButton.hidden = true;
    stopButton.hidden = false;
    tell("Looking for a code. Hold it inside the frame.", "searching");
    looking += 1;
    look(looking);
  } catch (error) {
    stop();
    tell(why(error), error?.name === "NotFoundError" || !navigator.mediaDevices ? "none" : "denied");
  } finally {
    startButton.disabled = false;
  }
});

stopButton.addEventListener("click", () => { stop(); tell("The camera is off.", "stopped"); startButton.focus(); });
addEventListener("pagehide", stop);

pictureForm.addEventListener("submit", async (event) => {
  const file = pictureForm.elements.picture.files[0];
  decoder ??= load();
  event.preventDefault();
  let text = "";
  try {
    if (await decoder) {
      const picture = await createImageBitmap(file);
      text = await read(frame(Object.assign(picture, { videoWidth: picture.width, videoHeight: picture.height }), 2000));
    }
  } catch { /* the server says what is wrong with it */ }
  if (text && !refusal(text)) open(text);
  else pictureForm.submit();
});

section.hidden = false;
