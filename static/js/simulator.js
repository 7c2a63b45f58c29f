// A phone in the browser: the server draws what the simulated telephone company says; this sends
// keys and words, keeps the page fresh while somebody calls, and speaks where there is a voice.
const $ = (selector, root = document) => root.querySelector(selector);
const FAST = 700, SLOW = 4_000, FULL = 5, FIELD = "input:not([type=radio], [type=checkbox]), textarea, select";
const sim = () => $("#sim");
let call = sim().dataset.call, timer, asking, again = false, polls = 0, skew = 0, base = {}, said = new Set();

// Fresh parts are put in place; what is typed, what is open and the focus stay.
async function poll(full = false) {
  clearTimeout(timer);
  if (asking) { again = true; return; }
  const { digest = "", last = "" } = sim().dataset, seen = full || ++polls % FULL === 0 ? "" : digest;
  const query = new URLSearchParams({ call, ...(last && { last }), ...(seen && { seen }) });
  asking = fetch(`/simulator/live?${query}`, { headers: { "HX-Request": "true" }, cache: "no-store" }).catch(() => null);
  const answer = await asking, sent = call;
  if (answer?.status === 200) {
    const text = await answer.text();
    if (sent === call) merge(new DOMParser().parseFromString(text, "text/html").querySelector("#sim"));
  } else if (!answer || answer.status === 401) complain(sim().dataset.offline);
  asking = null;
  if (again) { again = false; poll(true); } else later();
}
function later() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(poll, "busy" in sim().dataset ? FAST : SLOW);
}
function merge(next) {
  if (!next) return;
  for (const field of sim().querySelectorAll("[data-own]")) keep(field, next);
  const list = $("#sim-said"), atEnd = !list || list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const error = $("#sim-error", next);
  error.hidden = $("#sim-error").hidden;
  error.lastElementChild.textContent = $("#sim-error").lastElementChild.textContent;
  const keeps = old => !(old.matches?.("details[open], [data-keep]"));
  Idiomorph.morph(sim(), next.outerHTML, { morphStyle: "outerHTML", callbacks: { beforeNodeMorphed: keeps } });
  arrange();
  if (atEnd) toEnd();
  speak();
}
function keep(field, next) {
  const fresh = next.querySelector(`#${field.id}`);
  if (!fresh) return;
  if (field.type === "checkbox") fresh.toggleAttribute("checked", field.checked);
  else if (field.matches("select")) for (const one of fresh.options) one.toggleAttribute("selected", one.value === field.value);
  else fresh.setAttribute("value", field.value);
}
function arrange() {
  const data = sim().dataset;
  base = { at: performance.now(), timer: Number($("[data-timer]")?.dataset.timer ?? 0) };
  skew = Number(data.clock) - Date.now() / 1000;
  for (const one of document.querySelectorAll("[data-script-hides]")) one.hidden = true;
  $("#sim-sound")?.removeAttribute("hidden");
  typed();
  tick();
}
const toEnd = () => { const list = $("#sim-said"); if (list) list.scrollTop = list.scrollHeight; };
function typed() {
  const from = $("#f-from"), box = $("#sim-typed");
  if (box) box.hidden = from.value !== "other";
}
document.addEventListener("change", event => {
  if (event.target.id !== "f-from") return;
  typed();
  if (event.target.value === "other") $("#f-typed").focus();
});

// The clock and the length of the call run on between two answers.
const two = number => String(number).padStart(2, "0");
function tick() {
  const data = sim().dataset, face = $("[data-clock-face]"), length = $("[data-timer]");
  if (!data.clock || !face) return;
  const stands = "stands" in data, at = Math.floor((stands ? Number(data.clock) : Date.now() / 1000 + skew) + Number(data.offset));
  put(face, `${two(Math.floor(at / 3600) % 24)}:${two(Math.floor(at / 60) % 60)}:${two(at % 60)}`);
  if (!length) return;
  const seconds = Math.floor(base.timer + (stands ? 0 : (performance.now() - base.at) / 1000));
  put(length, `${seconds < 3600 ? "" : `${Math.floor(seconds / 3600)}:`}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`);
}
const put = (part, text) => { if (part.textContent !== text) part.textContent = text; };
setInterval(tick, 500);

// Forms are sent from where they stand; what is wrong is said above.
async function post(url, data, tries = 2) {
  const answer = await fetch(url, { method: "POST", body: data, headers: { Accept: "application/json" } });
  const token = answer.headers.get("X-CSRFToken");
  if (!token || tries < 2) return answer;
  data.set("csrf_token", token);
  return post(url, data, tries - 1);
}
function complain(text) {
  const box = $("#sim-error");
  box.lastElementChild.textContent = text;
  box.hidden = !text;
}
document.addEventListener("submit", async event => {
  const form = event.target;
  if (!form.matches?.("form[data-sim]")) return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  const answer = await post(form.action, data).catch(() => null);
  const found = answer ? await answer.json().catch(() => ({})) : { error: sim().dataset.offline };
  complain(answer?.ok ? "" : found.error ?? sim().dataset.offline);
  if (answer?.ok) {
    for (const field of form.querySelectorAll("#f-words, #f-sms")) field.value = "";
    if (["sim-call", "sim-again"].includes(form.id)) choose(found.call);
  } else form.querySelector(`[name="${CSS.escape(found.field ?? "")}"]`)?.focus();
  poll(true);
});
function choose(sid) {
  call = sid ?? "";
  said = new Set();
  history.replaceState(null, "", call ? `/simulator?call=${call}` : "/simulator");
}
document.addEventListener("click", event => {
  const tab = event.target.closest("[id^=tab-], [data-idle]");
  if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  choose(tab.matches("[data-idle]") ? "" : tab.id.slice(4));
  poll(true);
});

// Physical keys press the telephone's, by their place.
const STARS = { Digit8: "*", Digit3: "#" };
addEventListener("keydown", event => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.repeat || event.target.matches?.(FIELD)) return;
  const found = event.code === "NumpadMultiply" ? "*" : event.shiftKey ? STARS[event.code] : /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
  const key = found && $(`[data-digit="${found}"]:not(:disabled)`);
  if (!key) return;
  event.preventDefault();
  key.click();
});

// A request's parameters and document are fetched when it is opened.
document.addEventListener("toggle", async event => {
  const line = event.target, body = line.matches?.("details[data-request][open]") && $("[data-body]", line);
  if (!body || body.firstChild) return;
  const answer = await fetch(`/simulator/request?id=${line.dataset.request}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.ok) body.append(...new DOMParser().parseFromString(await answer.text(), "text/html").body.children);
}, true);

// Voice and tones: a matter of taste, on where the browser has a voice of the language.
const KEY = "simulator:sound", ROWS = [697, 770, 852, 941], COLUMNS = [1209, 1336, 1477];
let tones;
const stored = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
const voiceOf = lang => globalThis.speechSynthesis?.getVoices().find(one => one.lang.replace("_", "-").slice(0, 2) === lang.slice(0, 2));
function loud() {
  const lang = $("[data-say]")?.lang ?? document.documentElement.lang;
  return stored() === null ? !!voiceOf(lang) : stored() === "on";
}
function showSound() { $("#sim-sound")?.setAttribute("aria-pressed", String(loud())); }
function speak() {
  showSound();
  const fresh = [...document.querySelectorAll("#sim-said [data-say]")].filter(one => !said.has(one.id));
  for (const one of fresh) said.add(one.id);
  if (!("busy" in sim().dataset)) globalThis.speechSynthesis?.cancel();
  if (!loud()) return;
  for (const one of fresh.slice(-4)) {
    const voice = voiceOf(one.lang);
    if (!voice) continue;
    const words = new SpeechSynthesisUtterance(one.textContent);
    words.voice = voice;
    words.lang = one.lang;
    speechSynthesis.speak(words);
  }
}
function beep(key) {
  const place = "123456789*0#".indexOf(key);
  tones ??= new AudioContext();
  const volume = new GainNode(tones, { gain: .06 });
  volume.connect(tones.destination);
  for (const frequency of [ROWS[Math.floor(place / 3)], COLUMNS[place % 3]]) {
    const tone = new OscillatorNode(tones, { frequency });
    tone.connect(volume);
    tone.start();
    tone.stop(tones.currentTime + .12);
  }
}
document.addEventListener("click", event => {
  const key = event.target.closest("[data-digit]");
  if (key) { globalThis.speechSynthesis?.cancel(); if (loud()) beep(key.dataset.digit); }
  if (!event.target.closest("[data-sound]")) return;
  try { localStorage.setItem(KEY, loud() ? "off" : "on"); } catch { /* private window */ }
  globalThis.speechSynthesis?.cancel();
  showSound();
});

document.addEventListener("visibilitychange", () => { if (document.hidden) clearTimeout(timer); else poll(true); });
for (const one of document.querySelectorAll("#sim-said [data-say]")) said.add(one.id); // it was said before
arrange();
toEnd();
showSound();
later();
