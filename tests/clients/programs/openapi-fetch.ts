import createClient from "openapi-fetch";
import type { components, paths } from "./nutgraf.js";

type Media = "application/json" | "application/problem+json";
const client = createClient<paths, Media>({ baseUrl: "http://127.0.0.1:8000" });

function given<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const ids: string[] = [];
let cursor: string | undefined;
do {
  const query = { q: "harbour", limit: 1, cursor };
  const page = given(await client.GET("/v1/search", { params: { query } }));
  for (const hit of page.hits) if (hit.unit === "article") ids.push(hit.id);
  cursor = page.next ?? undefined;
} while (cursor);
console.log(ids.sort().join(" "));
const search: components["schemas"]["SearchArguments"] = {
  q: "harbour",
  exclude: { source: ["Harbour Desk"] },
  fields: ["subjects", "published"],
};
const [hit] = given(await client.POST("/v1/search", { body: search })).hits;
if (hit.unit !== "article") throw new Error(hit.unit);
const published = new Date(hit.published ?? "");
console.log(hit.id, ...(hit.subjects ?? []), published.getUTCFullYear());
const one = { params: { path: { article_id: "desk/tram" } } };
const body = { headline: "Tram", paragraphs: ["By a mile."], subjects: ["transport"] };
const put = given(await client.PUT("/v1/articles/{article_id}", { ...one, body }));
console.log(put.results[0].status);
const article = given(await client.GET("/v1/articles/{article_id}", one));
console.log(article.headline, ...(article.subjects ?? []), article.paragraphs[1].text);
const articles: components["schemas"]["ArticleOrList"] = ["a", "b"].map((id) => ({
  id,
  headline: id,
  paragraphs: ["Text."],
}));
const posted = given(await client.POST("/v1/articles", { body: articles }));
console.log(posted.results.map((result) => result.status).join(" "));
const killed = given(
  await client.POST("/v1/articles/{article_id}/kill", { ...one, body: { note: "No." } }),
);
console.log(killed.id, killed.notices[0].note);
const gone = await client.GET("/v1/articles/{article_id}", one);
console.log(gone.error?.code);
for (let since = "0", more = true; more; ) {
  const query = { since, limit: 2 };
  const page = given(await client.GET("/v1/changes", { params: { query } }));
  for (const change of page.changes) console.log(change.seq, change.type, change.id);
  [since, more] = [String(page.next), page.more];
}
