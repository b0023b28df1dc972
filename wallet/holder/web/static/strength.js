// A hint while a passphrase is typed. The rule that counts is the server's; nothing typed here leaves the page.

const input = document.getElementById("f-passphrase");
const row = document.getElementById("strength");
const word = document.getElementById("strength-word");
const WORDS = ["Too short", "Easy to guess", "Fair: another word makes it strong", "Strong", "Very strong"];

/** 0 to 4: how many guesses it would take, from its length, its words, and how much repeats itself. */
function strength(text) {
  if ([...text].length < input.minLength) return 0;
  const distinct = new Set(text.toLowerCase()).size;
  const words = new Set(text.toLowerCase().split(/[\s\-_.,]+/).filter((part) => part.length > 2)).size;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z\d\s]/].filter((kind) => kind.test(text)).length;
  const runs = (text.match(/(.)\1\1|0123|1234|2345|3456|abcd|qwer|asdf|passw/gi) ?? []).length;
  const score = distinct + 4 * Math.max(0, words - 1) + 3 * (kinds - 1) + text.length / 4 - 6 * runs;
  return score < 14 ? 1 : score < 20 ? 2 : score < 28 ? 3 : 4;
}

input.addEventListener("input", () => {
  const level = strength(input.value);
  row.hidden = !input.value;
  row.dataset.level = String(level);
  if (word.textContent !== WORDS[level]) word.textContent = WORDS[level];
});
