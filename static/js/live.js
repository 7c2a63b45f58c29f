// One event stream a page. Its messages carry ids; what shows them fetches itself anew.
const words = JSON.parse(document.body.dataset.words ?? "{}");
const GATHER = 250, POLL = 15_000, RETRY = 3_000, REST = 300_000;
const waiting = { names: new Set(), timer: 0 };
const held = new Set(); // news for somebody who talks wait for the end of the call
let opened = false, source, poll, seen = Date.now(), last = "", resting = false, rest;

// ["ticket:42", "lists"]: gather for a moment, then refresh each concerned part once.
function gather(names) {
  for (const name of names) waiting.names.add(name);
  waiting.timer ||= setTimeout(refresh, GATHER + Math.random() * GATHER);
}
function named(change) {
  if (change.all) return ["*"];
  return [
    ...(change.tickets ?? []).map(id => `ticket:${id}`),
    ...(change.clients ?? []).map(id => `client:${id}`),
    ...(change.lists ? ["lists"] : []),
    ...(change.notices ? ["notices"] : []),
    ...(change.calls ? ["calls"] : []),
  ];
}
function refresh() {
  const names = new Set(waiting.names);
  waiting.names.clear();
  clearTimeout(waiting.timer);
  waiting.timer = 0;
  for (const part of document.querySelectorAll("[data-live]")) {
    const own = part.dataset.live.split(" ").filter(name => names.has(name) || names.has("*"));
    if (!own.length) continue;
    if ("talking" in document.body.dataset && part.matches("#rows, #bell")) { for (const name of own) held.add(name); continue; }
    if (part.querySelector("[popover]:popover-open form")) part.dataset.stale = own.join(" ");
    else if (part.id === "rows") rows(part);
    else htmx.trigger(part, "refresh");
  }
}
// A part that was being edited catches up when its popover closes.
document.addEventListener("toggle", event => {
  const part = event.newState === "closed" && event.target.closest?.("[data-stale]");
  if (part) { gather(part.dataset.stale.split(" ")); delete part.dataset.stale; }
}, true);

// The list: rows in sight change in place and never move; what is new waits behind a button.
let fetched;
async function rows(list) {
  const answer = await fetch(list.dataset.src, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok) return;
  fetched = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = new Map([...fetched.querySelectorAll("#rows > li")].map(item => [item.id, item]));
  for (const item of list.children) {
    const next = fresh.get(item.id);
    item.firstElementChild?.classList.toggle("left", !next && item.id.startsWith("r"));
    if (!next) continue;
    const current = item.querySelector("[aria-current]");
    if (current) next.querySelector(".row")?.setAttribute("aria-current", "true");
    Idiomorph.morph(item, next.cloneNode(true));
    fresh.delete(item.id);
  }
  for (const id of ["counts", "total"]) swap(id);
  const shown = list.querySelectorAll(".row").length;
  const count = [...fresh.keys()].filter(id => id.startsWith("r")).length;
  const button = document.querySelector("#fresh");
  if (!shown && count) show();
  else if (button) {
    button.hidden = !count;
    button.querySelector("[data-count]").textContent = words.fresh.replace("{}", count);
    document.querySelector("#calm").hidden = !!count;
  }
}
function swap(id) {
  const old = document.getElementById(id), next = fetched.getElementById(id);
  if (old && next && !old.contains(document.activeElement)) Idiomorph.morph(old, next.cloneNode(true));
}
function show() {
  const list = document.querySelector("#rows"), current = location.pathname;
  list.replaceChildren(...fetched.querySelector("#rows").cloneNode(true).children);
  for (const row of list.querySelectorAll(".row")) if (new URL(row.href).pathname === current) row.setAttribute("aria-current", "true");
  htmx.process(list);
  document.querySelector("#fresh").hidden = true;
  document.querySelector("#calm").hidden = false;
  list.closest(".list").scrollTop = 0;
  list.querySelector(".row")?.focus({ preventScroll: true });
}
document.addEventListener("click", event => { if (event.target.closest("#fresh")) show(); });

// The line: stream first, a slow poll while it is away, and a sign that says so.
function sign(online) {
  document.documentElement.classList.toggle("offline", !online);
  for (const part of document.querySelectorAll("[data-line]")) {
    part.textContent = online ? part.dataset.line : words.reconnecting;
    part.dataset.tone = online ? "" : "warn";
    part.classList.toggle("t", !online);
  }
}
function listen() {
  if (resting) return;
  const query = new URLSearchParams({ ...(last && { after: last }), ...(!document.querySelector("[data-near]") && { desk: 1 }), ...(document.querySelector("#board") && { board: 1 }), ...(document.querySelector("#log") && { calls: 1 }) });
  source = new EventSource(`/events${query.size ? `?${query}` : ""}`);
  source.addEventListener("change", event => {
    seen = Date.now();
    last = event.lastEventId;
    const change = JSON.parse(event.data);
    if (change.phone) htmx.trigger("#phone", "refresh"); // a ringing telephone does not wait
    if (change.board || change.all) document.dispatchEvent(new Event("board"));
    gather(named(change));
  });
  source.addEventListener("open", () => {
    sign(true);
    clearInterval(poll);
    poll = 0;
    if (opened) htmx.trigger("#phone", "refresh"); // what rang meanwhile
    opened = true;
  });
  source.addEventListener("error", () => {
    poll ||= setInterval(check, POLL);
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY * (1 + Math.random()));
    if (!navigator.onLine) sign(false); else setTimeout(check, 0);
  });
}
async function check() {
  if (document.hidden) return;
  const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  sign(!!answer?.ok);
  if (answer?.ok && Date.now() - seen >= POLL) { seen = Date.now(); gather(["*"]); }
}
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", event => { if (event.persisted) { listen(); gather(["*"]); } });
addEventListener("offline", () => sign(false));
addEventListener("online", check);
// What a form of ours changed is shown at once, stream or not.
document.addEventListener("changed", event => {
  for (const name of named(event.detail)) waiting.names.add(name);
  refresh();
});
document.addEventListener("talkend", () => { gather([...held]); held.clear(); });
// A tab that nobody looks at gives its stream back; who returns is told what was missed.
function sleep() {
  if (document.querySelector("[data-phone-state]:not([data-phone-state=off], [data-phone-state=email_only])")) return; // calls come to it
  resting = true;
  source?.close();
  clearInterval(poll);
  poll = 0;
}
function watch() {
  clearTimeout(rest);
  if (document.hidden) { rest = setTimeout(sleep, REST); return; }
  if (!resting) { if (poll) check(); return; }
  resting = false;
  listen();
  gather(last ? ["notices"] : ["*"]);
}
document.addEventListener("visibilitychange", watch);
listen();
watch();
