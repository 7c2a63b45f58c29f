// Lists to choose from by typing: words narrow the list, arrows walk it, Enter takes the first.
const fold = text => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");
const buttons = pick => [...pick.querySelectorAll(".opts li:not([hidden]) button")];

document.addEventListener("input", event => {
  if (!event.target.matches("[data-filter]")) return;
  const pick = event.target.closest("[data-pick]");
  const words = fold(event.target.value).split(/\s+/).filter(Boolean);
  for (const line of pick.querySelectorAll("[data-words]")) {
    const text = fold(line.dataset.words);
    line.hidden = !words.every(word => text.includes(word));
  }
  const none = pick.querySelector("[data-none]");
  if (none) none.hidden = pick.querySelectorAll("[data-words]:not([hidden])").length > 0;
});

document.addEventListener("keydown", event => {
  const pick = event.target.closest?.("[data-pick]");
  if (!pick || event.isComposing) return;
  const field = pick.querySelector("input[type=search]");
  const stops = [...(field ? [field] : []), ...buttons(pick)];
  const place = stops.indexOf(event.target);
  if (event.code === "ArrowDown" || event.code === "ArrowUp") {
    event.preventDefault();
    stops[Math.min(Math.max(place + (event.code === "ArrowDown" ? 1 : -1), 0), stops.length - 1)]?.focus();
  } else if (event.code === "Enter" && event.target === field) {
    event.preventDefault();
    const first = buttons(pick).find(button => button.value) ?? null;
    if (field.value.trim()) first?.click();
  }
});

// A list that comes into an open popover takes the focus there.
document.addEventListener("htmx:afterSwap", event => {
  const popover = event.detail.target?.closest?.("[popover]:popover-open");
  if (popover && !popover.contains(document.activeElement)) popover.querySelector("input[type=search]")?.focus();
});
