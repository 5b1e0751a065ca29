// What is quicker with a script. Every page works without it.
"use strict";

// Parts that several sections use

// An element with attributes and children.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Tell screen readers something that has changed on the page.
function say(text) {
  let place = document.getElementById("said");
  if (!place) {
    place = make("p", {id: "said", class: "unseen", role: "status"});
    document.body.append(place);
  }
  place.textContent = text;
}

// Whether a click means: open here, and not in another tab.
function isPlain(event) {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

// Way back: the history's, since it restores the place in the list at once

const NOT_SEARCHED = ["cursor", "page", "limit", "facet", "facet_size", "passages", "passage_length", "explain"];

function back() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-back]");
    if (!link || event.defaultPrevented || !isPlain(event)) return;
    if (document.referrer && searched(document.referrer) === searched(link.href) && history.length > 1) {
      event.preventDefault();
      history.back();
    }
  });
}

// Address of a list of hits, whichever of its pages it is and however long it is. The
// address of an article keeps only what says which articles were found.
function searched(address) {
  const url = new URL(address);
  url.hash = "";
  for (const name of NOT_SEARCHED) url.searchParams.delete(name);
  url.searchParams.sort();
  return url.href;
}

// Suggestions: a combobox with a list, as the ARIA Authoring Practices have it

const TYPING_PAUSE = 120; // milliseconds without a key before the server is asked

function suggestions() {
  const box = document.getElementById("q");
  const address = box?.form.dataset.suggest;
  if (!address) return;
  const list = make("div", {id: "suggestions", class: "suggestions", role: "listbox", "aria-label": "Suggestions"});
  list.hidden = true;
  box.parentElement.append(list);
  const attributes = {role: "combobox", "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-controls": list.id};
  for (const [name, value] of Object.entries(attributes)) box.setAttribute(name, value);
  let options = [];
  let active = -1;
  let timer = 0;
  let asked = new AbortController();

  function choose(number) {
    options[active]?.removeAttribute("aria-selected");
    active = number;
    const option = options[active];
    if (!option) {
      box.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({block: "nearest"});
  }

  function open(isOpen) {
    list.hidden = !isOpen;
    box.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) choose(-1);
  }

  function close() {
    clearTimeout(timer);
    asked.abort();
    open(false);
  }

  function show(groups) {
    choose(-1);
    options = [];
    list.replaceChildren(...groups.map((group, number) => {
      const name = make("span", {id: `suggestions-${number}`, class: "suggestion-group", role: "presentation"}, group.name);
      const links = group.options.map((each) => {
        const link = make("a", {role: "option", tabindex: "-1", href: each.href, id: `option-${options.length}`},
          make("bdi", {}, each.text), " ", make("span", {class: "suggestion-count"}, each.count));
        options.push(link);
        return link;
      });
      return make("div", {role: "group", "aria-labelledby": name.id}, name, ...links);
    }));
    open(options.length > 0);
    if (options.length) say(options.length === 1 ? "1 suggestion" : `${options.length} suggestions`);
  }

  async function ask() {
    const typed = box.value.trim();
    // One letter says little, but a Chinese or Japanese character is a word.
    if (typed.length < 2 && !/[^\u0000-\u024f]/.test(typed)) {
      options = [];
      open(false);
      return;
    }
    asked = new AbortController();
    const {signal} = asked;
    try {
      const answer = await fetch(`${address}?${new URLSearchParams(new FormData(box.form))}`, {signal});
      const {groups} = answer.ok ? await answer.json() : {groups: []};
      if (!signal.aborted && document.activeElement === box) show(groups);
    } catch {
      // Taken back, or no connection: the box works without suggestions.
      if (!signal.aborted) open(false);
    }
  }

  function askSoon() {
    clearTimeout(timer);
    asked.abort(); // its answer is about what was typed before
    choose(-1);
    timer = setTimeout(ask, TYPING_PAUSE);
  }

  open(false);
  box.addEventListener("input", (event) => {
    if (!event.isComposing) askSoon();
  });
  box.addEventListener("compositionend", askSoon);
  box.addEventListener("blur", close);
  box.form.addEventListener("submit", close);
  // The box keeps the focus while somebody points at an option.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  addEventListener("pageshow", (event) => event.persisted && close());
  box.addEventListener("keydown", (event) => {
    // Keys of an input method are its own.
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey) return;
    const isOpen = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (event.altKey) {
        if (event.key === "ArrowUp") close();
        else open(options.length > 0);
      } else if (!isOpen) {
        if (options.length) open(true);
        else ask();
      } else {
        // The box itself is a place before the first option and after the last.
        const places = options.length + 1;
        choose((active + 1 + (event.key === "ArrowDown" ? 1 : places - 1)) % places - 1);
      }
    } else if (event.key === "Enter" && isOpen && active >= 0) {
      event.preventDefault();
      options[active].click();
    } else if (event.key === "Escape") {
      event.preventDefault(); // browsers empty the box, too
      if (isOpen) close();
      else box.blur();
    } else if (event.key === "Home" || event.key === "End" || event.key === "ArrowLeft" || event.key === "ArrowRight") {
      choose(-1); // the caret moves
    }
  });
}

// Keys: a table that every section adds to, and the window that shows it

const KEYS_SETTING = "nutgraf.keys";
const KEYS = [];

// Add a key. `run` may be null if the browser does it; false says that nothing was done.
function addKey(place, name, does, run) {
  KEYS.push({place, name, does, run});
}

function keysAreOn() {
  try {
    return localStorage.getItem(KEYS_SETTING) !== "off";
  } catch {
    return true; // the browser keeps nothing for us
  }
}

function isTyping(element) {
  const typed = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=submit])";
  return element instanceof Element && element.closest(typed) !== null;
}

function keys() {
  const title = make("h2", {id: "keys-title"}, "Keyboard shortcuts");
  const rows = make("div", {class: "keys-rows"});
  const setting = make("input", {type: "checkbox", id: "keys-on"});
  const shut = make("button", {type: "button", class: "button", autofocus: ""}, "Close");
  const help = make("dialog", {class: "keys", "aria-labelledby": title.id}, title, rows,
    make("p", {class: "keys-setting"}, setting, make("label", {for: setting.id}, "Use single-key shortcuts")), shut);
  const opener = make("button", {type: "button", class: "plain"}, "Keyboard shortcuts");
  document.body.append(help);
  document.querySelector(".colophon p:last-child")?.append(" ", opener);

  function show() {
    rows.replaceChildren(...[...new Set(KEYS.map((key) => key.place))].map((place) =>
      make("section", {}, make("h3", {}, place), make("dl", {}, ...KEYS.filter((key) => key.place === place).map((key) =>
        make("div", {}, make("dt", {}, make("kbd", {}, key.name)), make("dd", {}, key.does)))))));
    setting.checked = keysAreOn();
    help.showModal();
  }

  addKey("Everywhere", "/", "Go to the search box", () => {
    const box = document.getElementById("q");
    if (!box) return false;
    box.focus();
    box.select();
  });
  addKey("Everywhere", "Esc", "Leave the box, close what is open", null);
  addKey("Everywhere", "?", "Show these shortcuts", show);
  opener.addEventListener("click", show);
  shut.addEventListener("click", () => help.close());
  help.addEventListener("click", (event) => {
    if (event.target === help) help.close(); // beside it
  });
  setting.addEventListener("change", () => {
    try {
      localStorage.setItem(KEYS_SETTING, setting.checked ? "on" : "off");
    } catch {
      say("This browser does not keep the setting.");
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]") || !keysAreOn()) return;
    // Where the keyboard writes another script, a key is known by its place.
    const other = !/^[ -~]+$/.test(event.key) && /^Key([A-Z])$/.exec(event.code);
    const name = other ? other[1].toLowerCase() : event.key;
    const key = KEYS.find((each) => each.name === name && each.run);
    if (key && key.run() !== false) event.preventDefault();
  });
}

// Results: steps through the list, and more of it in place

function results() {
  const list = document.querySelector(".results");
  let pages = []; // addresses of the hits that were added
  const around = (link) => link.closest(".hit, .more");

  function step(by) {
    const links = list ? [...list.querySelectorAll(".hit .headline a, .more a")] : [];
    const at = links.findIndex((link) => around(link).contains(document.activeElement));
    let next = links[at + by];
    if (at < 0) {
      const below = links.findIndex((link) => link.getBoundingClientRect().top >= 0);
      next = links[by > 0 ? below : below - 1];
    }
    if (!next) return false;
    next.focus({preventScroll: true});
    around(next).scrollIntoView({block: "nearest"});
  }

  addKey("In a list", "j", "Next article", () => step(1));
  addKey("In a list", "k", "Article before", () => step(-1));
  addKey("In a list", "o", "Open the article", () => {
    const hit = document.activeElement.closest(".hit");
    if (!hit) return false;
    (document.activeElement.closest("a") ?? hit.querySelector(".headline a")).click();
  });
  addKey("In a list", "Enter", "Open the article", null);
  addKey("In an article", "u", "Back to the results", () => {
    const link = document.querySelector(".back a");
    if (!link) return false;
    link.click();
  });
  if (!list) return;

  function keep(more) {
    history.replaceState({...history.state, pages, y: scrollY, ...more}, "");
  }

  async function add(address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const added = [...page.querySelectorAll(".hit, .more")].map((each) => document.adoptNode(each));
    list.querySelector(".more")?.remove();
    list.append(...added);
    pages.push(address);
    return added;
  }

  list.addEventListener("click", async (event) => {
    const link = event.target.closest("a");
    if (!link || !isPlain(event)) return;
    if (!link.dataset.hits) {
      const hit = link.closest(".hit");
      if (hit) keep({hit: hit.id});
      return;
    }
    event.preventDefault();
    if (link.ariaDisabled === "true") return;
    link.ariaDisabled = "true";
    try {
      const [first] = await add(link.dataset.hits);
      keep({hit: null});
      first?.querySelector("a")?.focus({preventScroll: true});
      first?.scrollIntoView({block: "nearest"});
      const shown = list.querySelectorAll(".hit").length;
      say(`${shown} articles shown`);
    } catch {
      location.assign(link.href); // that page says what is wrong
    }
  });
  addEventListener("pagehide", () => keep({}));

  // Somebody has come back, and the browser has not kept the page.
  const {pages: earlier = [], hit = null, y = 0} = history.state ?? {};
  const focus = () => document.getElementById(hit ?? "")?.querySelector("a")?.focus({preventScroll: true});
  if (!earlier.length) {
    focus();
    return;
  }
  history.scrollRestoration = "manual";
  (async () => {
    try {
      for (const address of earlier) await add(address);
    } catch {
      say("The rest of the list could not be loaded.");
    }
    scrollTo({top: y, behavior: "instant"});
    focus();
  })();
}

// Filters

// Values that this page does not have are on the page of their facet.
async function pageAt(address, signal) {
  const answer = await fetch(address, { signal });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function foldedValue(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

// A form that finds values by their beginning: at once in the list, then on the server.
function findIn(form) {
  const box = form.closest(".facet") || form.closest("main");
  const input = form.elements.prefix;
  const own = box.querySelector(".facet-rows");
  if (!own) return;
  const note = document.createElement("span");
  note.className = "unseen";
  note.setAttribute("role", "status");
  form.append(note);
  let shown = own;
  let timer = 0;
  let asked = new AbortController();
  const put = (list) => {
    shown.replaceWith(list);
    shown = list;
  };
  const ask = async () => {
    const { signal } = asked;
    try {
      const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
      const page = await pageAt(address, signal);
      const list = page.querySelector(".facet-rows");
      const listed = page.querySelector(".listed");
      if (signal.aborted || !listed) return;
      put(list || document.createElement("ul"));
      note.textContent = listed.firstChild.textContent;
    } catch (error) {
      // Without an answer the list stays as it is; the form can still be sent.
      if (error.name !== "AbortError") note.textContent = "";
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    asked.abort();
    asked = new AbortController();
    const start = foldedValue(input.value);
    put(own);
    for (const row of own.querySelectorAll(".facet-row")) {
      const name = foldedValue(row.querySelector(".facet-value").textContent);
      const kept = row.matches(".selected, .excluded") || name.startsWith(start);
      row.parentElement.hidden = !kept;
    }
    note.textContent = "";
    if (start) timer = setTimeout(ask, 150);
  });
}

function filters() {
  document.querySelectorAll(".facet-find").forEach(findIn);
  const more = document.querySelector(".other-facets");
  if (!more) return;
  more.addEventListener("toggle", async () => {
    const link = more.querySelector(".facet-others > a");
    if (!more.open || !link || more.hasAttribute("aria-busy")) return;
    more.setAttribute("aria-busy", "true");
    try {
      const boxes = (await pageAt(link.href)).querySelector(".facet-boxes");
      if (boxes) link.parentElement.replaceWith(boxes);
    } catch {
      link.hidden = false; // the link leads to the same filters
    }
    more.removeAttribute("aria-busy");
    more.querySelectorAll(".facet-find").forEach(findIn);
  });
}

// Dates: a range of bars, by dragging over them or with two sliders

function dates() {
  const box = document.querySelector(".dates");
  const chart = box && box.querySelector(".chart");
  if (!chart) return;
  const slots = [...chart.querySelectorAll(".slot")];
  const count = slots.length;
  const { base } = box.dataset;

  const picked = document.createElement("p");
  picked.className = "picked";
  picked.hidden = true;
  const link = picked.appendChild(document.createElement("a"));
  box.querySelector(".dates-line").append(picked);

  const slider = (label, value) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "range", min: 0, max: count, autocomplete: "off" });
    input.value = value;
    input.setAttribute("aria-label", label);
    return input;
  };
  const start = slider("First date", 0);
  const end = slider("Last date", count);
  box.querySelector(".range").append(start, end);

  // Mark the bars from one to another; all of them is no choice.
  const pick = (first, last) => {
    const all = first === 0 && last === count - 1;
    start.value = first;
    end.value = last + 1;
    start.setAttribute("aria-valuetext", slots[first].dataset.period);
    end.setAttribute("aria-valuetext", slots[last].dataset.period);
    slots.forEach((slot, n) => {
      const inside = first <= n && n <= last;
      slot.classList.toggle("in", !all && inside);
      slot.classList.toggle("out", !all && !inside);
    });
    const [a, b] = [slots[first].dataset, slots[last].dataset];
    const period = new URLSearchParams({ from: a.first, to: b.last });
    link.href = `${base}${base.includes("?") ? "&" : "?"}${period}`;
    const sum = slots.slice(first, last + 1).reduce((n, slot) => n + Number(slot.dataset.count), 0);
    const name = first === last ? a.period : `${a.period} – ${b.period}`;
    link.textContent = `Show ${name}: ${sum.toLocaleString("en")} ${sum === 1 ? "article" : "articles"}`;
    picked.hidden = all;
    box.classList.toggle("picking", !all);
  };
  const reset = () => pick(0, count - 1);
  reset();
  window.addEventListener("pageshow", reset);

  start.addEventListener("input", () => {
    const first = Math.min(Number(start.value), count - 1);
    pick(first, Math.max(first, Number(end.value) - 1));
  });
  end.addEventListener("input", () => {
    const last = Math.max(Number(end.value) - 1, 0);
    pick(Math.min(Number(start.value), last), last);
  });
  box.querySelector(".range").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !picked.hidden) link.click();
    else if (event.key === "Escape") reset();
    else return;
    event.preventDefault();
  });

  // The bars are one stop for Tab; arrows go from one to the next.
  const bars = [...chart.querySelectorAll("a")];
  const reach = (bar) => bars.forEach((other) => other.setAttribute("tabindex", other === bar ? 0 : -1));
  reach(bars[0]);
  chart.addEventListener("focusin", (event) => reach(event.target.closest("a")));
  chart.addEventListener("keydown", (event) => {
    const at = bars.indexOf(event.target.closest("a"));
    const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bars.length - 1 };
    const next = bars[steps[event.key]];
    if (!next || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    next.focus();
  });

  // Dragging: it begins once the pointer has left the bar, so that a click is a click.
  let from = -1;
  let dragged = false;
  const slotAt = (event) => {
    const { left, width } = chart.getBoundingClientRect();
    return Math.min(Math.max(Math.floor(((event.clientX - left) / width) * count), 0), count - 1);
  };
  chart.addEventListener("dragstart", (event) => event.preventDefault());
  chart.addEventListener("pointerdown", (event) => {
    dragged = false;
    from = event.button === 0 && event.isPrimary ? slotAt(event) : -1;
  });
  chart.addEventListener("pointermove", (event) => {
    if (from < 0) return;
    const to = slotAt(event);
    if (to !== from && !dragged) {
      dragged = true;
      chart.setPointerCapture(event.pointerId);
    }
    if (dragged) pick(Math.min(from, to), Math.max(from, to));
  });
  const drop = () => {
    from = -1;
    dragged = false;
    reset();
  };
  chart.addEventListener("pointerup", (event) => {
    if (from < 0) return;
    from = -1;
    if (!dragged) return;
    event.preventDefault();
    if (picked.hidden) reset();
    else link.click();
  });
  chart.addEventListener("pointercancel", drop);
  chart.addEventListener("click", (event) => dragged && event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && dragged && from >= 0) drop();
  });
}

// Copying: a button after each text that people take along

function copying() {
  for (const text of document.querySelectorAll("[data-copy]")) {
    const button = make("button", {type: "button", class: "plain"}, "Copy", make("span", {class: "unseen"}, ` ${text.dataset.copy}`));
    const call = text.closest("pre");
    if (call) call.nextElementSibling.prepend(button);
    else text.after(button);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        say("Copied");
        button.firstChild.data = "Copied";
        setTimeout(() => { button.firstChild.data = "Copy"; }, 2000);
      } catch {
        getSelection().selectAllChildren(text); // to be copied by hand
        say("Selected: copy it with the keys of your system");
      }
    });
  }
}

// Article: from mark to mark, words that are looked for, links and citations of a paragraph

// A place in the text, an element or a range, in the middle of the window unless it is in sight.
function reveal(place) {
  const {top, bottom} = place.getBoundingClientRect();
  if (top > innerHeight * 0.15 && bottom < innerHeight * 0.8) return;
  scrollBy({top: top - innerHeight * 0.4});
}

// Steps through places. `show` gets a place, and the one that was shown before or undefined.
function stepper(group, label, show) {
  const text = group.querySelector(".steps-at");
  const links = [...group.querySelectorAll("a, button")];
  let places = [];
  let at = Number(group.dataset.current) - 1;

  function step(by) {
    if (!places.length) return false;
    const before = places[at];
    if (at < 0) {
      // From the paragraph that the reader was led to, unless they have read on.
      const led = document.querySelector(".block:target")?.getBoundingClientRect();
      const top = led && led.bottom > 0 ? led.top : 0;
      const below = places.findIndex((place) => place.getBoundingClientRect().top >= top);
      at = by > 0 ? Math.max(below, 0) : below - 1;
    } else {
      at += by;
    }
    at = (at + places.length) % places.length;
    show(places[at], before, at + 1);
    reveal(places[at]);
    tell();
    say(`${label} ${text.textContent}`);
  }

  function tell() {
    const count = places.length.toLocaleString("en");
    if (at >= 0) text.textContent = `${(at + 1).toLocaleString("en")} of ${count}`;
    else text.textContent = places.length ? `${count} ${places.length === 1 ? "match" : "matches"}` : "";
  }

  // Other places; `first` is the index of the one that is shown already.
  function go(others, first = -1) {
    [places, at] = [others, first];
    tell();
  }

  group.addEventListener("click", (event) => {
    const link = event.target.closest("a, button");
    if (!link || !isPlain(event)) return;
    event.preventDefault();
    step(link === links[0] ? -1 : 1);
  });
  return {step, go, has: () => places.length > 0};
}

// The address of what is shown now, so that it can be sent; browsers refuse many of them at once.
let placed = 0;
function place(anchor) {
  clearTimeout(placed);
  placed = setTimeout(() => {
    const url = new URL(location.href);
    for (const name of ["match", "found"]) url.searchParams.delete(name);
    url.hash = anchor;
    history.replaceState(history.state, "", url);
  }, 300);
}

function marks() {
  const story = document.querySelector(".story");
  if (!story) return;
  document.documentElement.classList.add("scripted");
  const steppers = [];
  const group = document.querySelector('[data-steps="m"]');
  if (group) {
    const all = [...story.querySelectorAll('mark[id^="m"]')];
    const steps = stepper(group, "Match", (mark, before) => {
      before?.classList.remove("current");
      before?.removeAttribute("aria-current");
      mark.classList.add("current");
      mark.setAttribute("aria-current", "true");
      place(mark.id);
    });
    const named = all.findIndex((mark) => `#${mark.id}` === location.hash);
    const first = named < 0 ? Number(group.dataset.current) - 1 : named;
    all[first]?.classList.add("current");
    steps.go(all, first);
    steppers.push(steps);
  }
  const found = finding(story);
  if (found) steppers.unshift(found);
  const step = (by) => steppers.find((each) => each.has())?.step(by) ?? false;
  addKey("In an article", "n", "Next match", () => step(1));
  addKey("In an article", "p", "Match before", () => step(-1));
}

// Characters as people type them: small letters, without accents, each with its place in the text.
function folded(text) {
  if (/^[\x00-\x7f]*$/.test(text)) return [text.toLowerCase().replace(/\s/g, " "), null];
  const parts = [];
  const places = [];
  let at = 0;
  for (const character of text) {
    const plain = character.normalize("NFD").replace(/[\u0300-\u036f\u0640\u064b-\u065f\u0670]/g, "").toLowerCase().replace(/\s/g, " ");
    parts.push(plain);
    for (let unit = 0; unit < plain.length; unit += 1) places.push(at);
    at += character.length;
  }
  places.push(at);
  return [parts.join(""), places];
}

// The text of a paragraph, whose nodes marks divide.
function textOf(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  let length = 0;
  while (walker.nextNode()) {
    nodes.push([walker.currentNode, length]);
    length += walker.currentNode.length;
  }
  const [text, places] = folded(nodes.map(([node]) => node.data).join(""));
  return {nodes, text, places};
}

const MOST_FOUND = 5000; // more help nobody, and slow the browser down

function finding(story) {
  const form = document.querySelector(".find");
  const box = form.elements.namedItem("find");
  const overlay = "highlights" in CSS;
  let texts = null;
  let group = form.querySelector('[data-steps="f"]');
  const fromServer = group !== null;
  if (!group) {
    form.querySelector(".steps-at")?.remove();
    const button = (sign, label) => make("button", {type: "button", "aria-label": label, title: label}, sign);
    group = make("span", {class: "steps", role: "group", "aria-label": "Places found", "data-current": "0", hidden: ""},
      button("‹", "Previous place found"), make("span", {class: "steps-at"}), button("›", "Next place found"));
    form.append(group);
  }
  const steps = stepper(group, "Found", (range, before) => {
    if (range instanceof Range) {
      CSS.highlights.set("found-current", new Highlight(range));
    } else {
      before?.classList.remove("current");
      range.classList.add("current");
    }
  });
  if (fromServer) steps.go([...story.querySelectorAll('mark[id^="f"]')], Number(group.dataset.current) - 1);

  function clear() {
    if (overlay) {
      CSS.highlights.delete("found");
      CSS.highlights.delete("found-current");
    }
    for (const mark of story.querySelectorAll("mark.found")) {
      const parent = mark.parentNode;
      mark.replaceWith(...mark.childNodes);
      parent.normalize();
      texts = null;
    }
  }

  function find() {
    clear();
    const sought = folded(box.value.trim().replace(/\s+/g, " "))[0];
    const ranges = [];
    if (sought) {
      texts ??= [...story.querySelectorAll(".headline, .block > p")].map(textOf);
      for (const each of texts) collect(each, sought, ranges);
    }
    const shown = overlay ? ranges : ranges.reverse().map(wrapped).reverse();
    if (overlay && ranges.length) CSS.highlights.set("found", new Highlight(...ranges));
    if (!overlay) texts = null;
    group.hidden = !sought;
    steps.go(shown);
    const text = group.querySelector(".steps-at");
    if (sought && !ranges.length) text.textContent = "Not in this article";
    if (sought) say(text.textContent);
  }

  function collect({nodes, text, places}, sought, ranges) {
    let node = 0;
    const set = (range, offset, end) => {
      while (node + 1 < nodes.length && nodes[node + 1][1] <= offset - (end ? 1 : 0)) node += 1;
      range[end ? "setEnd" : "setStart"](nodes[node][0], offset - nodes[node][1]);
    };
    for (let at = text.indexOf(sought); at >= 0 && ranges.length < MOST_FOUND; at = text.indexOf(sought, at + sought.length)) {
      const range = new Range();
      const end = at + sought.length;
      set(range, places ? places[at] : at, false);
      set(range, places ? places[end] : end, true);
      ranges.push(range);
    }
  }

  // A range in marks, one for each of its nodes; the first of them.
  function wrapped(range) {
    const walker = document.createTreeWalker(range.commonAncestorContainer, NodeFilter.SHOW_TEXT);
    const nodes = [];
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE && range.intersectsNode(node)) nodes.push(node);
    }
    const pieces = nodes.map((node) => [node, node === range.startContainer ? range.startOffset : 0,
      node === range.endContainer ? range.endOffset : node.length]).filter(([, start, end]) => start < end);
    return pieces.map(([node, start, end]) => {
      const piece = new Range();
      piece.setStart(node, start);
      piece.setEnd(node, end);
      const mark = make("mark", {class: "found"});
      piece.surroundContents(mark);
      return mark;
    })[0];
  }

  let waiting = 0;
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 80);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    if (!steps.has()) find();
    steps.step(1);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      steps.step(-1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      box.value = "";
      find();
      box.blur();
    }
  });
  addKey("In an article", "f", "Find in this article", () => {
    box.focus();
    box.select();
  });
  return steps;
}

// A note that everybody sees for some seconds.
let noted = 0;
function note(text) {
  let line = document.querySelector(".toast");
  if (!line) {
    line = make("p", {class: "toast", role: "status"});
    document.body.append(line);
  }
  line.textContent = text;
  clearTimeout(noted);
  noted = setTimeout(() => line.replaceChildren(), 5000);
}

function citing() {
  const form = document.querySelector(".cite form");
  if (!form) return;

  // Number of the paragraph that the reader is at: selected, focused, stepped to, or the first in sight.
  function here() {
    const selected = getSelection();
    const places = [selected.isCollapsed ? null : selected.anchorNode?.parentElement, document.activeElement,
      document.querySelector(".story mark.current"), document.querySelector(".block:target")];
    const block = places.map((each) => each?.closest?.(".block")).find(Boolean);
    if (block) return Number(block.id.slice(1));
    if (scrollY < 100) return 0;
    const first = [...document.querySelectorAll(".block")].find((each) => each.getBoundingClientRect().bottom > innerHeight * 0.2);
    return first ? Number(first.id.slice(1)) : 0;
  }

  async function cite(n) {
    const address = new URL(form.action);
    address.search = new URLSearchParams([...new FormData(form)].filter(([name]) => name !== "cite"));
    address.searchParams.set("cite", n);
    const file = new URL(address);
    file.searchParams.set("format", "citation");
    file.hash = "";
    const text = fetch(file).then(async (answer) => {
      if (!answer.ok) throw new Error(answer.statusText);
      return new Blob([await answer.text()], {type: "text/plain"});
    });
    try {
      await navigator.clipboard.write([new ClipboardItem({"text/plain": text})]);
      note(n ? `Citation of paragraph ${n} copied` : "Citation of the article copied");
    } catch {
      location.assign(address); // there it can be copied by hand
    }
  }

  addKey("In an article", "c", "Copy a citation of this paragraph", () => { cite(here()); });
  document.querySelector(".story").addEventListener("click", async (event) => {
    const link = event.target.closest(".anchor");
    if (!link || !isPlain(event)) return;
    event.preventDefault();
    location.replace(link.href); // no step of its own on the way back
    try {
      const own = document.querySelector('link[rel="canonical"]').href;
      await navigator.clipboard.writeText(`${own}${link.hash}`);
      note(`Link to paragraph ${link.hash.slice(2)} copied`);
    } catch {
      note("The link is in the address bar");
    }
  });
}

for (const start of [back, suggestions, keys, results, filters, dates, marks, citing, copying]) start();
