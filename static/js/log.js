// Calls and callbacks: lines in sight change in place and never move; new ones wait behind a button.
const words = JSON.parse(document.body.dataset.words);
const log = document.querySelector("#log"), button = document.querySelector("#log-fresh");
let fetched;

const lines = (part) => [...part.querySelectorAll("tbody > tr")];
const typing = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");

async function load() {
  const answer = await fetch(location.href, { headers: { "HX-Request": "true" }, cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  fetched = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["log-waits", "log-views"]) swap(id);
  const fresh = new Map(lines(fetched).map(line => [line.id, line]));
  const whole = !fetched.querySelector("#log [rel=next]"); // else a line may be on the next page
  for (const line of lines(log)) {
    const next = fresh.get(line.id);
    line.classList.toggle("left", !next && whole);
    if (next && !typing(line)) Idiomorph.morph(line, next.cloneNode(true));
    fresh.delete(line.id);
  }
  if (!lines(log).length && fresh.size) show();
  button.hidden = !fresh.size || !lines(log).length;
  button.querySelector("[data-count]").textContent = words.fresh.replace("{}", fresh.size);
}
function swap(id) {
  const old = document.getElementById(id), next = fetched.getElementById(id);
  if (old && next && !old.contains(document.activeElement)) Idiomorph.morph(old, next.cloneNode(true));
}
function show() {
  log.replaceChildren(...fetched.querySelector("#log").cloneNode(true).childNodes);
  htmx.process(log);
  button.hidden = true;
}
button.addEventListener("click", () => {
  show();
  scrollTo({ top: 0 });
  log.querySelector("tbody a")?.focus({ preventScroll: true });
});
log.addEventListener("refresh", event => { if (event.target === log) load(); });
