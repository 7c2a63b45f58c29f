// A customer's request stays live: answers and state come by themselves, what is typed stays.
const live = document.querySelector("#live"), form = document.querySelector("[data-write]"), say = document.querySelector("[data-say]");
const base = live.dataset.base, FIRST = 5_000, LONGEST = 120_000, CALM = 60_000, GATHER = 300;
const text = form.elements.text, KEY = `reply:${form.dataset.write}`;
const store = {
  get: key => { try { return localStorage.getItem(key); } catch { return null; } },
  set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } },
  drop: key => { try { localStorage.removeItem(key); } catch { /* private window */ } },
};
// The draft of "ask us" is done with once its request is here; so is that of an answer when sent.
if (document.querySelector("[data-sent]")) {
  store.drop("ask");
  history.replaceState(null, "", base);
}
const SENT = `${KEY}:sent`;
if (document.querySelector(".flash") && store.get(SENT) === store.get(KEY)) store.drop(KEY);
store.drop(SENT);
if (!text.value) text.value = store.get(KEY) ?? "";
text.addEventListener("input", () => { if (text.value) store.set(KEY, text.value); else store.drop(KEY); });
form.addEventListener("submit", () => {
  store.set(SENT, text.value);
  const button = form.querySelector(".primary");
  setTimeout(() => { button.disabled = true; }, 0);
  setTimeout(() => { button.disabled = false; }, 15_000);
});
addEventListener("pageshow", () => { form.querySelector(".primary").disabled = false; });

// Each part is put in place unless somebody is in it; messages that are there don't move.
let tag = "", timer, pause = FIRST, source, gathered;
const busy = part => part.contains(document.activeElement) || [...part.querySelectorAll("textarea")].some(area => area.value !== area.defaultValue);
async function refresh() {
  const answer = await fetch(`${base}/talk`, { headers: { "HX-Request": "true", ...(tag && { "If-None-Match": tag }) }, cache: "no-store" }).catch(() => null);
  if (!answer) return false;
  if (answer.status === 304) return true;
  if (answer.status === 404) { source?.close(); clearTimeout(timer); return true; }
  if (!answer.ok) return false;
  tag = answer.headers.get("ETag") ?? "";
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["state", "rate"]) {
    const old = document.getElementById(id), next = fresh.getElementById(id);
    if (old && next && !busy(old)) old.replaceWith(next);
  }
  const talk = document.querySelector("#talk");
  const news = [...fresh.querySelectorAll("#talk > .msg")].filter(one => !document.getElementById(one.id));
  if (news.length) {
    talk.querySelector(":scope > .mute")?.remove();
    talk.prepend(...news);
    if (news.some(one => !one.classList.contains("out"))) say.textContent = live.dataset.new;
    pause = FIRST;
  }
  return true;
}
// A stream tells that something has changed; without one we look ourselves, ever less often.
function later() {
  clearTimeout(timer);
  if (document.hidden) return;
  const open = source?.readyState === EventSource.OPEN;
  timer = setTimeout(look, open ? CALM : pause * (.8 + Math.random() * .4));
}
async function look() {
  await refresh();
  pause = Math.min(pause * 1.5, LONGEST);
  later();
}
function listen() {
  source?.close();
  source = new EventSource(`${base}/events`);
  source.addEventListener("open", () => { clearTimeout(gathered); gathered = setTimeout(look, 0); });
  source.addEventListener("change", () => { clearTimeout(gathered); gathered = setTimeout(refresh, GATHER * (1 + Math.random())); });
  source.addEventListener("error", later);
}
function watch() {
  if (document.hidden) { source?.close(); clearTimeout(timer); return; }
  listen();
  later();
}
if (!("still" in live.dataset)) {
  document.querySelector("[data-refresh]").hidden = true;
  document.addEventListener("visibilitychange", watch);
  addEventListener("pagehide", () => source?.close());
  addEventListener("online", watch);
  watch();
}
