// The telephone of the desk, on every page: who rings, who talks, what comes after. The server
// draws it; this keeps it fresh, and keeps out of the way of whoever types.
const words = JSON.parse(document.body.dataset.words ?? "{}");
const $ = (selector, root = document) => root.querySelector(selector);
const part = $("#phone"), channel = new BroadcastChannel("phone");
const CALM = 1_000, JUST = 400, KEEP = 1_200, TYPED = 4_000, FIELD = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";
const store = {
  get: key => { try { return localStorage.getItem(key); } catch { return null; } },
  set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } },
  drop: key => { try { localStorage.removeItem(key); } catch { /* private window */ } },
};
let lastKey = 0, home = null, focused = 0, asking = null, again = false, skew = 0, beat = null, windowSeen = 0;

const now = () => Date.now() / 1000 + skew;
const state = () => $("[data-phone-state]", part)?.dataset ?? {};
const typing = () => document.activeElement?.matches(FIELD) && !part.contains(document.activeElement);

// What the server says now, put in place of what is shown; typed notes and the focus stay.
async function sync() {
  if (asking) { again = true; return; }
  asking = fetch("/desk/call", { headers: { "HX-Request": "true", "HX-Current-URL": location.origin + location.pathname }, cache: "no-store" }).catch(() => null);
  const answer = await asking;
  if (answer?.ok) merge(new DOMParser().parseFromString(await answer.text(), "text/html"));
  asking = null;
  if (again) { again = false; sync(); }
}
function merge(next) {
  const before = { ...state() }, inside = $("#ringing")?.contains(document.activeElement);
  const kept = (old, fresh) => !(old.id === fresh.id && (old.id === "call-articles" || (old.id === "call-notes" && unsaved())));
  Idiomorph.morph(part, $("#phone", next).innerHTML, { morphStyle: "innerHTML", ignoreActiveValue: true, callbacks: { beforeNodeMorphed: kept } });
  const own = $("#presence"), open = $("[popover]:popover-open", own);
  if (own && !open) Idiomorph.morph(own, $("#presence", next).innerHTML, { morphStyle: "innerHTML" });
  htmx.process(part);
  htmx.process(own);
  arrived(before, { ...state() }, inside);
}
function arrived(before, after, inside) {
  if (after.now) skew = Number(after.now) - Date.now() / 1000;
  settle();
  if (after.offer && after.offer !== before.offer) ring();
  else if (!after.offer && before.offer && inside) goHome();
  if (before.call && "talking" in before && "after" in after && before.call === after.call) ended(after.call);
  tick();
}
// What the rest of the page must know: nothing is pushed at somebody who talks.
function settle() {
  const talks = "talking" in state(), was = "talking" in document.body.dataset;
  document.body.toggleAttribute("data-talking", talks);
  if (was && !talks) document.dispatchEvent(new Event("talkend"));
  reach();
  pulse(talks && "near" in state());
}
// A worker's timer is not slowed down in a tab that nobody looks at.
function pulse(on) {
  if (on && !beat) {
    beat = new Worker(state().beat);
    beat.postMessage({ token: $("[name=csrf_token]", part)?.value });
  } else if (!on && beat) { beat.terminate(); beat = null; }
}

// Who rings gets the focus only from somebody whose hands are still.
function ring() {
  document.title = `${$("#ring-h").textContent} · ${document.title.replace(/^.* · (?=.)/, "")}`;
  if (!typing() && !$("dialog[open], [popover]:popover-open") && Date.now() - lastKey > CALM) toPop();
  reach();
}
function reach() {
  const pop = $("#ringing"), sign = pop && $("[data-reach]", pop);
  if (sign) sign.hidden = pop.contains(document.activeElement);
  if (!pop) document.title = document.title.replace(/^.* · (?=.)/, "");
}
function toPop() {
  home = document.activeElement;
  focused = Date.now();
  ($("#ringing [data-accept]") ?? $("#ringing [data-decline]")).focus({ preventScroll: true });
}
function goHome() {
  if (home?.isConnected) home.focus({ preventScroll: true });
  home = null;
}
function toCall() {
  const target = $("[data-call-key]", part);
  if (part.contains(document.activeElement)) { goHome(); return; }
  if ($("#ringing")) { toPop(); return; }
  if (!target) return;
  home = document.activeElement;
  if (target.matches("a, button") && "after" in state()) { leave(target.href ?? ""); return; }
  target.focus();
}
function leave(url) {
  if (!url) return;
  if (dirty()) open(url); else location.assign(url);
}
addEventListener("focusin", reach);
addEventListener("keydown", event => {
  lastKey = Date.now();
  if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
  const pop = $("#ringing"), here = pop?.contains(document.activeElement);
  if (event.code === "F2") { event.preventDefault(); toCall(); return; }
  if (here && event.code === "Escape") { event.preventDefault(); event.stopPropagation(); $("[data-decline]", pop).click(); return; }
  if (here && ["Enter", "NumpadEnter"].includes(event.code)) {
    const soon = Date.now() - focused < JUST; // meant for what had the focus a moment ago
    if (soon || event.target === pop) event.preventDefault();
    if (!soon && event.target === pop) $("[data-accept]", pop)?.click();
    return;
  }
  if (event.target.matches?.(FIELD) || event.repeat || !("talking" in state())) return;
  const act = { KeyH: "[data-key=hold]", KeyM: "[data-mute]" }[event.code];
  if (act && $(act, part)) { event.preventDefault(); event.stopPropagation(); $(act, part).click(); }
}, true);

// Forms of the telephone are sent from where they stand; a page is left only when nothing is lost.
async function post(url, data, tries = 2) {
  const answer = await fetch(url, { method: "POST", body: data, headers: { Accept: "application/json" } });
  const token = answer.headers.get("X-CSRFToken");
  if (!token) return answer;
  for (const input of document.querySelectorAll("[name=csrf_token]")) input.value = token;
  data.set("csrf_token", token);
  return tries > 1 ? post(url, data, tries - 1) : answer;
}
document.addEventListener("submit", async event => {
  const form = event.target;
  if (!form.matches?.("form[data-phone]")) return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  if ("digits" in form.dataset && !("near" in state())) { channel.postMessage({ digits: data.get("digits") }); return; }
  if (data.get("state") === "available") openWindow();
  if (event.submitter) event.submitter.disabled = true;
  const answer = await post(form.action, data).catch(() => null);
  if (event.submitter) event.submitter.disabled = false;
  const said = answer ? await answer.json().catch(() => ({})) : { error: words.offline };
  complain(form, answer?.ok ? "" : said.error ?? words.failed);
  if (answer?.ok) { form.closest("[popover]:not(#p-keypad)")?.hidePopover(); channel.postMessage({ sync: true }); }
  await sync();
  if (said.go) travel(said.go);
});
function complain(form, text) {
  const box = $("[data-error]", form) ?? $("#phone-error");
  box.textContent = text;
  box.hidden = !text;
}
function travel(url) {
  if (new URL(url, location).pathname !== location.pathname && !dirty()) location.assign(url);
}
// Replies and notes keep their drafts; other forms would lose what was typed in them.
function dirty() {
  return [...document.querySelectorAll("input, textarea, select")].some(field =>
    !field.closest("form.composer, #phone, .rail, .find") && (
      field.matches("select") ? [...field.options].some(one => one.selected !== one.defaultSelected) && [...field.options].some(one => one.defaultSelected)
        : field.matches("[type=checkbox], [type=radio]") ? field.checked !== field.defaultChecked
          : field.type !== "hidden" && field.value !== field.defaultValue));
}
function ended(id) {
  channel.postMessage({ sync: true });
  if (!(typing() && Date.now() - lastKey < TYPED)) travel(`/desk/call/${id}`);
}
document.addEventListener("click", event => {
  const link = event.target.closest("[data-go-ticket], [data-window]");
  if (link?.matches("[data-window]")) { event.preventDefault(); openWindow(true); }
  else if (link && dirty()) { event.preventDefault(); open(link.href); }
  const mute = event.target.closest("[data-mute]");
  if (mute) channel.postMessage({ mute: mute.getAttribute("aria-pressed") !== "true" });
});
// The window that carries the sound outlives the pages of the desk.
function openWindow(anyway) {
  if (!anyway && ("near" in state() || Date.now() - windowSeen < 5_000)) return;
  open("/desk/phone", "helpdesk-phone", "popup,width=400,height=620");
}
channel.addEventListener("message", event => {
  if (event.data.here) windowSeen = Date.now();
  if (event.data.sync) sync();
  if ("muted" in event.data) $("[data-mute]", part)?.setAttribute("aria-pressed", String(event.data.muted));
});

// Notes of the call: in this browser at every letter, on the server a moment later.
const notes = () => $("#call-notes");
const keyOf = form => `call-notes:${form.dataset.notes}`;
let saving;
const unsaved = () => { const form = $("[data-notes]", part); return !!form && store.get(keyOf(form)) !== null; };
document.addEventListener("input", event => {
  if (event.target !== notes()) return;
  store.set(keyOf(event.target.form), event.target.value);
  $("[data-state]", event.target.form).textContent = "";
  clearTimeout(saving);
  saving = setTimeout(save, KEEP);
});
async function save() {
  const form = notes()?.form, text = notes()?.value;
  if (!form || !unsaved()) return;
  const answer = await post(form.action, new FormData(form)).catch(() => null);
  if (answer?.ok && store.get(keyOf(form)) === text) store.drop(keyOf(form));
  $("[data-state]", form).textContent = answer?.ok ? words.noted : words.kept;
  if (!answer?.ok) saving = setTimeout(save, 5_000);
}
addEventListener("pagehide", () => {
  const form = notes()?.form;
  if (form && unsaved()) fetch(form.action, { method: "POST", body: new FormData(form), keepalive: true, headers: { Accept: "application/json" } }).catch(() => null);
});
function restore() {
  const form = $("[data-notes]", part), kept = form && store.get(keyOf(form));
  if (kept === null || kept === undefined || kept === "" || !notes()) return;
  notes().value = kept;
  save();
}

// Timers, and what is due although no signal came.
function clock(seconds) {
  const rest = Math.max(0, Math.floor(seconds)), two = number => String(number).padStart(2, "0");
  const tail = `${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
  return rest < 3600 ? tail : `${Math.floor(rest / 3600)}:${tail}`;
}
function tick() {
  for (const one of part.querySelectorAll("[data-since], [data-until]")) {
    const text = clock(one.dataset.since ? now() - one.dataset.since : one.dataset.until - now());
    if (one.textContent !== text) one.textContent = text;
  }
}
setInterval(() => {
  tick();
  const { answer } = state(), expires = $("#ringing")?.dataset.expires, until = $("[data-until]", part)?.dataset.until;
  if (answer !== undefined) post("/desk/phone/answer", tokenOnly()).then(sync, () => null);
  else if ((expires && now() - expires > 1) || (until && now() - until > 1)) sync();
}, 1_000);
function tokenOnly() {
  const data = new FormData();
  data.set("csrf_token", $("[name=csrf_token]")?.value ?? "");
  return data;
}

if (part) {
  part.addEventListener("refresh", event => { if (event.target === part) sync(); });
  if (state().now) skew = Number(state().now) - Date.now() / 1000;
  restore();
  settle();
  tick();
  if ($("#ringing")) ring();
}
