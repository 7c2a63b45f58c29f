// The help desk's form on a page of yours: a button, or a place of your own (docs/embed.md).
(() => {
  const said = {/* said by the server */};
  const script = document.currentScript, home = new URL(script.src).origin;
  const lang = [script.dataset.lang, document.documentElement.lang.slice(0, 2), said.primary].find(one => one in said.words);
  const [ask, close, brand] = said.words[lang];
  const make = (name, values) => Object.assign(document.createElement(name), values);
  let frame, shut;
  const open = () => make("iframe", { title: `${ask} — ${brand}`, src: `${home}/embed/ask?${new URLSearchParams({ lang, from: location.origin })}` });

  // Only our own frame is listened to.
  addEventListener("message", event => {
    if (event.origin !== home || !frame || event.source !== frame.contentWindow) return;
    const { helpdesk, height } = event.data ?? {};
    if (helpdesk === "height" && height > 0) frame.style.height = `${Math.min(height, 9999)}px`;
    if (helpdesk === "close") shut?.();
  });

  function inline(place) {
    frame = open();
    Object.assign(frame.style, { width: "100%", height: "40rem", border: 0 });
    place.append(frame);
  }

  // A tree of its own: your styles do not reach it, and none of ours leave it.
  function floating() {
    const root = make("div", { lang }).attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`:host { position: fixed; inset: auto 16px 16px auto; z-index: 2147483000; font: 600 16px/1.4 system-ui, sans-serif }
      button { font: inherit; padding: 12px 20px; border: 0; border-radius: 24px; min-height: 48px; background: ${said.colour}; color: #fff; cursor: pointer; box-shadow: 0 2px 12px #0004 }
      :focus-visible { outline: 3px solid ${said.colour}; outline-offset: 2px }
      section { position: fixed; inset: auto 16px 80px auto; width: min(440px, 100vw - 32px); overflow: auto; max-height: calc(100dvh - 100px); border-radius: 12px; background: Canvas; box-shadow: 0 4px 32px #0006 }
      iframe { display: block; width: 100%; height: 40rem; border: 0 }`);
    root.adoptedStyleSheets = [sheet];
    const button = make("button", { type: "button", textContent: ask }), panel = make("section", { hidden: true });
    panel.setAttribute("aria-label", ask);
    const show = yes => {
      if (yes && !frame) panel.append(frame = open());
      panel.hidden = !yes;
      button.textContent = yes ? close : ask;
      button.setAttribute("aria-expanded", yes);
      (yes ? frame : button).focus();
    };
    shut = () => show(false);
    button.setAttribute("aria-expanded", false);
    button.addEventListener("click", () => show(panel.hidden));
    root.addEventListener("keydown", event => { if (event.key === "Escape" && !panel.hidden) shut(); });
    root.append(panel, button);
    document.body.append(root.host);
  }

  const start = () => {
    const place = script.dataset.into && document.querySelector(script.dataset.into);
    place ? inline(place) : floating();
  };
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", start) : start();
})();
