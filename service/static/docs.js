// Shows openapi.json and runs searches. Everything from the service is inserted into the
// page as text, never as markup.
"use strict";

const byId = (id) => document.getElementById(id);

function element(tag, properties = {}, ...children) {
  const created = Object.assign(document.createElement(tag), properties);
  created.append(...children);
  return created;
}

// --- the key ---

// It is only in this field, as long as the page is open, and is sent as a header: browser
// histories and logs keep addresses.
const withKey = () => (byId("key").value ? { headers: { "X-API-Key": byId("key").value } } : {});

// A link cannot send a header, so with a key its answer is shown in the page.
async function show(event) {
  if (!byId("key").value) return;
  event.preventDefault();
  const address = event.currentTarget.getAttribute("href");
  const answer = byId("answer");
  showRequest(address);
  try {
    const response = await fetch(address, withKey());
    answer.replaceChildren(element("pre", {}, JSON.stringify(await response.json(), null, 2)));
  } catch (error) {
    answer.replaceChildren(element("p", { className: "warning" }, `No answer: ${error.message}`));
  }
}

function showRequest(address) {
  const request = byId("request");
  const link = element("a", { href: address }, address);
  link.addEventListener("click", show);
  request.hidden = false;
  request.replaceChildren("GET ", link);
  byId("answer").hidden = false;
}

// --- a search to try ---

// Marks are spans of code points; JavaScript counts in UTF-16 code units.
function marked(text, marks) {
  const points = Array.from(text);
  const parts = [];
  let at = 0;
  for (const [start, end] of marks) {
    parts.push(points.slice(at, start).join(""));
    parts.push(element("mark", {}, points.slice(start, end).join("")));
    at = end;
  }
  parts.push(points.slice(at).join(""));
  return parts;
}

function showHit(hit) {
  const article = hit.article || hit;
  const passages = hit.passages || [hit];
  const facts = [article.source, article.section, (article.published || "").slice(0, 10)];
  const link = element(
    "a",
    { href: `v1/articles/${encodeURIComponent(article.id)}?q=${encodeURIComponent(byId("q").value)}` },
    article.headline || article.id,
  );
  link.addEventListener("click", show);
  return element(
    "article",
    { className: "hit" },
    element("h3", {}, link),
    element("div", { className: "meta" }, facts.filter(Boolean).join(" · ")),
    ...passages
      .filter((passage) => passage.n !== 0)
      .map((passage) => element("p", {}, ...marked(passage.text, passage.marks))),
  );
}

function showFacet(name, facet) {
  const buttons = facet.values.map((value) => {
    const button = element("button", { type: "button" }, `${value.value} ${value.count}`);
    button.setAttribute("aria-pressed", String(value.active));
    button.addEventListener("click", () => search(value.url));
    return button;
  });
  return buttons.length
    ? element("div", { className: "facets" }, element("span", { className: "meta" }, name), ...buttons)
    : "";
}

function showAnswer(answer) {
  const { query, total } = answer;
  const parts = [];
  for (const warning of query.warnings) {
    parts.push(element("p", { className: "warning" }, warning.detail));
  }
  parts.push(
    element(
      "p",
      { className: "summary" },
      `${total.articles.toLocaleString("en")} articles, ${total.paragraphs.toLocaleString("en")} paragraphs, ${answer.took_ms} ms`,
      query.understood ? ` · understood as ${query.understood}` : "",
    ),
  );
  if (query.did_you_mean) {
    const other = element("button", { type: "button" }, query.did_you_mean);
    other.addEventListener("click", () => {
      byId("q").value = query.did_you_mean;
      byId("try").requestSubmit();
    });
    parts.push(element("p", {}, "Did you mean ", other));
  }
  for (const [name, facet] of Object.entries(answer.facets)) parts.push(showFacet(name, facet));
  parts.push(...answer.hits.map(showHit));
  if (answer.next_url) {
    const more = element("button", { type: "button" }, "Next page");
    more.addEventListener("click", () => search(answer.next_url));
    parts.push(more);
  }
  return parts;
}

async function search(address) {
  const answer = byId("answer");
  showRequest(address);
  try {
    const response = await fetch(address, withKey());
    const body = await response.json();
    answer.replaceChildren(
      ...(response.ok
        ? showAnswer(body)
        : [element("p", { className: "warning" }, `${response.status} ${body.code}: ${body.detail}`)]),
    );
  } catch (error) {
    answer.replaceChildren(element("p", { className: "warning" }, `No answer: ${error.message}`));
  }
}

byId("try").addEventListener("submit", (event) => {
  event.preventDefault();
  const parameters = new URLSearchParams({ q: byId("q").value });
  if (byId("unit").value !== "article") parameters.set("unit", byId("unit").value);
  parameters.append("facet", "source");
  parameters.append("facet", "section");
  search(`v1/search?${parameters}`);
});

// --- the document ---

function typeOf(schema) {
  if (!schema) return "";
  if (schema.enum) return schema.enum.filter((value) => value !== null).join(" | ");
  if (schema.type === "array") return `${typeOf(schema.items)}, repeatable`;
  const bounds = [schema.minimum, schema.maximum].some((bound) => bound !== undefined)
    ? ` ${schema.minimum ?? ""}–${schema.maximum ?? ""}`
    : "";
  return `${[schema.type].flat().join(" | ")}${bounds}`;
}

function parameterRow(parameter) {
  const schema = parameter.schema || {};
  const fallback = schema.default === undefined ? "" : ` (${schema.default})`;
  return element(
    "tr",
    {},
    element("td", {}, element("code", {}, parameter.name), parameter.required ? " required" : ""),
    element("td", {}, typeOf(schema) + fallback),
    element("td", { className: "about" }, parameter.description || schema.description || ""),
  );
}

// Each field has three filters: one row describes all exclude., one all missing.
function withoutRepeats(parameters) {
  const distinct = parameters.filter(({ name }) => !/^(exclude|missing)\./.test(name));
  const filters = parameters.length - distinct.length;
  return filters
    ? [
        ...distinct,
        { name: "exclude.FIELD", schema: { type: "string" }, description: "no articles with this value; for each filter above" },
        { name: "missing.FIELD", schema: { type: "boolean" }, description: "articles without a value; for each filter above" },
      ]
    : distinct;
}

function operation(path, method, described) {
  const parameters = withoutRepeats(described.parameters || []);
  const answers = Object.entries(described.responses || {}).map(([status, answer]) =>
    element("tr", {}, element("td", {}, status), element("td", { className: "about" }, answer.description || "")),
  );
  const inside = element("div");
  // Each alternative names a way to send a key, and the scopes that this key needs.
  const scopes = new Set(described.security.flatMap((way) => Object.values(way)).flat());
  const needed = scopes.size ? `Scope: ${[...scopes].join(" or ")}` : "No key is needed.";
  inside.append(element("p", { className: "about" }, needed));
  if (described.requestBody) {
    const types = Object.keys(described.requestBody.content).join(", ");
    inside.append(element("p", { className: "about" }, `Body: ${types}. ${described.requestBody.description || ""}`));
  }
  if (parameters.length) inside.append(element("table", {}, ...parameters.map(parameterRow)));
  inside.append(element("table", {}, ...answers));
  return element(
    "details",
    {},
    element(
      "summary",
      {},
      element("span", { className: "method" }, method.toUpperCase()),
      element("code", {}, path),
      " ",
      element("span", { className: "what" }, described.summary || ""),
      described.deprecated ? " (deprecated)" : "",
    ),
    inside,
  );
}

// What several operations share is in the document once, and referred to by its path.
function resolved(openapi, part) {
  return part.$ref ? part.$ref.split("/").slice(1).reduce((at, name) => at[name], openapi) : part;
}

async function describe() {
  const openapi = await (await fetch("openapi.json")).json();
  const whole = (part) => resolved(openapi, part);
  const sections = openapi.tags.map((tag) => {
    const section = element("section", {}, element("h2", {}, tag.description || tag.name));
    for (const [path, item] of Object.entries(openapi.paths)) {
      for (const [method, described] of Object.entries(item)) {
        if (Array.isArray(described.tags) && described.tags.includes(tag.name)) {
          described.security ??= openapi.security || [];
          described.parameters = [...(item.parameters || []), ...(described.parameters || [])].map(whole);
          described.requestBody &&= whole(described.requestBody);
          for (const [status, answer] of Object.entries(described.responses)) described.responses[status] = whole(answer);
          section.append(operation(path, method, described));
        }
      }
    }
    return section;
  });
  byId("operations").replaceChildren(
    ...sections,
    element("p", {}, "The same for programs: ", element("a", { href: "openapi.json" }, "openapi.json")),
  );
  const codes = openapi.components.schemas.Problem.properties.code.enum;
  byId("codes").replaceChildren(...codes.map((code) => element("li", { id: code }, element("code", {}, code))));
  if (location.hash) location.hash = location.hash; // its target exists only now
}

describe().catch((error) => byId("operations").replaceChildren(`openapi.json cannot be read: ${error.message}`));
