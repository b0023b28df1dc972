// An answer that came in the address of this page: taken out of it at once, and handed over by POST.

const UNREACHED = "There is no connection to the verifier. Go back to the question, and answer again.";
const found = location.hash.slice(1);
history.replaceState(null, "", location.pathname);  // neither history nor a bookmark keeps what is personal

if (found) hand(found);
else trouble("Your wallet came back without an answer.");

async function hand(body) {
  try {
    const response = await fetch(location.pathname, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" },
      cache: "no-store", credentials: "same-origin", body,
    });
    const told = await response.json();
    if (response.ok) location.replace(told.next);
    else trouble(told.error_description);
  } catch {
    trouble(UNREACHED);
  }
}

function trouble(sentence) {
  document.getElementById("progress").hidden = true;
  document.getElementById("reason").textContent = sentence;
  document.getElementById("trouble").hidden = false;
}
