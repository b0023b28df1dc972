// After an answer the asker may want the person back on their page: go there, but leave time to read, and a way to stay.

const link = document.getElementById("go-on");
const note = document.getElementById("go-on-note");
const WAIT = 2500;
const seen = `gone-on ${location.pathname}`;

if (link && new URL(link.href).protocol === "https:" && !sessionStorage.getItem(seen)) {
  sessionStorage.setItem(seen, "yes"); // coming back to this page does not send anybody away again
  note.textContent = `Going on to ${new URL(link.href).host}. Press any key to stay here.`;
  const timer = setTimeout(() => location.assign(link.href), WAIT);
  const stay = () => { clearTimeout(timer); note.textContent = ""; };
  addEventListener("keydown", stay, { once: true });
  addEventListener("pointerdown", stay, { once: true });
}
