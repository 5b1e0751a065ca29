// Shows openapi.json, and tries searches. Everything that comes from the service is put
// into the page as text, never as markup.
"use strict";

const byId = (id) => document.getElementById(id);

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// --- the key ---

// It lives in this field, as long as the page is open, and is sent as a header: addresses
// are kept in histories and logs.
const withKey = () => (byId("key").value ? { headers: { "X-API-Key": byId("key").value } } : {});

// A link cannot send a header, so with a key its answer is shown here.
async function show(event) {
  if (!byId("key").value) return;
  event.preventDefault();
  const address = event.currentTarget.getAttribute("href");
  const answer = byId("answer");
  asked(address);
  try {
    const response = await fetch(address, withKey());
    answer.replaceChildren(element("pre", {}, JSON.stringify(await response.json(), null, 2)));
  } catch (error) {
    answer.replaceChildren(element("p", { className: "warning" }, `No answer: ${error.message}`));
  }
}

function asked(address) {
  const request = byId("request");
  const link = element("a", { href: address }, address);
  link.addEventListener("click", show);
  request.hidden = false;
  request.replaceChildren("GET ", link);
  byId("answer").hidden = false;
}

// --- a search to try ---

// Marks are spans of code points; JavaScript counts UTF-16 units.
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

function hit(found) {
  const article = found.article || found;
  const passages = found.passages || [found];
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

function facet(name, counted) {
  const buttons = counted.values.map((value) => {
    const button = element("button", { type: "button" }, `${value.value} ${value.count}`);
    button.setAttribute("aria-pressed", String(value.active));
    button.addEventListener("click", () => ask(value.url));
    return button;
  });
  return buttons.length
    ? element("div", { className: "facets" }, element("span", { className: "meta" }, name), ...buttons)
    : "";
}

function shown(answer) {
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
  for (const [name, counted] of Object.entries(answer.facets)) parts.push(facet(name, counted));
  parts.push(...answer.hits.map(hit));
  if (answer.next_url) {
    const more = element("button", { type: "button" }, "Next page");
    more.addEventListener("click", () => ask(answer.next_url));
    parts.push(more);
  }
  return parts;
}

async function ask(address) {
  const answer = byId("answer");
  asked(address);
  try {
    const response = await fetch(address, withKey());
    const body = await response.json();
    answer.replaceChildren(
      ...(response.ok
        ? shown(body)
        : [element("p", { className: "warning" }, `${response.status} ${body.code}: ${body.detail}`)]),
    );
  } catch (error) {
    answer.replaceChildren(element("p", { className: "warning" }, `No answer: ${error.message}`));
  }
}

byId("try").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = new URLSearchParams({ q: byId("q").value });
  if (byId("unit").value !== "article") given.set("unit", byId("unit").value);
  given.append("facet", "source");
  given.append("facet", "section");
  ask(`v1/search?${given}`);
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

// Every filter comes three times for each field: one row says it all.
function withoutRepeats(parameters) {
  const seen = parameters.filter(({ name }) => !/^(exclude|missing)\./.test(name));
  const filters = parameters.length - seen.length;
  return filters
    ? [
        ...seen,
        { name: "exclude.FIELD", schema: { type: "string" }, description: "no article with this value, for each field above that is a filter" },
        { name: "missing.FIELD", schema: { type: "boolean" }, description: "articles without a value, likewise" },
      ]
    : seen;
}

function operation(path, method, described) {
  const parameters = withoutRepeats(described.parameters || []);
  const answers = Object.entries(described.responses || {}).map(([status, answer]) =>
    element("tr", {}, element("td", {}, status), element("td", { className: "about" }, answer.description || "")),
  );
  const inside = element("div");
  if (described.security) {
    const scope = Object.values(described.security[0])[0].join(", ");
    inside.append(element("p", { className: "about" }, `Scope: ${scope}`));
  }
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

async function describe() {
  const described = await (await fetch("openapi.json")).json();
  const sections = described.tags.map((tag) => {
    const made = element("section", {}, element("h2", {}, tag.description || tag.name));
    for (const [path, item] of Object.entries(described.paths)) {
      for (const [method, each] of Object.entries(item)) {
        if (Array.isArray(each.tags) && each.tags.includes(tag.name)) {
          each.parameters = [...(item.parameters || []), ...(each.parameters || [])];
          made.append(operation(path, method, each));
        }
      }
    }
    return made;
  });
  byId("operations").replaceChildren(
    ...sections,
    element("p", {}, "All of it for machines: ", element("a", { href: "openapi.json" }, "openapi.json")),
  );
  const codes = described.components.schemas.Problem.properties.code.enum;
  byId("codes").replaceChildren(...codes.map((code) => element("li", { id: code }, element("code", {}, code))));
  if (location.hash) location.hash = location.hash; // what it names has only now been made
}

describe().catch((error) => byId("operations").replaceChildren(`openapi.json cannot be read: ${error.message}`));
