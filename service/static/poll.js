// Watching a state that changes on the server: short polls with ETag, slower while nothing moves.

const FASTEST = 1000;
const SLOWEST = 3000;

/**
 * Call `onState(data)` at once and whenever the JSON at `url` changes, until it returns true (finished).
 * `onTrouble(isOffline)` tells when the server stops and starts to answer. Returns a function that stops the watch.
 */
export function watch(url, onState, onTrouble = () => {}) {
  let etag = "", wait = FASTEST, stopped = false, trouble = false, timer = 0;

  async function look() {
    try {
      const headers = { Accept: "application/json", ...(etag ? { "If-None-Match": etag } : {}) };
      const response = await fetch(url, { headers, cache: "no-store", credentials: "same-origin" });
      if (response.status !== 304 && !response.ok) throw new Error(String(response.status));
      if (trouble) { trouble = false; onTrouble(false); }
      if (response.status === 304) {
        wait = Math.min(wait * 1.2, SLOWEST);
      } else {
        etag = response.headers.get("ETag") ?? "";
        wait = FASTEST;
        if (onState(await response.json()) === true) return;
      }
    } catch {
      if (!trouble) { trouble = true; onTrouble(true); }
      wait = SLOWEST;
    }
    if (!stopped) timer = setTimeout(look, wait);
  }

  const onVisible = () => {
    if (document.visibilityState === "visible" && !stopped) { clearTimeout(timer); wait = FASTEST; look(); }
  };
  document.addEventListener("visibilitychange", onVisible);
  look();
  return () => { stopped = true; clearTimeout(timer); document.removeEventListener("visibilitychange", onVisible); };
}
