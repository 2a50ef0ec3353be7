"use strict";
(() => {
  const root = document.documentElement, tip = document.getElementById("tip"), say = document.getElementById("say");
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // The theme: that of the system until the button says otherwise.
  const dark = matchMedia("(prefers-color-scheme: dark)"), button = document.getElementById("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const name = () => { button.textContent = isDark() ? "Light" : "Dark"; button.setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours"); };
  button.hidden = false;
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; name(); });
  dark.addEventListener("change", name);
  name();

  // One box tells what is under the pointer, the focus or the finger.
  let shown = null;
  const hide = () => { tip.hidden = true; shown = null; };
  const show = target => {
    tip.replaceChildren(target.dataset.token === undefined ? lines(target.dataset.tip) : guesses(Number(target.dataset.token)));
    tip.hidden = false;
    shown = target;
    const at = target.getClientRects()[0] ?? target.getBoundingClientRect(), box = tip.getBoundingClientRect(), edge = 8;
    const wanted = at.width > 220 ? at.left + at.width / 2 - box.width / 2 : at.left;
    tip.style.left = Math.max(edge, Math.min(wanted, root.clientWidth - box.width - edge)) + "px";
    const above = at.top - box.height - 7, below = at.bottom + 7;
    tip.style.top = (below + box.height < innerHeight || above < 0 ? below : above) + "px";
  };
  const lines = text => {
    const all = make("div", "lines");
    for (const line of text.split("\n")) all.append(make("div", "", line));
    return all;
  };
  const marked = event => event.target.closest?.("[data-tip],[data-token]");
  addEventListener("pointerover", event => { const target = marked(event); if (target) show(target); else if (!document.activeElement.matches?.("[data-tip],[data-token]")) hide(); });
  addEventListener("focusin", event => { const target = marked(event); if (!target) return hide(); show(target); if (target.dataset.token !== undefined) say.textContent = spoken(Number(target.dataset.token)); });
  addEventListener("click", event => { const target = marked(event); if (target) show(target); else hide(); });
  addEventListener("keydown", event => { if (event.key === "Escape") hide(); });
  addEventListener("scroll", () => { if (shown) hide(); }, { passive: true });

  // Each chart, map and passage is one stop of the tab key; arrows go on within it.
  const roving = "[data-roving]";
  for (const group of document.querySelectorAll(roving)) {
    const items = [...group.querySelectorAll("[data-tip],[data-token]")];
    items.forEach((item, i) => item.setAttribute("tabindex", i === 0 ? 0 : -1));
  }
  addEventListener("keydown", event => {
    const group = document.activeElement.closest?.(roving);
    if (!group) return;
    const items = [...group.querySelectorAll("[data-tip],[data-token]")], at = items.indexOf(document.activeElement), row = Number(group.dataset.columns || 1);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row }[event.key];
    const next = event.key === "Home" ? 0 : event.key === "End" ? items.length - 1 : step ? at + step : -1;
    if (!items[next] || at < 0) return;
    event.preventDefault();
    items[at].setAttribute("tabindex", -1);
    items[next].setAttribute("tabindex", 0);
    items[next].focus();
  });

  // The passage.
  const source = document.getElementById("passage-data"), passage = source ? JSON.parse(source.textContent) : null;
  const tokens = [...document.querySelectorAll("[data-token]")];
  const visible = piece => piece.replaceAll(" ", "␣").replaceAll("\n", "⏎").replaceAll("\t", "⇥");
  const percent = p => (p >= 0.0995 ? (100 * p).toFixed(0) : p >= 0.00995 ? (100 * p).toFixed(1) : p >= 0.0001 ? (100 * p).toFixed(2) : "<0.01") + " %";
  const shade = kld => Math.max(0, Math.min(1, Math.log10(Math.max(kld, 1e-9) / 0.001) / 3));
  const nats = kld => (kld >= 0.995 ? kld.toFixed(2) : kld >= 0.001 ? kld.toPrecision(2) : "<0.001");
  let current = 0;
  const list = (heading, expected, i) => {
    const all = make("div"), came = passage.tokens[i].piece;
    all.append(make("h5", "", heading));
    const add = (piece, probability) => {
      const line = make("div", "guess" + (piece === came ? " came" : "")), bar = make("i");
      bar.style.width = 100 * probability + "%";
      line.append(bar, make("span", "mono", visible(passage.pieces[piece])), make("span", "", percent(probability)));
      all.append(line);
    };
    for (const candidate of expected.likeliest[i]) add(candidate.piece, candidate.probability);
    if (!expected.likeliest[i].some(c => c.piece === came)) { all.append(make("div", "muted", "…")); add(came, expected.actual[i]); }
    return all;
  };
  const guesses = i => {
    const variant = passage.variants[current], all = make("div"), head = make("div"), pair = make("div", "pair");
    head.append(make("b", "mono", visible(passage.pieces[passage.tokens[i].piece])), " came; divergence " + nats(variant.divergence[i]) + " nats");
    pair.append(list(source.dataset.base, passage.base, i), list(variant.name, variant.expected, i));
    all.append(head, pair);
    return all;
  };
  const spoken = i => {
    const variant = passage.variants[current], best = e => e.likeliest[i].slice(0, 3).map(c => passage.pieces[c.piece] + " " + percent(c.probability)).join(", ");
    return passage.pieces[passage.tokens[i].piece] + ". " + source.dataset.base + " expected " + best(passage.base) + ". " + variant.name + " expected " + best(variant.expected) + ". Divergence " + nats(variant.divergence[i]) + " nats.";
  };

  // Choosing a variant in one place chooses it everywhere.
  const choose = value => {
    current = Number(value);
    hide();
    for (const input of document.querySelectorAll(".picker input")) input.checked = input.value === value;
    for (const panel of document.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== value;
    if (!passage) return;
    const variant = passage.variants[current];
    tokens.forEach((token, i) => {
      token.style.setProperty("--t", shade(variant.divergence[i]).toFixed(3));
      token.classList.toggle("flip", variant.expected.likeliest[i][0].piece !== passage.base.likeliest[i][0].piece);
    });
  };
  for (const input of document.querySelectorAll(".picker input")) input.addEventListener("change", () => choose(input.value));
  const first = document.querySelector(".picker input:checked");
  if (first) choose(first.value);
})();
