// The details leave the screen when they leave the store.

const erasure = document.getElementById("erasure");
const until = new Date(erasure.dataset.until);
const time = erasure.querySelector("time");
time.textContent = until.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
setTimeout(() => location.reload(), Math.min(Math.max(until.getTime() - Date.now(), 0) + 1500, 2 ** 31 - 1));
