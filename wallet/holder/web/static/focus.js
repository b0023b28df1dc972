// When a page brings an answer, it is what a keyboard or screen reader meets first.

const answer = document.querySelector(".verdict h1") ?? document.querySelector(".alert-bad, .field-bad input, .field-bad textarea");
if (answer && !location.hash) {
  if (!answer.matches("input, textarea, h1")) answer.setAttribute("tabindex", "-1");
  answer.focus({ preventScroll: answer.matches("h1") });
}
