// Writing: two texts that never mix, drafts that survive, a send that can be taken back.
const words = JSON.parse(document.body.dataset.words ?? "{}");
const user = document.body.dataset.user;
const HOLD = 8_000, TWICE = 2_000, SAVE = 1_000, AGAIN = 5_000, ASK_AGAIN = 2_000, KEEPALIVE_LIMIT = 60_000;
const toast = document.querySelector("#undo");
const composer = () => document.querySelector("form.composer");
const area = (form, kind) => form.querySelector(`[data-draft=${kind}]`);
const kindOf = form => new FormData(form).get("kind");
const keyOf = (ticket, kind) => `draft:${user}:${ticket}:${kind}`;
const sentKey = ticket => `sent:${user}:${ticket}`;
// Private windows and full disks refuse: the server's draft is then the only copy.
const store = {
  get: key => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
  set: (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* see above */ } },
  drop: key => { try { localStorage.removeItem(key); } catch { /* see above */ } },
  keys: () => { try { return Object.keys(localStorage); } catch { return []; } },
};

function say(form, text) { const sign = form.querySelector("[data-state]"); if (sign) sign.textContent = text; }
function complain(form, text) {
  const box = form.querySelector("[data-error]");
  box.textContent = text ?? "";
  box.hidden = !text;
}
// A page open for long holds an old token: the answer brings a new one, and one more try is made.
async function post(url, data, options = {}, tries = 2) {
  const answer = await fetch(url, { method: "POST", body: data, headers: { Accept: "application/json" }, ...options });
  const token = answer.headers.get("X-CSRFToken");
  if (!token) return answer;
  for (const input of document.querySelectorAll("[name=csrf_token]")) input.value = token;
  data.set("csrf_token", token);
  return tries > 1 ? post(url, data, options, tries - 1) : answer;
}
async function reason(answer) {
  if (answer.status === 401) return words.signed_out; // the server no longer knows the language
  try { return (await answer.json()).error ?? words.failed; } catch { return words.failed; }
}

// Drafts: in the browser at every letter, on the server a second later. A page that was asked for
// before the server had the text shows an older one: the browser's copy waits for the next page.
let asked = performance.timeOrigin;
const newer = kept => kept && (kept.dirty || kept.at > asked);
function forget() {
  for (const key of store.keys()) if (key.startsWith(`draft:${user}:`) && !newer(store.get(key))) store.drop(key);
}
const timers = new Map();
function typed(form, field) {
  const kind = field.dataset.draft, ticket = form.dataset.ticket;
  store.set(keyOf(ticket, kind), { text: field.value, dirty: true });
  say(form, "");
  later(form, kind, SAVE);
}
function later(form, kind, pause) {
  const key = keyOf(form.dataset.ticket, kind);
  clearTimeout(timers.get(key));
  timers.set(key, setTimeout(() => save(form, kind), pause));
}
const saving = new Map();
function save(form, kind) {
  const key = keyOf(form.dataset.ticket, kind);
  saving.set(key, keep(form, kind).finally(() => saving.delete(key)));
}
async function keep(form, kind) {
  const key = keyOf(form.dataset.ticket, kind), kept = store.get(key);
  const text = kept?.dirty ? kept.text : area(form, kind).value;
  const data = new FormData();
  for (const [name, value] of Object.entries({ kind, text, csrf_token: form.elements.csrf_token.value })) data.set(name, value);
  const answer = await post(form.dataset.drafts, data).catch(() => null);
  if (answer?.ok) {
    if (store.get(key)?.text === text) store.set(key, { text, dirty: false, at: Date.now() });
    say(form, text ? words.saved : "");
  } else if (answer && answer.status < 500 && answer.status !== 429) {
    say(form, words.kept);
    complain(form, await reason(answer));
  } else {
    say(form, words.kept);
    later(form, kind, AGAIN);
  }
}
function restore(form) {
  const ticket = form.dataset.ticket;
  for (const kind of ["outbound", "note"]) {
    const kept = store.get(keyOf(ticket, kind)), field = area(form, kind);
    if (!field || !newer(kept) || kept.text === field.value) continue;
    field.value = kept.text;
    say(form, words.restored);
    later(form, kind, SAVE);
  }
  unsent(form, ticket);
}
// A send that a crash or a closed page cut off: the server knows whether it arrived. The last
// message of a page that was left may still be on its way, so a "no" is asked for once more.
async function unsent(form, ticket, tries = 2) {
  const cut = store.get(sentKey(ticket));
  if (!cut || pending?.ticket === ticket || !form.isConnected) return;
  const answer = await fetch(`${form.dataset.sent}?nonce=${encodeURIComponent(cut.nonce)}`, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  const { sent } = await answer.json();
  if (!sent && tries > 1) { setTimeout(() => unsent(form, ticket, tries - 1), ASK_AGAIN); return; }
  store.drop(sentKey(ticket));
  if (!sent) { giveBack(cut, words.unsent); return; }
  const field = area(form, cut.kind);
  if (field.value.trim() !== cut.text.trim()) return;
  field.value = "";
  say(form, "");
}

// Another tab of the same browser wrote on: this one shows it too, unless somebody writes here.
// What the other one sends leaves this one as well.
addEventListener("storage", event => {
  const form = composer(), told = event.newValue && JSON.parse(event.newValue);
  if (!form || !told) return;
  const ticket = form.dataset.ticket, cut = event.key === sentKey(ticket);
  const kind = cut ? told.kind : ["outbound", "note"].find(one => event.key === keyOf(ticket, one));
  const field = kind && area(form, kind);
  if (!field || document.hasFocus() && field === document.activeElement) return;
  if (!cut) field.value = told.text;
  else if (field.value.trim() === told.text.trim()) field.value = "";
});

// Sending waits in sight; undo, an error or a lost session puts the words back.
let pending = null;
let begun = 0; // a key pressed twice sends once, and what it sent can still be taken back
let retry = null; // the text and nonce of a send whose answer never came
function hold(form) {
  const kind = kindOf(form), field = area(form, kind), ticket = form.dataset.ticket;
  if (!field.value.trim()) {
    if (Date.now() - begun < TWICE) return;
    complain(form, words.nothing);
    field.focus();
    return;
  }
  if (pending) fire();
  begun = Date.now();
  complain(form, "");
  clearTimeout(timers.get(keyOf(ticket, kind)));
  const data = new FormData(form);
  data.set("nonce", retry?.text === field.value ? retry.nonce : fresh());
  for (const [name, value] of [...data]) if (value instanceof File && !value.size) data.delete(name);
  pending = { form, kind, ticket, data, url: form.action, text: field.value, nonce: data.get("nonce") };
  store.set(sentKey(ticket), { kind, ticket, text: field.value, nonce: pending.nonce });
  store.drop(keyOf(ticket, kind));
  field.value = "";
  say(form, "");
  if (kind === "note") { fire(); return; }
  toast.querySelector("[data-text]").textContent = form.dataset.going;
  toast.hidden = true;
  requestAnimationFrame(() => { toast.hidden = false; });
  pending.timer = setTimeout(fire, HOLD);
}
const fresh = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, "0")).join("");
async function fire() {
  const job = pending;
  if (!job) return;
  pending = null;
  clearTimeout(job.timer);
  toast.hidden = true;
  await saving.get(keyOf(job.ticket, job.kind)); // a late draft must not outlive its message
  const answer = await post(job.url, job.data).catch(() => null);
  if (answer?.ok) {
    store.drop(sentKey(job.ticket));
    const files = job.form.isConnected && job.form.querySelector(`[data-files=${job.kind}]`);
    if (files) files.replaceChildren();
    document.dispatchEvent(new CustomEvent("changed", { detail: await answer.json() }));
    if (job.form.isConnected) document.dispatchEvent(new Event("threadend"));
    return;
  }
  store.drop(sentKey(job.ticket));
  retry = answer ? null : { text: job.text, nonce: job.nonce };
  giveBack(job, answer ? await reason(answer) : words.offline);
}
// The words return to their field; on another page they wait as a draft of their ticket.
function giveBack(job, text) {
  const form = composer();
  const before = store.get(keyOf(job.ticket, job.kind))?.text ?? "";
  const here = form?.dataset.ticket === job.ticket ? area(form, job.kind) : null;
  const rest = here ? here.value : before;
  const whole = !rest.trim() || rest.trim() === job.text.trim() ? job.text : `${job.text}\n\n${rest}`;
  store.set(keyOf(job.ticket, job.kind), { text: whole, dirty: true });
  if (!here) { location.assign(`/desk/t/${job.ticket}`); return; }
  here.value = whole;
  later(form, job.kind, SAVE);
  form.querySelector(`[name=kind][value=${job.kind}]`).checked = true;
  complain(form, text);
  here.focus();
  if (text) document.dispatchEvent(new Event("threadend")); // a colleague's answer may be the reason
}
function undo() {
  const job = pending;
  if (!job) return;
  pending = null;
  clearTimeout(job.timer);
  toast.hidden = true;
  store.drop(sentKey(job.ticket));
  giveBack(job, "");
}
// Leaving the page while a send waits means yes. Too long for a last message: it stays a draft.
addEventListener("pagehide", () => {
  const job = pending;
  if (!job || job.text.length * 3 > KEEPALIVE_LIMIT) return;
  pending = null;
  for (const [name, value] of [...job.data]) if (value instanceof File) job.data.delete(name);
  fetch(job.url, { method: "POST", body: job.data, keepalive: true, headers: { Accept: "application/json" } }).catch(() => null);
});

// Files go to the draft as soon as they are chosen.
async function upload(form, input) {
  const kind = kindOf(form), data = new FormData();
  data.set("csrf_token", form.elements.csrf_token.value);
  data.set("kind", kind);
  for (const file of input.files) data.append("files", file);
  say(form, words.uploading);
  const answer = await post(form.dataset.upload, data).catch(() => null);
  say(form, "");
  input.value = "";
  await showFiles(form, kind, answer);
}
async function removeFile(form, button) {
  const data = new FormData();
  data.set("csrf_token", form.elements.csrf_token.value);
  await showFiles(form, kindOf(form), await post(button.formAction, data).catch(() => null));
}
async function showFiles(form, kind, answer) {
  if (!answer?.ok) { complain(form, answer ? await reason(answer) : words.offline); return; }
  complain(form, "");
  form.querySelector(`[data-files=${kind}]`).innerHTML = (await answer.json()).html;
}

document.addEventListener("input", event => {
  const form = event.target.closest?.("form.composer");
  if (form && event.target.matches("[data-draft]")) typed(form, event.target);
});
document.addEventListener("change", event => {
  const form = event.target.closest?.("form.composer");
  if (form && event.target.matches("[type=file]")) upload(form, event.target);
});
document.addEventListener("submit", event => {
  if (!event.target.matches?.("form.composer")) return;
  event.preventDefault();
  if (event.submitter?.hasAttribute("formaction")) removeFile(event.target, event.submitter);
  else hold(event.target);
});
document.addEventListener("htmx:beforeRequest", event => { if (event.detail.target?.id === "open") asked = Date.now(); });
document.addEventListener("htmx:load", event => {
  const form = event.detail.elt.querySelector?.("form.composer");
  if (form) restore(form);
});
toast?.querySelector("button").addEventListener("click", undo);
addEventListener("online", () => { const form = composer(); if (form) restore(form); });
forget();
if (composer()) restore(composer());
