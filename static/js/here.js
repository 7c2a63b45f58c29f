// Who else has this ticket open: told when it is opened, then every few seconds while in sight.
const EVERY = 10_000;
let timer, told = "";
const part = () => document.querySelector("#here");
async function post(url, options) {
  const data = new FormData();
  data.set("csrf_token", document.querySelector("form.composer [name=csrf_token]")?.value ?? "");
  const headers = { Accept: "application/json", "X-Quiet": "1" };
  return fetch(url, { method: "POST", body: data, headers, ...options }).catch(() => null);
}
async function tell() {
  clearTimeout(timer);
  const place = part();
  if (told && told !== place?.dataset.here) leave();
  if (!place) return;
  timer = setTimeout(tell, EVERY);
  if (document.hidden) return;
  told = place.dataset.here;
  const answer = await post(`${told}/here`);
  if (answer && !answer.ok) { // the session is over: a log-in must not be disturbed
    clearTimeout(timer);
    told = "";
  }
  if (answer?.ok && place.isConnected) Idiomorph.morph(place, await answer.text(), { morphStyle: "innerHTML" });
}
function leave() {
  post(`${told}/left`, { keepalive: true });
  told = "";
}
document.addEventListener("htmx:load", event => { if (event.detail.elt.querySelector?.("#here") || event.detail.elt.matches?.("#open")) tell(); });
document.addEventListener("focusin", event => { if (event.target.matches?.("form.composer [data-draft]")) tell(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) tell(); });
addEventListener("pagehide", () => { if (told) leave(); });
addEventListener("pageshow", event => { if (event.persisted) tell(); });
tell();
