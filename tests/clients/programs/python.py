from nutgraf_client import Client
from nutgraf_client.api.articles import get_article, put_article
from nutgraf_client.api.changes import list_changes
from nutgraf_client.api.search import search, search_by_body
from nutgraf_client.api.withdrawals import kill_article
from nutgraf_client.models import (
    ArticleBody,
    ArticleHit,
    KillArguments,
    ListedArticle,
    SearchArguments,
    SearchArgumentsExclude,
    SearchArgumentsFieldsItem,
    WriteAnswer,
)

client = Client(base_url="http://127.0.0.1:8000")
ids, cursor = [], None
while not ids or cursor:
    more = {"cursor": cursor} if cursor else {}
    page = search.sync(client=client, q="harbour", limit=1, **more)
    ids += [hit.id for hit in page.hits if isinstance(hit, ArticleHit)]
    cursor = page.next_
print(*sorted(ids))
query = SearchArguments(
    q="harbour",
    exclude=SearchArgumentsExclude(source=["Harbour Desk"]),
    fields=[SearchArgumentsFieldsItem.SUBJECTS, SearchArgumentsFieldsItem.PUBLISHED],
)
(hit,) = search_by_body.sync(client=client, body=query).hits
print(hit.id, *hit.subjects, hit.published.year)
body = ArticleBody(headline="Tram", paragraphs=["By a mile."], subjects=["transport"])
put = put_article.sync("desk/tram", client=client, body=body)
print(put.results[0].status.value)
article = get_article.sync("desk/tram", client=client)
print(article.headline, *article.subjects, article.paragraphs[1].text)
articles = [
    ListedArticle(id=name, headline=name, paragraphs=["Text."]) for name in "ab"
]
# A function of this client that takes a list fails, so the list is sent by its httpx.
answer = client.get_httpx_client().post(
    "/v1/articles", json=[article.to_dict() for article in articles]
)
posted = WriteAnswer.from_dict(answer.json())
print(*[result.status.value for result in posted.results])
killed = kill_article.sync("desk/tram", client=client, body=KillArguments(note="No."))
print(killed.id, killed.notices[0].note)
print(getattr(get_article.sync("desk/tram", client=client), "code", None))
since, more = "0", True
while more:
    page = list_changes.sync(client=client, since=since, limit=2)
    for change in page.changes:
        print(change.seq, change.type_.value, change.id)
    since, more = str(page.next_), page.more
