// The wallboard: fetched anew when something happened, and now and then anyway. It runs for weeks:
// one timer of each kind, one request at a time, nothing is kept but what is shown.
const board = document.querySelector("#board");
const SOON = 300, LEAST = 600, SLOW = 10_000, PATIENCE = 8_000;
let timer = 0, asked = -LEAST, asking = false, again = false, skew = 0;

const head = () => document.querySelector("#wall-head").dataset;
const two = number => String(number).padStart(2, "0");

// After a change: a moment later than it was heard of, so that no older answer is shared with us.
function soon() {
  if (asking) { again = true; return; }
  const wait = Math.max(SOON, asked + LEAST - performance.now());
  if (!timer || timer.at > performance.now() + wait) plan(wait);
}
function plan(wait) {
  clearTimeout(timer?.id);
  timer = { at: performance.now() + wait, id: setTimeout(load, wait) };
}
async function load() {
  timer = 0;
  asking = true;
  asked = performance.now();
  const answer = await fetch(board.dataset.src, {
    headers: { "HX-Request": "true" }, cache: "no-store", signal: AbortSignal.timeout(PATIENCE),
  }).catch(() => null);
  const text = answer?.ok ? await answer.text().catch(() => null) : null;
  asking = false;
  if (text) show(text);
  say(text ? "" : [401, 404].includes(answer?.status) ? "out" : "away");
  const more = again;
  again = false;
  plan(more ? LEAST : SLOW);
}
function show(text) {
  const version = head().version;
  Idiomorph.morph(board, text, { morphStyle: "innerHTML" });
  skew = Number(head().now) - Date.now() / 1000;
  tick();
  // A newer release has other scripts and styles; a full screen would be lost, and can wait.
  if (head().version !== version && !document.fullscreenElement) location.reload();
}
function say(what) {
  for (const line of document.querySelectorAll("[data-said]")) {
    const text = line.querySelector("[data-text]"), said = text.dataset.text.replace("{}", head().at);
    if (text.textContent !== said) text.textContent = said;
    line.hidden = line.dataset.said !== what;
  }
  board.classList.toggle("old", !!what);
}

// Waits run on and promises run out between two answers; the server writes the same.
function length(seconds) {
  const rest = Math.floor(seconds);
  return `${two(Math.floor(rest / 60))}:${two(rest % 60)}`;
}
function tick() {
  const now = Date.now() / 1000 + skew;
  for (const one of board.querySelectorAll("[data-since]")) write(one, now - one.dataset.since, "");
  for (const one of board.querySelectorAll("[data-until]")) {
    const rest = one.dataset.until - now;
    write(one, Math.abs(rest), rest < 0 ? "−" : "");
  }
}
function write(one, seconds, sign) {
  if (seconds < 0 || seconds >= 3600) return; // hours and days are the server's words
  const text = sign + length(seconds);
  if (one.textContent !== text) one.textContent = text;
}

async function full() {
  if (document.fullscreenElement) { await document.exitFullscreen(); return; }
  await document.documentElement.requestFullscreen().catch(() => null);
  navigator.wakeLock?.request("screen").catch(() => null);
}
const button = document.querySelector("[data-full]");
button.hidden = !document.fullscreenEnabled;
button.addEventListener("click", full);
addEventListener("keydown", event => {
  if (event.code !== "KeyF" || event.repeat || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.target.matches?.("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  full();
});

document.addEventListener("board", soon);
document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
addEventListener("online", soon);
skew = Number(head().now) - Date.now() / 1000;
tick();
setInterval(tick, 1_000);
plan(SLOW);
