// The wrap-up by keyboard: a digit answers a question and goes on to the next one.
const form = document.querySelector("[data-wrap-up]");
const groups = form ? [...form.querySelectorAll("[data-digits]")] : [];
const when = form?.querySelector("[data-when]");
const answered = group => group.querySelector(":checked:not(option)");
let at = null;

// The digit belongs to the question one is in, else to the first that has no answer.
function question() {
  const inside = document.activeElement?.closest("[data-digits]");
  return inside ?? at ?? groups.find(group => !answered(group)) ?? groups.at(-1);
}
function timed() {
  const step = form.elements.next_step?.value;
  when.hidden = !step || step === "none";
}
function press(digit) {
  const group = question(), choice = group?.querySelectorAll("[type=radio]")[digit - 1];
  if (!choice) return;
  choice.click();
  const next = groups[groups.indexOf(group) + 1];
  at = next ?? null;
  if (next) (answered(next) ?? next.querySelector("[type=radio]")).focus();
  else (when.hidden ? form.elements.notes : form.elements.due).focus();
}
if (form) {
  timed();
  form.addEventListener("change", event => {
    if (event.target.name === "other" && event.target.value) for (const one of form.querySelectorAll("[name=reason]")) one.checked = false;
    if (event.target.name === "reason" && form.elements.other) form.elements.other.value = "";
    timed();
  });
  addEventListener("keydown", event => {
    if (event.isComposing || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && ["Enter", "NumpadEnter"].includes(event.code)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[value=take]"));
      return;
    }
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    if (!digit || event.ctrlKey || event.metaKey || event.target.matches("input:not([type=radio]), textarea, select")) return;
    event.preventDefault();
    press(Number(digit));
  }, true);
  if (document.activeElement === document.body) (groups.find(group => !answered(group)) ?? groups.at(-1))?.querySelector(":checked:not(option), [type=radio]")?.focus();
}
