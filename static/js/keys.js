// Keys work by place on the keyboard (event.code), so a Cyrillic layout needs no switching.
const $ = selector => document.querySelector(selector);
const rows = () => [...document.querySelectorAll("#rows .row")];

function move(step) {
  const all = rows();
  if (!all.length) return;
  const focused = all.indexOf(document.activeElement);
  const from = focused < 0 ? all.findIndex(row => row.ariaCurrent) : focused;
  const to = from < 0 ? 0 : Math.min(Math.max(from + step, 0), all.length - 1);
  all[to].focus();
  all[to].scrollIntoView({ block: "nearest" });
}

function write(kind) {
  const mode = $(`.composer [name=kind][value=${kind}]`);
  if (!mode) return;
  mode.checked = true;
  mode.dispatchEvent(new Event("change", { bubbles: true }));
  mode.form.querySelector(`[data-draft=${kind}]`).focus();
}

function help() {
  const dialog = $("#keys");
  if (dialog?.open) dialog.close();
  else dialog?.showModal();
}

// The chip has the focus first, so that it gets it back when its popover closes.
function press(name) {
  const chip = $(`[data-key=${name}]`);
  chip?.focus();
  chip?.click();
}

const plain = {
  KeyJ: () => move(1),
  KeyK: () => move(-1),
  KeyR: () => write("outbound"),
  KeyN: () => write("note"),
  KeyZ: () => $("#undo:not([hidden]) button")?.click(),
  KeyU: () => $("[data-key=back]")?.click(),
  KeyI: () => press("take"),
  KeyP: () => press("priority"),
  KeyS: () => press("status"),
  KeyT: () => press("tags"),
  Slash: event => event.shiftKey ? help() : $("#q")?.focus(),
};
const withControl = {
  KeyK: () => $("#q")?.focus(),
  Enter: () => document.activeElement?.closest("form.composer")?.requestSubmit(),
};
// What the key writes counts too: other layouts have these two elsewhere.
const written = { "?": help, "/": () => $("#q")?.focus() };
const typing = target => target.matches?.("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");

addEventListener("keydown", event => {
  if (event.altKey || event.isComposing) return;
  const control = event.ctrlKey || event.metaKey;
  if (!control && typing(event.target)) {
    if (event.code === "Escape") event.target.blur();
    return;
  }
  const act = control ? withControl[event.code] : written[event.key] ?? plain[event.code];
  if (!act || (event.repeat && !["KeyJ", "KeyK"].includes(event.code))) return;
  event.preventDefault();
  act(event);
});
