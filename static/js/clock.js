// Promises count down while the page is open; the words come from <body data-words>.
const words = JSON.parse(document.body.dataset.words ?? "{}");
const MINUTE = 60, HOUR = 3600, DAY = 86400;

// The same short form as the server's: "38 min", "1 h 15", "−14 min", "2 d".
function length(seconds) {
  const rest = Math.abs(seconds), sign = seconds < 0 ? "−" : "";
  if (rest < HOUR) return `${sign}${Math.floor(rest / MINUTE)} ${words.min}`;
  if (rest < DAY) {
    const minutes = Math.floor(rest % HOUR / MINUTE);
    const tail = sign || !minutes ? "" : ` ${String(minutes).padStart(2, "0")}`;
    return `${sign}${Math.floor(rest / HOUR)} ${words.h}${tail}`;
  }
  return `${sign}${Math.floor(rest / DAY)} ${words.d}`;
}

function tick() {
  const now = Date.now() / 1000;
  for (const clock of document.querySelectorAll("[data-due]")) {
    const rest = Number(clock.dataset.due) - now, text = clock.lastElementChild;
    // Further than a day off the server wrote a weekday: leave it. Being late is the server's word.
    if (Math.abs(rest) >= DAY || !text || (rest < 0) !== (clock.dataset.tone === "bad")) continue;
    const shown = length(rest);
    const said = text.dataset.form?.replace("{}", shown) ?? shown;
    if (text.textContent !== said) text.textContent = said;
  }
}

setInterval(tick, 10_000);
document.addEventListener("htmx:load", tick);
