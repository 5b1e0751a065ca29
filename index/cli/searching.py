"""Commands that read articles: search, get, original and export."""

from __future__ import annotations

from argparse import Namespace
from collections import defaultdict
from datetime import UTC, datetime

from index.access import Validity, published_form, visible
from index.cli.export_target import export_target
from index.cli.running import open_archive
from index.cli.showing import show_answer, show_article
from index.cli.terminal import Screen, count, is_stdout, output
from index.query import Filter, Request, Scope, Sort, Unit
from index.rendering import answer_document, article_document, representation
from index.settings import Settings

EXPORT_BATCH = 100  # articles; promised: at most so many follow a kill


def search(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Search the articles and print the hits."""
    request = Request(
        q=" ".join(args.q),
        within=args.within,
        scope=Scope(args.scope),
        unit=Unit(args.unit),
        filters=_filters(args),
        since=args.since,
        until=args.until,
        date=args.date,
        tz=args.tz,
        sort=None if args.sort is None else Sort(args.sort),
        limit=args.limit,
        page=args.page,
        cursor=args.cursor,
        facets=tuple(args.facet),
        facet_size=args.facet_size,
        passages=args.passages,
        passage_length=args.passage_length,
        fields=args.fields,
        strict=args.strict,
        explain=args.explain,
    )
    with open_archive(settings) as archive:
        answer = archive.search(request)
    if screen.as_json:
        screen.json(answer_document(answer, request))
    else:
        show_answer(screen, answer, request.facets)
    return 0


def get(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Print one article."""
    with open_archive(settings) as archive:
        view = archive.get(args.id, version=args.version, q=args.q)
    if screen.as_json:
        screen.json(article_document(view, args.q))
    else:
        show_article(screen, view, args.q)
    return 0


def original(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Write the original bytes of a version to stdout."""
    with open_archive(settings) as archive, output(None) as out:
        out.write(archive.original(args.id, version=args.version).data)
    return 0


def export(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Write the current articles, in the order of their ids.

    Each batch of a hundred is read from the store as it is then: an export takes
    minutes, and an article that is killed meanwhile must not be written at its end.
    """
    written, chosen = 0, representation(args.format)
    with (
        open_archive(settings) as archive,
        export_target(args.output, chosen) as target,
        screen.bars() as bars,
    ):
        after, task = "", bars.add_task("export", total=archive.counts().articles)
        while page := archive.page(after, EXPORT_BATCH):
            after, now = page[-1].id, datetime.now(UTC)
            for article in page:
                if args.all or visible(article, now):
                    exported = article
                    if not args.all:
                        exported = published_form(article, Validity(now))
                    target.put(article.id, chosen.write(exported, settings))
                    written += 1
                bars.advance(task)
            target.flush()
    if not is_stdout(args.output):
        if screen.as_json:
            screen.json({"articles": written, "file": args.output})
        else:
            screen.line(f"{count(written, 'article')} to {args.output}")
    return 0


def _filters(args: Namespace) -> tuple[Filter, ...]:
    """The filters of ``--filter``, ``--exclude`` and ``--missing``."""
    filters = []
    for pairs, exclude in ((args.filter, False), (args.exclude, True)):
        values_of: defaultdict[str, list[str]] = defaultdict(list)
        for field, value in pairs:
            values_of[field].append(value)
        filters += [
            Filter(field=field, values=tuple(values), exclude=exclude)
            for field, values in values_of.items()
        ]
    filters += [Filter(field=field, missing=True) for field in args.missing]
    return tuple(filters)
