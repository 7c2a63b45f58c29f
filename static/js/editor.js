// The editor of articles: marks at the cursor, a live preview, pictures, a draft that survives.
const form = document.querySelector("#editor"), body = form.elements.body;
const user = document.body.dataset.user, key = `article:${user}:${form.dataset.key}`;
const PREVIEW = 500, FIELDS = ["title", "body", "keywords", "voice", "tags"];
const sign = form.querySelector("[data-state]"), problem = form.querySelector("[data-error]");
const box = document.querySelector("#preview-box"), shown = document.querySelector("#preview");
const store = {
  get: () => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
  set: value => { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* private window */ } },
  drop: () => { try { localStorage.removeItem(key); } catch { /* private window */ } },
};

// execCommand keeps the browser's own undo; where it is gone, the text is set.
function put(text, from = body.selectionStart, to = body.selectionEnd) {
  body.focus();
  body.setSelectionRange(from, to);
  if (!document.execCommand("insertText", false, text)) {
    body.setRangeText(text, from, to, "end");
    body.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
function around(mark) {
  const { selectionStart: from, selectionEnd: to, value } = body;
  put(mark + value.slice(from, to) + mark);
  body.setSelectionRange(from + mark.length, to + mark.length);
}
function lines(mark) {
  const { selectionStart: from, selectionEnd: to, value } = body;
  const start = value.lastIndexOf("\n", from - 1) + 1;
  put(value.slice(start, to).split("\n").map((line, n) => (mark === "1. " ? `${n + 1}. ` : mark) + line).join("\n"), start, to);
}
function link() {
  const { selectionStart: from, selectionEnd: to, value } = body;
  const words = value.slice(from, to) || form.dataset.insertLink;
  put(`[${words}](https://)`);
  body.setSelectionRange(from + words.length + 3, from + words.length + 11);
}
const TABLE = "\n| A | B |\n| --- | --- |\n|  |  |\n";
const tools = document.querySelector("#tools");
tools.hidden = false;
tools.addEventListener("click", event => {
  const mark = event.target.closest("[data-mark]")?.dataset.mark;
  if (!mark) return;
  if (mark === "link") link();
  else if (mark === "table") put(TABLE);
  else if (mark.endsWith(" ")) lines(mark);
  else around(mark);
});

// The server draws the preview: what it shows is what readers get.
async function send(url, data) {
  const answer = await fetch(url, { method: "POST", body: data, headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrf_token.value } }).catch(() => null);
  const token = answer?.headers.get("X-CSRFToken");
  if (token) form.elements.csrf_token.value = token;
  return answer;
}
let timer, asked = 0;
async function draw() {
  const mine = ++asked, data = new FormData();
  for (const name of ["csrf_token", "body", "lang"]) data.set(name, form.elements[name].value);
  const answer = await send(form.dataset.preview, data);
  if (!answer?.ok || mine !== asked) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  shown.replaceChildren(...page.body.childNodes);
  box.hidden = !shown.textContent.trim() && !shown.querySelector("img");
}

async function upload(file) {
  const data = new FormData();
  data.set("csrf_token", form.elements.csrf_token.value);
  data.set("picture", file);
  const answer = await send(form.dataset.upload, data), told = await answer?.json().catch(() => null);
  problem.textContent = answer?.ok ? "" : told?.error ?? form.dataset.failed;
  problem.hidden = answer?.ok ?? false;
  if (answer?.ok) put(told.markdown);
}
form.elements.picture.addEventListener("change", async event => {
  for (const file of event.target.files) await upload(file);
  event.target.value = "";
});
body.addEventListener("paste", event => {
  const files = [...event.clipboardData.files].filter(file => file.type.startsWith("image/"));
  if (!files.length) return;
  event.preventDefault();
  for (const file of files) upload(file);
});

const spoken = document.querySelector("#spoken"), voice = form.elements.voice;
function count() {
  const seconds = Math.ceil(voice.value.trim().length / Number(voice.dataset.rate));
  spoken.textContent = spoken.dataset.form.replace("{n}", seconds);
  if (seconds > Number(spoken.dataset.limit)) spoken.dataset.tone = "bad"; else delete spoken.dataset.tone;
  spoken.classList.toggle("t", "tone" in spoken.dataset);
}

form.addEventListener("input", event => {
  if (event.target === body) { clearTimeout(timer); timer = setTimeout(draw, PREVIEW); }
  if (event.target === voice) count();
  store.set(Object.fromEntries(FIELDS.map(name => [name, form.elements[name].value])));
});
form.addEventListener("keydown", event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(form.querySelector(".primary"));
});
// What was typed is kept until a page that comes after it has been shown by the server.
form.addEventListener("submit", () => sessionStorage.setItem("article-sent", key));

const kept = store.get(), failed = document.querySelector(".flash[data-tone=bad]:not([hidden])");
if (sessionStorage.getItem("article-sent") === key && !failed) store.drop();
else if (kept && !failed && FIELDS.some(name => kept[name] !== form.elements[name].value)) {
  for (const name of FIELDS) form.elements[name].value = kept[name];
  sign.textContent = form.dataset.restored;
}
sessionStorage.removeItem("article-sent");
count();
if (body.value.trim()) draw();
