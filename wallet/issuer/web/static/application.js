// The application form: pictures from the camera become the form's files; sending shows what is going on.

const script = document.querySelector("script[data-camera]");
const { start, frame, jpeg, why } = await import(script.dataset.camera);
const form = document.getElementById("application");
const working = document.getElementById("working");
const trouble = document.getElementById("trouble");
const SHOTS = 3;
const PAUSE = 500;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function shooter(box) {
  const part = (name) => box.querySelector(`[data-${name}]`);
  const input = box.querySelector("input[type=file]");
  const many = Number(box.dataset.many ?? 0);
  let stop = null;

  function complain(text) {
    part("error").textContent = text;
    part("error").hidden = !text;
  }

  function show() {
    const list = part("shots");
    for (const image of list.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    list.replaceChildren(...[...input.files].map((file, index) => {
      const image = document.createElement("img");
      image.src = URL.createObjectURL(file);
      image.alt = many ? `Picture ${index + 1}` : "Picture of the portrait";
      const item = document.createElement("li");
      item.append(image);
      return item;
    }));
    list.hidden = input.files.length === 0;
  }

  function close() {
    stop?.();
    stop = null;
    part("view").hidden = part("shoot").hidden = part("stop").hidden = true;
    part("start").hidden = false;
    part("start").classList.toggle("button-quiet", input.files.length > 0);
    part("start").querySelector("span").textContent = input.files.length ? "Take it again" : part("start").dataset.word;
  }

  async function open() {
    complain("");
    try {
      part("view").hidden = false;
      stop = await start(part("video"), { facing: box.dataset.facing });
      part("video").classList.toggle("mirror", box.dataset.facing === "user");
      part("start").hidden = true;
      part("shoot").hidden = part("stop").hidden = false;
      part("shoot").focus();
    } catch (error) {
      part("view").hidden = true;
      complain(why(error));
    }
  }

  async function shoot() {
    part("shoot").disabled = true;
    try {
      const files = new DataTransfer();
      for (let count = 0; count < (many ? SHOTS : 1); count += 1) {
        if (count) await sleep(PAUSE);
        files.items.add(new File([await jpeg(frame(part("video")))], `${input.name}-${count + 1}.jpg`, { type: "image/jpeg" }));
      }
      input.files = files.files;
      show();
      close();
      part("start").focus();
    } catch {
      complain("The picture could not be taken. Try again, or choose a file.");
    } finally {
      part("shoot").disabled = false;
    }
  }

  part("start").dataset.word = part("start").textContent.trim();
  part("camera").hidden = false;
  part("start").addEventListener("click", open);
  part("shoot").addEventListener("click", shoot);
  part("stop").addEventListener("click", close);
  input.addEventListener("change", () => {
    complain("");
    if (many && input.files.length > many) {
      input.value = "";
      complain(`Choose at most ${many} pictures.`);
    }
    show();
    close();
  });
  return close;
}

const closers = [...document.querySelectorAll(".shooter")].map(shooter);

function step(name) {
  let before = true;
  for (const item of working.querySelectorAll("[data-step]")) {
    if (item.dataset.step === name) { before = false; item.setAttribute("aria-current", "step"); item.className = ""; continue; }
    item.removeAttribute("aria-current");
    item.className = before ? "done" : "";
  }
}

function send(data) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("load", () => step("compare"));
    request.addEventListener("load", () => resolve(request));
    request.addEventListener("error", () => reject(new Error("network")));
    request.send(data);
  });
}

function mark(fields) {
  for (const old of form.querySelectorAll(".field-bad")) old.classList.remove("field-bad");
  for (const old of form.querySelectorAll("[data-added]")) old.remove();
  for (const [name, text] of Object.entries(fields)) {
    const input = document.getElementById(`f-${name}`);
    const field = input?.closest(".field");
    if (!field) continue;
    field.classList.add("field-bad");
    input.setAttribute("aria-invalid", "true");
    const note = document.createElement("p");
    note.className = "error";
    note.dataset.added = "yes";
    note.textContent = text;
    input.before(note);
  }
}

function complain(text, fields = {}) {
  working.hidden = true;
  form.hidden = false;
  delete form.dataset.sent;
  form.removeAttribute("aria-busy");
  trouble.querySelector(".alert-title + p").textContent = text;
  trouble.hidden = false;
  mark(fields);
  trouble.focus();
}

form.addEventListener("submit", async (event) => {
  if (event.defaultPrevented) return;
  event.preventDefault();
  for (const close of closers) close();
  trouble.hidden = true;
  const data = new FormData(form);
  form.hidden = true;
  working.hidden = false;
  step("send");
  document.getElementById("working-title").focus();
  try {
    const answer = await send(data);
    const body = answer.response ?? {};
    if (answer.status === 201) {
      step("decide");
      location.assign(answer.getResponseHeader("Location"));
    } else if (answer.status === 401) {
      location.reload();
    } else {
      const fields = body.fields ?? {};
      const marked = Object.keys(fields).length > 0 && !("pictures" in fields);
      const text = marked ? "Some details need another look. They are marked below." : body.error_description;
      complain(text ?? "The desk could not take this application.", fields);
    }
  } catch {
    complain("The desk did not answer. Check the connection and send again; nothing was lost on this page.");
  }
});

window.addEventListener("pageshow", () => { working.hidden = true; form.hidden = false; });
