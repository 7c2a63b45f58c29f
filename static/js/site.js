// Small things of all staff pages: dialogs, popover forms and their errors, the theme, panes.
const $ = (selector, root = document) => root.querySelector(selector);
const words = JSON.parse(document.body.dataset.words ?? "{}");

// A form in a popover is sent by htmx; what went wrong stands in the form, what was typed stays.
document.addEventListener("htmx:responseError", event => {
  const form = event.target.closest("form"), box = form && $("[data-error]", form);
  const token = event.detail.xhr.getResponseHeader("X-CSRFToken");
  const ended = event.detail.xhr.status === 401, row = event.target.closest?.("#rows .row") ?? event.detail.requestConfig?.elt?.closest?.("#rows .row");
  if (ended) for (const sign of document.querySelectorAll("[data-line]")) sign.textContent = words.signed_out;
  if (ended && row) location.assign(row.href); // the log-in page comes back to it
  if (token) for (const input of document.querySelectorAll("[name=csrf_token]")) input.value = token;
  if (!box) return;
  let text = words.failed;
  try {
    const answer = JSON.parse(event.detail.xhr.responseText);
    text = ended ? words.signed_out : answer.error ?? text;
    startsFrom(form, answer.was);
  } catch { /* not ours */ }
  box.textContent = text;
  box.hidden = false;
});
// What the form's next change starts from, without waiting for the page to be fetched anew.
function startsFrom(form, was) {
  if (was != null && form?.elements.was) form.elements.was.value = was;
}
document.addEventListener("changed", event => startsFrom(event.target.closest?.("form"), event.detail.was));
document.addEventListener("htmx:sendError", event => {
  const box = event.target.closest("form")?.querySelector("[data-error]");
  if (box) { box.textContent = words.offline; box.hidden = false; }
});
document.addEventListener("htmx:beforeRequest", event => {
  const box = event.target.closest?.("form")?.querySelector("[data-error]");
  if (box) box.hidden = true;
});
document.addEventListener("htmx:afterRequest", event => {
  if (event.detail.successful) event.target.closest?.("form")?.closest("[popover]")?.hidePopover();
});
// The first field of a popover that opens takes the focus.
document.addEventListener("toggle", event => {
  if (event.newState === "open" && event.target.matches("[popover]")) $("[data-first], input:not([type=hidden]), select, .opts button", event.target)?.focus();
}, true);

// A click on a row changes only the panes beside the list; on a phone it is a page of its own.
const narrow = matchMedia("(width < 56rem)");
document.addEventListener("htmx:confirm", event => {
  const row = event.target.closest?.("#rows .row");
  if (row && narrow.matches) { event.preventDefault(); location.assign(row.href); }
});
document.addEventListener("htmx:afterSwap", event => {
  if (event.detail.target?.id !== "open") return;
  const now = location.pathname;
  document.body.dataset.view = "work";
  demote($("#list h1"));
  for (const row of document.querySelectorAll("#rows .row")) {
    if (new URL(row.href).pathname === now) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
});
// Beside an open ticket the list's title is no longer the page's.
function demote(title) {
  if (!title) return;
  const lower = document.createElement("h2");
  for (const { name, value } of title.attributes) lower.setAttribute(name, value);
  lower.append(...title.childNodes);
  title.replaceWith(lower);
}
// What a ticket shows last is what is read first. A reader at the end stays at the end when more
// comes or the pane gets lower; the message they had in sight last goes along with an answer.
let pinned = true, shape = "";
const NEAR = 40;
const shapeOf = thread => `${thread.scrollHeight} ${thread.clientHeight}`;
const resized = new ResizeObserver(() => follow());
function follow() {
  const thread = $("#thread"), seen = $("form.composer [name=seen]");
  if (!thread || !pinned) return;
  thread.scrollTop = thread.scrollHeight;
  shape = shapeOf(thread);
  if (seen) seen.value = thread.dataset.seen;
}
function toEnd() {
  const thread = $("#thread");
  pinned = true;
  resized.disconnect();
  if (thread) resized.observe(thread); // tells its size at once, and follows
}
document.addEventListener("scroll", event => {
  const thread = event.target;
  if (thread.id !== "thread") return;
  const before = pinned, moved = shape === shapeOf(thread); // else what is in it has changed
  if (before && !moved) { follow(); return; }
  shape = shapeOf(thread);
  pinned = thread.scrollHeight - thread.scrollTop - thread.clientHeight < NEAR;
  if (pinned && !before) follow();
}, true);
document.addEventListener("load", event => { if (event.target.matches?.("#thread img")) follow(); }, true);
document.addEventListener("htmx:afterSettle", event => {
  if (event.detail.target?.id === "open") toEnd();
  if (event.detail.target?.id === "talk") follow();
});
document.addEventListener("threadend", toEnd);
toEnd();

// On a phone a row of a table is a card: its values bring the names of their columns along.
function label(root) {
  for (const table of root.querySelectorAll(".rows .tab")) {
    const heads = [...table.querySelectorAll("thead th")].map(head => head.textContent.trim());
    for (const cell of table.querySelectorAll("tbody td")) {
      const text = cell.textContent.trim();
      cell.classList.toggle("blank", text === "–" || !text && !cell.childElementCount);
      if (text && !cell.querySelector("button, .chip")) cell.dataset.label = heads[cell.cellIndex] ?? "";
    }
  }
}
label(document);
document.addEventListener("htmx:load", event => label(event.detail.elt));

// A form that comes back wrong is ready to be mended.
document.querySelector("main [aria-invalid=true]:not([autofocus])")?.focus();

// A choice that needs no button: views, "and then", the theme.
document.addEventListener("change", event => {
  const field = event.target;
  if (field.matches("[data-go]")) location.assign(field.value);
  if (field.matches("[data-send]")) field.form.requestSubmit();
  if (field.matches("[data-theme-choice]")) {
    if (field.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = field.value;
  }
});
document.addEventListener("click", event => {
  if (event.target.closest("[data-print]")) print();
});
