// Articles beside a ticket: into the reply where the cursor is, and "this answered it".
document.addEventListener("click", async event => {
  const insert = event.target.closest("[data-insert]"), cite = event.target.closest("[data-cite]");
  if (insert) place(insert);
  if (cite) await tell(cite);
});

function place(button) {
  const form = button.closest("form.composer"), reply = form.querySelector("[data-draft=outbound]");
  const choice = form.querySelector("[name=kind][value=outbound]");
  if (!choice.checked && !choice.disabled) choice.click();
  const before = reply.value.slice(0, reply.selectionStart);
  const gap = before && !/\n\s*$|\s$/.test(before) ? "\n" : "";
  reply.focus();
  if (!document.execCommand("insertText", false, gap + button.dataset.insert)) {
    reply.setRangeText(gap + button.dataset.insert, reply.selectionStart, reply.selectionEnd, "end");
    reply.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (form.querySelector(`[name=cited][value="${button.dataset.cites}"]`)) return;
  const mark = document.createElement("input");
  Object.assign(mark, { type: "hidden", name: "cited", value: button.dataset.cites });
  form.append(mark);
}

async function tell(button) {
  const form = button.closest("form.composer"), on = button.getAttribute("aria-pressed") === "true";
  const data = new FormData();
  data.set("csrf_token", form.elements.csrf_token.value);
  data.set("article", button.dataset.article);
  if (on) data.set("off", "1");
  const answer = await fetch(button.dataset.cite, { method: "POST", body: data, headers: { Accept: "application/json" } }).catch(() => null);
  if (answer?.ok) button.setAttribute("aria-pressed", String(!on));
}

// A reply that went out takes its marks with it.
document.addEventListener("changed", () => {
  for (const mark of document.querySelectorAll("form.composer [name=cited]")) mark.remove();
});
