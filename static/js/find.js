// Search while typing: answers under the field. Without this the form shows a page of answers.
const PAUSE = 150, SETTLED = 2000;
for (const form of document.querySelectorAll("[data-find]")) {
  const field = form.elements.q, drop = form.querySelector(".drop"), say = form.querySelector("[data-say]");
  let timer, settling, request, shown = "", settled = "";
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", "hits");
  const text = () => field.value.trim();
  const options = () => [...drop.querySelectorAll("[role=option]")];
  const open = yes => { drop.hidden = !yes; field.ariaExpanded = String(yes); if (!yes) choose(); };
  const address = more => `${form.action}?${new URLSearchParams({ q: text(), ...more })}`;
  const ask = (more, rest) => fetch(address(more), { headers: { "HX-Request": "true" }, ...rest });

  function choose(option) {
    for (const one of options()) one.ariaSelected = String(one === option);
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }
  // What was meant is noted once the reader has stopped typing or goes on.
  function settle() {
    clearTimeout(settling);
    if (!text() || text() === settled) return;
    settled = text();
    ask({ done: 1 }, { keepalive: true }).catch(() => {});
  }
  async function find() {
    const query = text();
    request?.abort();
    if (!query) { shown = ""; open(false); return; }
    if (query === shown) { open(true); return; }
    request = new AbortController();
    try {
      const answer = await ask({}, { signal: request.signal });
      if (!answer.ok) throw new Error(answer.status);
      drop.innerHTML = await answer.text();
      shown = query;
      open(true);
      say.textContent = drop.querySelector("[data-count]").textContent;
    } catch (error) {
      if (error.name !== "AbortError") open(false); // the form still works
    }
  }
  field.addEventListener("input", () => {
    clearTimeout(timer);
    clearTimeout(settling);
    timer = setTimeout(find, text() ? PAUSE : 0);
    settling = setTimeout(settle, SETTLED);
  });
  field.addEventListener("keydown", event => {
    const all = options(), at = all.findIndex(one => one.ariaSelected === "true");
    if (event.key === "Escape" && !drop.hidden) { event.preventDefault(); open(false); return; }
    if (event.key === "Enter" && at >= 0 && !drop.hidden && !event.isComposing) { event.preventDefault(); all[at].click(); return; }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (drop.hidden) { find(); return; }
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step;
    choose(all[next]); // past either end the field itself is next
  });
  field.addEventListener("focus", () => { if (shown && shown === text()) open(true); });
  drop.addEventListener("click", event => { if (event.target.closest("a")) settle(); });
  drop.addEventListener("mousedown", event => { if (event.target.closest("[role=option]")) event.preventDefault(); });
  form.addEventListener("focusout", event => { if (!form.contains(event.relatedTarget)) open(false); });
  form.addEventListener("submit", event => { clearTimeout(settling); if (!text()) event.preventDefault(); });
  field.ariaExpanded = "false";
}
