// An issuer makes a card later: look again when it may be asked, and show what has come of it without a click.

const place = document.getElementById("waiting");
const SOONEST = 3; // seconds
const EVERY = 4000;
const PATIENCE = 10 * 60 * 1000; // a page that nobody looks at must not keep the wallet unlocked
const begun = `waiting ${location.pathname}`;
let looks = 0;

async function look() {
  try {
    const headers = { Accept: "application/json" };
    const response = await fetch(place.dataset.url, { headers, cache: "no-store", credentials: "same-origin" });
    const { offer } = await response.json();
    if (offer && (offer.stage !== "waiting" || offer.ask_in > 0)) return location.reload();
  } catch {
    // no answer: the next look may have one
  }
  if (++looks < 8) setTimeout(look, EVERY);
}

if (place) {
  const since = Number(sessionStorage.getItem(begun)) || Date.now();
  sessionStorage.setItem(begun, String(since));
  const wait = Math.max(Number(place.dataset.askIn), SOONEST) * 1000;
  if (!Number(place.dataset.askIn)) setTimeout(look, 1000); // the page has just had the issuer asked
  else if (Date.now() + wait < since + PATIENCE) setTimeout(() => location.reload(), wait);
}
