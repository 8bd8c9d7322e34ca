// What pages do beyond links and forms: keys, ranges of ticks, drafts, the undo countdown, warnings. Nothing here is the
// only way to do something. It acts on attributes of the pages:
//   data-key="a"          the key (or "Shift+x", "g i") that presses, opens or focuses this element
//   data-list, data-row   a list, and its rows, which j and k go through; Enter opens a row's link
//   data-tick="NAME"      ticks of one list; Shift+click and Shift+x take the range; put in anew, they stay
//   data-presets          a field that keys 1 to 9 fill while it is empty, from a data-fill of its form
//   data-draft="ADDRESS"  a form kept on the server every 5 s and when it is left
//   data-until="SECONDS"  counts down, then takes its [data-fades] away
//   data-copy             copies its own address; data-send: Ctrl+Enter in this form submits it
"use strict";
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const unfolded = (element) => element.getClientRects().length > 0 && (!element.checkVisibility || element.checkVisibility());
  const seen = (element) => element.getClientRects().length > 0 && element.getAttribute("aria-disabled") !== "true";
  const IDLE_WARNING = 120000, DRAFT_EVERY = 5000, CHORD_FOR = 1200;

  // ---- Strips -----------------------------------------------
  function show(name) {
    const strips = one("#xj-strips"), from = one("#xj-" + name);
    if (!strips || !from || one(`[data-strip="${name}"]`, strips)) return null;
    const strip = from.content.firstElementChild.cloneNode(true);
    strip.dataset.strip = name;
    strips.append(strip);
    return strip;
  }
  const hide = (name) => all(`[data-strip="${name}"]`).forEach((strip) => strip.remove());

  // ---- Keys -------------------------------------------------
  const FIELDS = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";
  let chord = "", chordTimer = 0, toldOfIme = false, acted = null;

  function pressed(event) {
    const shift = event.shiftKey && /^[a-z]$/i.test(event.key) ? "Shift+" : "";
    return shift + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
  }

  function act(name) {
    const every = all(`[data-key="${CSS.escape(name)}"]`).filter((element) => seen(element) && !element.checked);
    const pane = document.activeElement.closest(".xj-pane"), near = pane ? every.filter((one) => pane.contains(one)) : [];
    const found = near.length ? near : every;  // what stands where the focus is comes first
    if (!found.length) return false;
    const target = found[(found.indexOf(acted) + 1) % found.length];  // of several with one key, one after the other
    acted = target;
    if (target.matches(FIELDS)) target.focus();
    else if (target.matches("summary")) target.parentElement.open = !target.parentElement.open;
    else target.click();
    return true;
  }

  function rows() {
    return all("[data-list] [data-row]").filter(unfolded);
  }

  function current() {
    const found = rows();
    return found.find((row) => row.contains(document.activeElement)) ||
      found.find((row) => one('[aria-current="true"]', row) || row.getAttribute("aria-current") === "true") || null;
  }

  function walk(step) {
    const found = rows();
    if (!found.length) return false;
    const at = found.indexOf(current());
    const next = found[Math.min(found.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
    const link = one("a[href]", next);
    if (!link) return false;
    link.focus();
    next.scrollIntoView({ block: "nearest" });
    if (next.closest("[data-list]").dataset.list === "open") link.click();
    return true;
  }

  function tickHere(isRange) {
    const row = current(), tick = row && one("[data-tick]", row);
    if (!tick) return false;
    tick.checked = !tick.checked;
    ticked(tick, isRange);
    tick.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  }

  function escape() {
    const menu = all("details.xj-menu[open]").pop();
    if (menu) {
      menu.open = false;
      one("summary", menu).focus();
      return true;
    }
    return false;
  }

  const OWN = {
    j: () => walk(1), k: () => walk(-1), x: () => tickHere(false), "Shift+x": () => tickHere(true), Escape: escape,
    "?": () => go("/help/keys"),
    "g i": () => go("/queue/todo"), "g d": () => go("/queue/done"), "g m": () => go("/queue/mine"), "g b": () => go("/batches"),
  };
  function go(address) {
    location.href = address;
    return true;
  }

  function onKey(event) {
    if (event.defaultPrevented || event.isComposing) return;
    const target = event.target, isField = target.matches && target.matches(FIELDS);
    if ((event.ctrlKey || event.metaKey) && !event.altKey) return commanded(event, target);
    if (event.altKey || document.body.dataset.keys === "off") return;
    if (event.keyCode === 229) {
      if (!isField && !toldOfIme) toldOfIme = Boolean(show("ime"));
      return;
    }
    const fills = /^[1-9]$/.test(event.key) && one("[data-presets]");
    if (isField && (target !== fills || fills.value)) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (fills && fills.value) return;
    if (event.key === "Enter" || event.key === " ") return;  // what has the focus answers them itself
    const name = pressed(event), whole = chord ? `${chord} ${name}` : name;
    clearTimeout(chordTimer);
    chord = "";
    if (act(whole) || (OWN[whole] && OWN[whole]())) { event.preventDefault(); return; }
    if (one(`[data-key^="${CSS.escape(name)} "]`) || Object.keys(OWN).some((own) => own.startsWith(name + " "))) {
      chord = name;
      chordTimer = setTimeout(() => { chord = ""; }, CHORD_FOR);
    }
  }

  function commanded(event, target) {
    if (event.key === "Enter" && target.form && target.form.matches("[data-send]")) {
      event.preventDefault();
      target.form.requestSubmit();
    } else if (event.key.toLowerCase() === "k" && one('[data-key="/"]')) {
      event.preventDefault();
      act("/");
    }
  }

  // ---- Ticks ------------------------------------------------
  let lastTick = null;
  const byHand = new Map();  // a row that is put in anew is as it was
  const naming = (tick) => `${tick.dataset.tick} ${tick.value}`;

  function ticked(tick, isRange) {
    const ticks = all(`[data-tick="${CSS.escape(tick.dataset.tick)}"]`);
    const from = ticks.indexOf(lastTick), to = ticks.indexOf(tick);
    const range = isRange && from >= 0 && ticks.slice(Math.min(from, to), Math.max(from, to) + 1);
    const lane = tick.name === "everything" && all("[data-tick]", tick.closest("section"));
    for (const other of lane || range || [tick]) {
      other.checked = tick.checked;
      byHand.set(naming(other), tick.checked);
    }
    lastTick = tick;
  }

  function tickAnew() {
    for (const tick of all("[data-tick]")) tick.checked = byHand.get(naming(tick)) ?? tick.checked;
  }

  // ---- Clicks -----------------------------------------------
  function takeUp(target) {  // hands can be quicker than htmx with what it has just put in: its link would leave the page
    const asking = (target.form || target).closest("[hx-get], [hx-post]");
    if (asking && window.htmx) window.htmx.process(asking);
  }

  function onClick(event) {
    const target = event.target;
    takeUp(target);
    const dead = target.closest('[aria-disabled="true"]');
    if (dead) { event.preventDefault(); event.stopPropagation(); return; }
    if (target.matches("[data-tick]")) ticked(target, event.shiftKey);
    const fill = target.closest("[data-fill]"), field = fill && one("[data-presets]", fill.closest("form"));
    if (field) {
      event.preventDefault();
      if (!field.value.includes(fill.textContent)) field.value += (field.value && "\n") + fill.textContent;
      field.dispatchEvent(new Event("input", { bubbles: true }));  // kept as if typed
      field.focus();
    }
    const copy = target.closest("[data-copy]");
    if (copy && navigator.clipboard) {
      event.preventDefault();
      navigator.clipboard.writeText(copy.dataset.copy || copy.href);
      copy.classList.add("xj-copied");
    }
    if (target.closest("[data-stay]")) askHowLong("/stay");
    if (target.closest("[data-again]") && lost) askAgain();
    for (const menu of all("details.xj-menu[open]")) if (!menu.contains(target)) menu.open = false;
  }

  // ---- The session ends by itself ---------------------------
  const { idle, left } = document.body.dataset, latest = Date.now() + left * 1000;
  let idleTimer, endsAt = Infinity;
  function alive(seconds = idle) {
    clearTimeout(idleTimer);
    if (!seconds) return;
    endsAt = Math.min(Date.now() + seconds * 1000, latest);
    idleTimer = setTimeout(warn, endsAt - Date.now() - IDLE_WARNING);
  }
  function warn() {
    show("idle");
    idleTimer = setTimeout(() => askHowLong("/stay/pulse"), endsAt - Date.now() + 1000);
  }
  async function askHowLong(address) {  // who is signed in hears the seconds left, others are sent to sign in
    const answer = await fetch(address, { redirect: "manual" }).catch(() => null);
    if (!answer || answer.status >= 500) { show("unread"); return; }
    ["idle", "unread", "over"].forEach(hide);
    if (answer.ok) alive(await answer.text());
    else show("over");
  }
  document.addEventListener("visibilitychange", () => {  // a laptop that slept counted none
    if (!document.hidden && Date.now() > endsAt) askHowLong("/stay/pulse");
  });

  // ---- Drafts -----------------------------------------------
  const unsaved = new Set();
  function keep(form) {
    if (!unsaved.delete(form)) return;
    fetch(form.dataset.draft, { method: "POST", body: new URLSearchParams(new FormData(form)), keepalive: true })
      .catch(() => unsaved.add(form));
  }
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-draft]");
    if (form) unsaved.add(form);
  });
  document.addEventListener("focusout", (event) => {
    const form = event.target.closest("form[data-draft]");
    if (form) keep(form);
  });
  setInterval(() => unsaved.forEach(keep), DRAFT_EVERY);

  // ---- Countdown --------------------------------------------
  setInterval(() => {
    for (const clock of all("[data-until]")) {
      const left = Number(clock.dataset.until) - 1;
      clock.dataset.until = String(left);
      clock.textContent = String(Math.max(0, left));
      if (left <= 0) (clock.closest("[data-fades]") || clock).remove();
    }
  }, 1000);

  // ---- htmx -------------------------------------------------
  let lost = null;
  const pressedLast = new WeakMap();  // by which button a form was sent: asking again is sending the very same
  document.addEventListener("submit", (event) => pressedLast.set(event.target, event.submitter), true);

  function askAgain() {
    hide("unknown");
    if (lost.requestSubmit) lost.requestSubmit(pressedLast.get(lost));
    else lost.click();
  }

  function unanswered(event) {
    const { ctx } = event.detail, status = ctx.response && ctx.response.status;
    if (status && status < 500) return;
    const isSafe = ["GET", "HEAD"].includes(ctx.request.method.toUpperCase());
    if (ctx.request.action.includes("/pulse")) return;
    lost = isSafe ? null : ctx.sourceElement;
    const strip = show(isSafe ? "unread" : "unknown");
    if (strip && !isSafe) one("[data-again]", strip).focus();
  }
  document.addEventListener("htmx:response:error", unanswered);
  document.addEventListener("htmx:error", unanswered);
  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail || {};
    tickAnew();
    if (ctx && ctx.request.action.includes("/pulse")) return;  // nobody has asked for it
    if (ctx && ctx.response && ctx.response.status >= 500) return;  // not shown, and told already
    ["unknown", "unread", "idle"].forEach(hide);
    alive();
    const wanting = all("[autofocus]"), last = wanting.pop();
    if (last) last.focus();
    for (const one of [...wanting, last]) if (one) one.removeAttribute("autofocus");
  });

  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick, true);
  alive();
})();
