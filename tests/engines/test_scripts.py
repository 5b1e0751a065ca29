"""Scripts: which spellings find each other, in every engine alike."""

from __future__ import annotations

from datetime import UTC

import pytest
from articles import article
from engines.kinds import ENGINES, NOW, open_empty
from engines.searches import fill, matching_ids, search
from faults.amounts import amount
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.engines import Engine
from index.query import Exact, Fuzzy, Near, Phrase, Prefix, Query, Term, grammar
from index.settings import Settings
from index.text import exact_forms, fold_text, query_forms


def typed(text: str) -> Query:
    return grammar.parse(text, settings=Settings(), tz=UTC, now=NOW).query


# The language of an article, its text, queries that find it, queries that do not.
TEXTS = [
    (None, "عام ١٢٣", "123 ۱۲۳ =123 १२३", "12"),
    ("th", "ปี ๒๕๖๓", "2563 =๒๕๖๓ 256*", "25"),
    ("ar", "قَالَ الرَّئِيسُ", "الرئيس =الرئيس قال الرييس", "=الرييس"),
    (None, "الحكومة الجديدة", "الحكومه الحكومة الحكو* =الحكومة", "=الحكومه"),
    ("ar", "الحكومة الجديدة", "حكومه الحكومه حكومة الجديده", "=حكومة"),
    ("fa", "رئیس جمهور ایران", "رييس ايران =ایران ايرن~1 رئیس", "=ايران كتاب"),
    ("ckb", "رۆژنامەی کوردی", "ڕۆژنامه‌ی كوردي", "=كوردي"),
    (None, "رۆژ", "رۆژ", "ڕۆژ"),
    ("he", "שָׁלוֹם לְכֻלָּם", "שלום =שלום לכולם~1", "לכולם"),
    ("he", 'יו"ר צה״ל אמר', 'יו"ר צה"ל =צה"ל -דו"ח headline:צה"ל', 'צה"לי -יו"ר'),
    ("he", 'יו"ר צה״ל אמר', '"צה"ל אמר"', '"אמר צה"ל"'),
    ("hi", "हिन्दी में चाँद", "हिंदी चांद =हिन्दी हिन्दी*", "=हिंदी मीना"),
    ("mr", "सम्बन्ध ज़रूर", "संबंध जरूर", "=जरूर"),
    ("bn", "পাঞ্জাব হঠাৎ", "পাংজাব হঠাত্", "=পাংজাব"),
    ("ml", "അവൻ വന്നു", "അവന്‍ അവൻ", "അവൾ"),
    ("ko", "정부가 서울에서는", "정부 서울 =정부가 서울* 서울에서", "=정부 서울에 정"),
    (None, "BTS는 2024년에", "bts 2024년 =BTS는", "=bts 2024"),
    ("ko", "국가 회의", "국가 회의", "국 회"),
    ("ja", "10㎏と㈱日立", "10kg =10kg 株 日立 (株)日立 10k*", "10 kg"),
    ("ja", "㍻30年", "平成 平成30年 =㍻30年", "30年度"),
    ("ta", "தமிழ் நாடு", "தமிழ்", "தமிள்"),
    ("si", "ශ්‍රී ලංකා", "ශ්රී ලංකා", "ශී"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "text", "finding", "missing"), TEXTS, ids=range(len(TEXTS))
)
def test_a_text_is_found_by_other_spellings(
    engine: Engine, language: str | None, text: str, finding: str, missing: str
) -> None:
    fill(
        engine,
        article("a", text, headline=text, language=language),
        article("b", "nothing of the kind"),
    )
    for queries, expected in ((finding, True), (missing, False)):
        for query in grouped(queries):
            assert ("a" in matching_ids(engine, typed(query))) is expected, query


def grouped(queries: str) -> list[str]:
    """Queries that spaces separate, or a phrase."""
    return [queries] if queries.startswith('"') else queries.split()


@pytest.mark.parametrize("language", [None, "ar", "en", "fa", "ko", "xx"])
def test_a_phrase_runs_over_loose_forms(engine: Engine, language: str | None) -> None:
    fill(engine, article("a", "정부가 서울에서 ﺍلحكومة", language=language))
    assert matching_ids(engine, typed('"정부 서울에서 الحكومه"')) == ["a"]
    assert matching_ids(engine, typed('"정부 서울"~0')) == ["a"]
    assert matching_ids(engine, typed('="정부 서울에서"')) == []


SPELLINGS = """
    أحمد احمد مدرسة مدرسه المدرسة على علي ایران ايران کتاب كِتاب كتـاب قضائي قضاء رۆژ
    ڕۆژ हिन्दी हिंदी चाँद चांद ज़रूर जरूर न् 정부 정부가 정부는 서울에서는 서울 국가 BTS는
    10㎏ 10kg ㈱日立 株 ㍻30 平成 ١٢ 12 שלום שָׁלוֹם צה״ל №5 ۱٬۰۰۰
"""
words = st.sampled_from(SPELLINGS.split())
typed_words = st.lists(words, min_size=1, max_size=3).map(" ".join)


@st.composite
def leaves(draw: st.DrawFn) -> Query:
    text = draw(typed_words)
    forms = query_forms(text)
    exact = exact_forms(text)
    word = fold_text(text.split()[0])
    return draw(
        st.sampled_from(
            [
                Term(forms[0]) if len(forms) == 1 else Phrase(forms),
                Near(forms, 2) if len(forms) > 1 else Term(forms[0]),
                Exact(exact),
                Prefix(word[:3]),
                Fuzzy(word, 1),
            ]
        )
    )


@pytest.mark.slow
@settings(
    max_examples=amount(50, 1_000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    texts=st.lists(
        st.tuples(
            st.sampled_from((None, "ar", "fa", "ckb", "hi", "ko", "en", "xx")),
            st.lists(words, min_size=1, max_size=6).map(" ".join),
        ),
        min_size=1,
        max_size=5,
    ),
    queries=st.lists(leaves(), min_size=1, max_size=10),
)
def test_engines_agree_on_spellings_of_every_script(
    texts: list[tuple[str | None, str]],
    queries: list[Query],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("engine")
    engines = [open_empty(url, folder) for url in ENGINES]
    for engine in engines:
        for number, (language, text) in enumerate(texts, 1):
            fill(engine, article(f"a{number}", text, language=language), seq=number)
    for query in queries:
        memory, whoosh = (search(engine, query, limit=50) for engine in engines)
        assert memory.terms == whoosh.terms
        assert sorted(hit.id for hit in memory.hits) == sorted(
            hit.id for hit in whoosh.hits
        )
    for engine in engines:
        engine.close()
