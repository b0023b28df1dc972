// What every page needs: copy buttons, forms that are sent once, and a voice for state changes.

/** Say `text` to screen readers without moving focus. */
export function announce(text) {
  let region = document.getElementById("facet-live");
  if (!region) {
    region = document.createElement("p");
    region.id = "facet-live";
    region.className = "hide";
    region.setAttribute("role", "status");
    document.body.append(region);
  }
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 50);
}

async function copy(button) {
  const input = document.getElementById(button.dataset.copy);
  const word = button.querySelector("span") ?? button;
  try {
    await navigator.clipboard.writeText(input.value);
    word.textContent = "Copied";
    announce("Copied.");
  } catch {
    input.focus();
    input.select();
    word.textContent = "Press Ctrl+C";
    announce("The text is selected. Copy it with your keyboard.");
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (button) copy(button);
});

// A form is sent once: a second press while the answer is on its way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent === "yes") {
    event.preventDefault();
    return;
  }
  if (event.defaultPrevented) return;
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
});

// Coming back through the browser's history finds forms ready again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});
