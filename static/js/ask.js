// "Ask us": the text survives a crash and a cut line; answers appear while one types.
const form = document.querySelector("[data-ask]"), box = document.querySelector("#suggested");
const KEY = "ask", KEEP = 7 * 864e5, PAUSE = 600, FEWEST = 8, FIELDS = ["text", "name", "contact", "product", "reason"];
// Private windows and full disks refuse: the form works without.
const store = {
  get: () => { try { return JSON.parse(localStorage.getItem(KEY)); } catch { return null; } },
  set: value => { try { localStorage.setItem(KEY, JSON.stringify(value)); } catch { /* see above */ } },
  drop: () => { try { localStorage.removeItem(KEY); } catch { /* see above */ } },
};
const field = name => form.elements[name];

// The draft: restored into an empty form, dropped by the page that says "we have it" (talk.js).
const kept = store.get();
if (kept && Date.now() - kept.at < KEEP && !field("text").value) {
  for (const name of FIELDS) if (field(name) && kept[name]) field(name).value = kept[name];
}
form.addEventListener("input", () => {
  store.set({ at: Date.now(), ...Object.fromEntries(FIELDS.map(name => [name, field(name)?.value ?? ""])) });
});
document.querySelector("#wrong")?.focus();

// Going back opens the form anew, with another token, and a frame has no cookie: the entry of the
// history keeps the token, so that the same text sent again is no second request.
const token = field("csrf_token");
if (history.state?.ask && !document.querySelector("#wrong")) token.value = history.state.ask;
history.replaceState({ ...history.state, ask: token.value }, "");

// Answers beside the form, three at most; what is open stays open.
let timer, request, asked = "";
async function suggest() {
  const text = field("text").value.trim();
  if (text.length < FEWEST || text === asked || box.querySelector("details[open]")) return;
  request?.abort();
  request = new AbortController();
  const query = new URLSearchParams({ q: text.slice(0, 1000), lang: field("lang").value, visit: form.dataset.visit });
  try {
    const answer = await fetch(`${box.dataset.src}?${query}`, { signal: request.signal, headers: { "HX-Request": "true" } });
    if (!answer.ok) return;
    box.innerHTML = await answer.text();
    asked = text;
    box.hidden = !box.querySelector("details");
    arm();
  } catch { /* typed on, or no line: the form works without */ }
}
function arm() { for (const button of box?.querySelectorAll("[data-solved]") ?? []) button.hidden = false; }
if (box) {
  // On a phone the answers stand where one types, not below the whole form.
  if (matchMedia("(width < 56rem)").matches) field("text").closest(".field").after(box);
  field("text").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(suggest, PAUSE); });
  box.addEventListener("click", event => {
    const button = event.target.closest("[data-solved]");
    if (!button) return;
    const sent = document.createElement("form");
    sent.method = "post";
    sent.action = box.dataset.done || "/ask/solved";
    for (const [name, value] of Object.entries({ csrf_token: field("csrf_token").value, lang: field("lang").value, article: button.dataset.solved })) {
      sent.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    document.body.append(sent);
    store.drop();
    sent.submit();
  });
  arm();
  if (field("text").value) suggest();
}

// More products than the list holds are looked for while one types.
const product = field("product");
if (product?.dataset.more) {
  let wait;
  product.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(async () => {
      const answer = await fetch(`${product.dataset.more}?${new URLSearchParams({ q: product.value })}`).catch(() => null);
      if (answer?.ok) document.querySelector("#products").innerHTML = await answer.text();
    }, 250);
  });
}

// Files that are too large are named before anything is sent.
const files = field("files"), wrong = document.querySelector("#f-files-e");
function tooLarge() {
  const over = [...files.files].reduce((sum, file) => sum + file.size, 0) > Number(form.dataset.most);
  wrong.hidden = !over;
  if (over) wrong.querySelector("span").textContent = form.dataset.large;
  files.setAttribute("aria-invalid", String(over));
  return over;
}
files.addEventListener("change", tooLarge);
// One press is one request; without a line the text stays where it is.
const trouble = form.querySelector("[data-trouble]");
form.addEventListener("submit", event => {
  if (tooLarge()) { event.preventDefault(); files.focus(); return; }
  if (!navigator.onLine) {
    event.preventDefault();
    trouble.textContent = form.dataset.offline;
    trouble.hidden = false;
    return;
  }
  const button = form.querySelector(".primary");
  setTimeout(() => { button.disabled = true; }, 0);
  setTimeout(() => { button.disabled = false; }, 15_000);
});
addEventListener("pageshow", () => { form.querySelector(".primary").disabled = false; });
