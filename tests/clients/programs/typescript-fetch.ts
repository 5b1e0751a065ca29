import {
  ArticlesApi,
  ChangesApi,
  Configuration,
  ResponseError,
  SearchApi,
  WithdrawalsApi,
  type SearchArguments,
} from "./nutgraf/index.js";

const configuration = new Configuration({ basePath: "http://127.0.0.1:8000" });
const articles = new ArticlesApi(configuration);
const searches = new SearchApi(configuration);
const ids: string[] = [];
let cursor: string | undefined;
do {
  const page = await searches.search({ q: "harbour", limit: 1, cursor });
  for (const hit of page.hits) if (hit.unit === "article") ids.push(hit.id);
  cursor = page.next ?? undefined;
} while (cursor);
console.log(ids.sort().join(" "));
const searchArguments: SearchArguments = {
  q: "harbour",
  exclude: { source: ["Harbour Desk"] },
  fields: ["subjects", "published"],
};
const [hit] = (await searches.searchByBody({ searchArguments })).hits;
if (hit.unit !== "article") throw new Error(hit.unit);
console.log(hit.id, ...(hit.subjects ?? []), hit.published?.getUTCFullYear());
const articleId = "desk/tram";
const articleBody = { headline: "Tram", paragraphs: ["By a mile."], subjects: ["transport"] };
const put = await articles.putArticle({ articleId, articleBody });
console.log(put.results[0].status);
const article = await articles.getArticle({ articleId });
console.log(article.headline, ...(article.subjects ?? []), article.paragraphs[1].text);
const posted = await articles.postArticles({
  articleOrList: ["a", "b"].map((id) => ({ id, headline: id, paragraphs: ["Text."] })),
});
console.log(posted.results.map((result) => result.status).join(" "));
const killed = await new WithdrawalsApi(configuration).killArticle({
  articleId,
  killArguments: { note: "No." },
});
console.log(killed.id, killed.notices[0].note);
try {
  await articles.getArticle({ articleId });
} catch (error) {
  if (!(error instanceof ResponseError)) throw error;
  console.log((await error.response.json()).code);
}
const changes = new ChangesApi(configuration);
for (let since = "0", more = true; more; ) {
  const page = await changes.listChanges({ since, limit: 2 });
  for (const change of page.changes) console.log(change.seq, change.type, change.id);
  [since, more] = [String(page.next), page.more];
}
