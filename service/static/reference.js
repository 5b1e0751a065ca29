// The reference of the API: finding an operation, and calling it. Only its page loads this.
// The page is whole without it. What the service answers is shown as text, never as markup.
// A module: its names are its own, and those of page.js are here, too.

function element(tag, properties = {}, ...children) {
  const created = Object.assign(document.createElement(tag), properties);
  created.append(...children);
  return created;
}

// Finding: the box above the contents hides what does not have all of its words.

const entries = [...document.querySelectorAll("[data-entry]")].map((entry) => {
  const names = [...entry.querySelectorAll("h3, .summary, .twin, .operation-name, .parameters .name, .parameters .values, dt, dd > b")];
  const links = [...document.querySelectorAll(`.chapters ul a[href="#${CSS.escape(entry.id)}"]`)];
  return { entry, links, text: names.map((name) => name.textContent).join(" ").toLowerCase() };
});

function finding() {
  const input = element("input", { type: "search", id: "find", placeholder: "Find an operation  /", autocomplete: "off", spellcheck: false });
  input.setAttribute("aria-label", "Find an operation, a parameter or a problem");
  const count = element("p");
  count.setAttribute("role", "status");
  document.querySelector(".find").append(input, count);

  function narrow() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { entry, links, text } of entries) {
      const fits = words.every((word) => text.includes(word));
      entry.hidden = !fits;
      for (const link of links) link.parentElement.hidden = !fits;
      if (fits) shown += 1;
    }
    for (const part of document.querySelectorAll("main .status, main .chapter, .old")) {
      // A chapter without entries is not narrowed, so it is left out.
      part.hidden = words.length > 0 && !part.querySelector("[data-entry]:not([hidden])");
    }
    for (const old of document.querySelectorAll(".old")) old.open = words.length > 0;
    for (const item of document.querySelectorAll(".chapters > li")) {
      const chapter = document.querySelector(item.firstElementChild.hash);
      item.hidden = chapter !== null && chapter.hidden;
    }
    count.textContent = words.length === 0 ? "" : shown === 0 ? "Nothing has these words" : `${shown} found`;
  }

  function clear() {
    if (input.value === "") return;
    input.value = "";
    narrow();
  }

  // What a link leads to is shown, also if it was hidden. All ids of this page are plain letters.
  function reveal() {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.closest("[hidden]")) clear();
    const around = target.closest("details");
    if (around) around.open = true;
    target.scrollIntoView();
  }

  input.addEventListener("input", narrow);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") clear();
    if (event.key !== "Enter") return;
    const first = entries.find(({ entry }) => !entry.hidden);
    if (first && input.value) location.hash = first.entry.id;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.defaultPrevented || !keysAreOn() || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();
}

// Place: the contents show which operation is being read.

function place() {
  const linkOf = new Map(entries.filter(({ links }) => links.length).map(({ entry, links }) => [entry, links[0]]));
  const seen = new Set();
  let current = null;
  const watcher = new IntersectionObserver(
    (changes) => {
      for (const { target, isIntersecting } of changes) isIntersecting ? seen.add(target) : seen.delete(target);
      const first = [...linkOf.keys()].find((entry) => seen.has(entry));
      const link = first ? linkOf.get(first) : null;
      if (link === current) return;
      current?.removeAttribute("aria-current");
      current = link;
      if (!link) return;
      link.setAttribute("aria-current", "location");
      const list = document.querySelector(".contents");
      const { top, bottom } = link.getBoundingClientRect();
      if (top < 0 || bottom > list.clientHeight) list.scrollTop += top - list.clientHeight / 2;
    },
    { rootMargin: "-10% 0px -70% 0px" },
  );
  for (const entry of linkOf.keys()) watcher.observe(entry);
}

// Calls: GETs of this service alone. The key is in memory as long as the page is open, and
// is sent as a header: histories and logs keep addresses.

const LONGEST = 200_000; // bytes of an answer that are read and shown
const HEADERS = ["content-type", "etag", "last-modified", "link", "retry-after", "ratelimit", "ratelimit-policy", "deprecation", "sunset", "x-request-id"];
const { root } = document.querySelector(".guide").dataset; // path of the service
const keys = new Set(); // the fields of the key, which all have the same text
let newest = null; // the id of an article, once one was looked up

function keyHeaders() {
  const [field] = keys;
  return field?.value ? { "X-API-Key": field.value } : {};
}

function get(address, signal) {
  const url = new URL(root + address, location.origin);
  if (!address.startsWith("/") || url.origin !== location.origin) throw new TypeError("Start the address with a slash.");
  return fetch(url, { headers: keyHeaders(), credentials: "omit", cache: "no-store", signal });
}

// An example of an article needs an article: the newest that this caller may see.
async function withArticle(address) {
  if (!/\/ID(?=[/?]|$)/.test(address)) return address;
  if (newest === null) {
    const answer = await get("/v1/search?limit=1");
    const hit = answer.ok ? (await answer.json()).hits[0] : null;
    if (!hit) return address;
    newest = hit.id;
  }
  return address.replace(/\/ID(?=[/?]|$)/, () => `/${encodeURIComponent(newest)}`);
}

async function textOf(response) {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let read = 0; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    read += value.length;
    text += decoder.decode(value, { stream: true });
    if (read < LONGEST) continue;
    await reader.cancel();
    return { text: `${text.slice(0, LONGEST)}\n…`, whole: false };
  }
  return { text: text + decoder.decode(), whole: true };
}

function pretty(text, type) {
  if (!/\bjson$/.test(type.split(";")[0])) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // it was cut
  }
}

function trial(example) {
  const line = element("input", { value: example, autocomplete: "off", autocapitalize: "none", spellcheck: false });
  const key = element("input", { type: "password", autocomplete: "off", spellcheck: false, value: [...keys][0]?.value ?? "" });
  const run = element("button", { className: "button" }, "Call");
  const outcome = element("p", { className: "outcome" });
  const headers = element("div", { className: "answer-headers" });
  const body = element("pre", { className: "answer", tabIndex: 0, hidden: true });
  body.setAttribute("role", "group");
  body.setAttribute("aria-label", "Answer");
  outcome.setAttribute("role", "status");
  keys.add(key);
  key.addEventListener("input", () => {
    for (const other of keys) other.value = key.value;
  });
  const form = element(
    "form",
    { className: "trial" },
    element("label", {}, "GET", line),
    element("div", { className: "trial-line" }, element("label", {}, "Key, if one is needed", key), run),
    outcome,
    headers,
    body,
  );
  let under = null; // the call under way
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    under?.abort();
    const own = (under = new AbortController());
    outcome.textContent = "…";
    const started = performance.now();
    try {
      line.value = await withArticle(line.value.trim());
      const response = await get(line.value, own.signal);
      const { text, whole } = await textOf(response);
      if (under !== own) return;
      const time = Math.round(performance.now() - started);
      outcome.replaceChildren(element("strong", {}, `${response.status} ${response.statusText}`), ` in ${time} ms, ${whole ? "" : "the first "}${text.length.toLocaleString("en")} characters`);
      if (response.status === 401) outcome.append(". Enter a key and call again.");
      headers.replaceChildren(...HEADERS.filter((name) => response.headers.has(name)).map((name) => element("div", {}, `${name}: ${response.headers.get(name)}`)));
      body.textContent = pretty(text, response.headers.get("content-type") ?? "");
      body.hidden = false;
    } catch (error) {
      if (under === own) outcome.textContent = `No answer: ${error.message}`;
    }
  });
  return { form, line };
}

function calls() {
  for (const example of document.querySelectorAll(".example pre")) {
    const head = example.parentElement.querySelector(".example-head");
    const buttons = element("span");
    head.append(buttons);
    if (navigator.clipboard) {
      const copy = element("button", { type: "button", className: "small" }, "Copy");
      copy.addEventListener("click", async () => {
        await navigator.clipboard.writeText(example.textContent);
        copy.textContent = "Copied";
      });
      buttons.append(copy);
    }
    if (example.dataset.try === undefined) continue;
    const open = element("button", { type: "button", className: "small" }, "Try it");
    open.addEventListener("click", () => {
      const { form, line } = trial(example.dataset.try);
      example.after(form);
      open.remove();
      line.focus();
      form.requestSubmit();
    });
    buttons.append(open);
  }
}

// The query box also shows what the API answers.

function box() {
  const form = document.querySelector("#query .ask");
  const place = document.querySelector("#query .ask-more");
  const show = element("button", { type: "button", className: "small" }, "Show the answer in JSON");
  let shown = null;
  show.addEventListener("click", () => {
    const address = `/v1/search?${new URLSearchParams({ q: form.elements.q.value, limit: "3" })}`;
    if (shown === null) place.append((shown = trial(address)).form);
    shown.line.value = address;
    shown.form.requestSubmit();
  });
  place.append(show);
}

for (const start of [finding, place, calls, box]) start();
