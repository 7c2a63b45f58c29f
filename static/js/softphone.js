// The window that carries the sound: registers at the carrier, rings, talks; the desk's pages
// tell it what to do, and the server says which call was accepted.
const box = document.querySelector("[data-softphone]");
const channel = new BroadcastChannel("phone");
const EVERY = 3_000;
let device, call, beat;

function show(text, tone) {
  const chip = box.querySelector("[data-state]");
  chip.lastElementChild.textContent = text;
  chip.dataset.tone = tone;
}
async function token() {
  const answer = await fetch(box.dataset.token, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status);
  return (await answer.json()).token;
}
// An accepted call has no offer any more: then the ringing leg is picked up.
async function accepted() {
  const answer = await fetch("/desk/call", { headers: { "HX-Request": "true" }, cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const state = page.querySelector("[data-phone-state]")?.dataset ?? {};
  return "talking" in state && !state.offer;
}
async function pickUp() {
  if (call?.status() === "pending" && await accepted()) call.accept();
}
function over() {
  call = null;
  show(box.dataset.ready, "good");
  channel.postMessage({ sync: true, muted: false });
}
function incoming(next) {
  call = next;
  for (const name of ["cancel", "disconnect", "reject", "error"]) call.on(name, over);
  call.on("accept", () => { show(box.dataset.talks, "good"); channel.postMessage({ sync: true }); });
  call.on("mute", muted => channel.postMessage({ muted }));
  pickUp();
}
async function start(button) {
  button.disabled = true;
  try { (await navigator.mediaDevices.getUserMedia({ audio: true })).getTracks().forEach(track => track.stop()); } catch {
    show(box.dataset.silent, "bad");
    button.disabled = false;
    return;
  }
  show(box.dataset.line, "warn");
  try {
    device = new window.Twilio.Device(await token(), { closeProtection: true, allowIncomingWhileBusy: false });
  } catch { again(button); return; }
  device.on("registered", () => { show(box.dataset.ready, "good"); button.hidden = true; alive(); });
  device.on("unregistered", () => show(box.dataset.away, "warn"));
  device.on("error", () => show(box.dataset.away, "warn"));
  device.on("tokenWillExpire", async () => device.updateToken(await token()));
  device.on("incoming", incoming);
  device.register().catch(() => again(button));
}
function again(button) {
  show(box.dataset.away, "warn");
  device?.destroy();
  button.disabled = false;
  setTimeout(() => { if (!button.hidden && !button.disabled) start(button); }, 5_000);
}
// While this window is open and registered its user can be rung.
function alive() {
  if (beat) return;
  beat = new Worker(box.dataset.beat);
  beat.postMessage({ token: document.querySelector("[name=csrf_token]").value });
  setInterval(() => channel.postMessage({ here: true }), EVERY);
}
channel.addEventListener("message", event => {
  const { sync, mute, digits } = event.data;
  if (sync) pickUp();
  if (mute !== undefined) call?.mute(mute);
  if (digits) call?.sendDigits(digits);
});
document.querySelector("#phone").addEventListener("refresh", pickUp);
box?.querySelector("[data-start]").addEventListener("click", event => start(event.currentTarget));
