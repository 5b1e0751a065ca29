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
  const title = make("h2", {id: "keys-title"}, "Keys");
  const rows = make("div", {class: "keys-rows"});
  const setting = make("input", {type: "checkbox", id: "keys-on"});
  const shut = make("button", {type: "button", class: "button", autofocus: ""}, "Close");
  const help = make("dialog", {class: "keys", "aria-labelledby": title.id}, title, rows,
    make("p", {class: "keys-setting"}, setting, make("label", {for: setting.id}, "Single keys work on this page")), shut);
  const opener = make("button", {type: "button", class: "plain"}, "Keys");
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
  addKey("Everywhere", "?", "Show these keys", show);
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

for (const start of [back, suggestions, keys, results, copying]) start();
