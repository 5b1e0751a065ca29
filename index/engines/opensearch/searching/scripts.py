"""Scripts that the cluster runs, in its language Painless.

What varies goes into parameters: a script is compiled once for all searches.
"""

from __future__ import annotations

from typing import Any

from index.engines import ranking
from index.engines.opensearch.mapping import PARAGRAPHS

Script = dict[str, Any]

# Where the terms of a word are in a text: position → widths, for every token.
_PLACES = """
Map places(String text, List needles) {
  Map found = new HashMap();
  for (def needle : needles) {
    int at = text.indexOf(needle);
    while (at >= 0) {
      int end = text.indexOf("\n", at + 1);
      if (end < 0) { end = text.length(); }
      int position = 0;
      int width = 0;
      boolean wide = false;
      for (int i = text.indexOf("\t", at) + 1; i <= end; i++) {
        int c = i < end ? text.charAt(i) : 32;
        if (c == 32) {
          def key = position;
          List widths = found.get(key);
          if (widths == null) { widths = new ArrayList(); found.put(key, widths); }
          widths.add(wide ? width : 1);
          position = 0;
          width = 0;
          wide = false;
        } else if (c == 94) { wide = true; }
        else if (wide) { width = width * 10 + (c - 48); }
        else { position = position * 10 + (c - 48); }
      }
      at = text.indexOf(needle, end);
    }
  }
  return found;
}
"""

# The number of positions from which the words of a phrase follow each other; see
# index.query.matching.
_CHAINS = """
int chains(List words) {
  int count = 0;
  for (def start : words.get(0).keySet()) {
    Set ends = new HashSet();
    ends.add(start);
    for (def word : words) {
      Set next = new HashSet();
      for (def end : ends) {
        def widths = word.get(end);
        if (widths != null) {
          for (def width : widths) { next.add((int) end + (int) width); }
        }
      }
      ends = next;
    }
    if (!ends.isEmpty()) { count++; }
  }
  return count;
}
"""

# The number of windows of a Near; see index.query.matching.near_windows.
_WINDOWS = """
int windows(List words, List counts, int distance) {
  List hits = new ArrayList();
  int needed = 0;
  List latest = new ArrayList();
  for (int w = 0; w < words.size(); w++) {
    for (def entry : words.get(w).entrySet()) {
      int widest = 1;
      for (def width : entry.getValue()) {
        widest = (int) Math.max(widest, (int) width);
      }
      hits.add(new int[] {(int) entry.getKey(), w, widest});
    }
    needed += (int) counts.get(w);
    latest.add(new ArrayList());
  }
  hits.sort((a, b) -> {
    int[] x = (int[]) a;
    int[] y = (int[]) b;
    return x[0] != y[0] ? Integer.compare(x[0], y[0]) : Integer.compare(x[1], y[1]);
  });
  int count = 0;
  int scanned = 0;
  int there = 0;
  for (def each : hits) {
    int[] hit = (int[]) each;
    if (hit[0] < scanned) { continue; }
    List own = (List) latest.get(hit[1]);
    if (own.size() == (int) counts.get(hit[1])) { own.remove(0); } else { there++; }
    own.add(hit);
    if (there < needed) { continue; }
    Map taken = new HashMap();
    int start = hit[0];
    int end = 0;
    for (def of : latest) {
      for (def other : (List) of) {
        int[] place = (int[]) other;
        start = (int) Math.min(start, place[0]);
        end = (int) Math.max(end, place[0] + place[2]);
        def key = place[0];
        def before = taken.get(key);
        if (before == null || (int) before < place[2]) { taken.put(key, place[2]); }
      }
    }
    int words_taken = 0;
    for (def width : taken.values()) { words_taken += (int) width; }
    if (end - start - words_taken <= distance) {
      count++;
      scanned = end;
      there = 0;
      for (def of : latest) { ((List) of).clear(); }
    }
  }
  return count;
}
"""

_WORDS = """
List words = new ArrayList();
String text = doc[params.column].value.utf8ToString();
for (def needles : params.needles) { words.add(places(text, needles)); }
"""

_PHRASE = _PLACES + _CHAINS + _WORDS + "return chains(words);"
_NEAR = (
    _PLACES + _WINDOWS + _WORDS + "return windows(words, params.counts, params.near);"
)

# One field's part of the weighted frequency; see ranking.field_frequency. The frequency
# of a leaf in a nested document is its score.
_FIELD_FREQUENCY = """
int field = (int) doc[params.number].value;
double norm = 1 - params.b + params.b * doc[params.length].value / params.means[field];
return params.weights[field] * _score / norm;
"""
_ARTICLE_PART = (
    "return params.weight * _score * (params.k1 + 1) / (_score + params.k1);"
)
_PARAGRAPH_PART = """
double length = params.b * doc[params.length].value / params.mean;
double norm = params.k1 * (1 - params.b + length);
return params.weight * _score * (params.k1 + 1) / (_score + norm);
"""

ROUNDED = "Math.rint(_score * 1e6) / 1e6"
_ROUNDED_SCORE = f"return {ROUNDED};"
# A paragraph's score, if its place in the order of hits is after that of a cursor, else
# 0. A score of 0 becomes a tiny one, which is rounded to 0.
_AFTER = f"""
double score = {ROUNDED};
if (score > params.score) {{ return 0; }}
if (score < params.score || doc[params.n].value > params.last) {{
  return Math.max(_score, params.least);
}}
return 0;
"""
LEAST = 1e-30  # a score that is rounded to 0
_BELOW_LEAST = 1e-33


def _script(source: str, **parameters: Any) -> Script:
    return {"source": source, "lang": "painless", "params": parameters}


def phrase_frequency(path: str, needles: list[list[str]]) -> Script:
    """Number of occurrences of a phrase in a text.

    :param needles: for each word, what its places are behind.
    """
    return _script(_PHRASE, column=f"{path}.places", needles=needles)


def near_frequency(
    path: str, needles: list[list[str]], counts: list[int], distance: int
) -> Script:
    """Number of windows of a Near in a text; see :func:`phrase_frequency`."""
    return _script(
        _NEAR, column=f"{path}.places", needles=needles, counts=counts, near=distance
    )


def field_frequency(path: str, weights: list[float], means: list[float]) -> Script:
    """Weighted frequency of a leaf in a text, from its frequency.

    :param weights: of the fields of the path, by number; ``means`` likewise.
    """
    return _script(
        _FIELD_FREQUENCY,
        number=f"{path}.number",
        length=f"{path}.field_length",
        b=ranking.B_ARTICLE,
        weights=weights,
        means=means,
    )


def article_part(weight: float) -> Script:
    """Part of a leaf in the score of an article, from its weighted frequency."""
    return _script(_ARTICLE_PART, weight=weight, k1=ranking.K1)


def paragraph_part(weight: float, mean: float) -> Script:
    """Part of a leaf in the score of a paragraph, from its frequency."""
    return _script(
        _PARAGRAPH_PART,
        length=f"{PARAGRAPHS}.length",
        weight=weight,
        mean=mean,
        b=ranking.B_PARAGRAPH,
        k1=ranking.K1_PARAGRAPH,
    )


def rounded_score() -> Script:
    """Score as hits are ordered by."""
    return _script(_ROUNDED_SCORE)


def score_after(score: float, n: int) -> Script:
    """Score of a paragraph behind a cursor's; 0 for those that are not.

    :param score: rounded, of the cursor.
    :param n: a paragraph with this score is behind it if its number is higher.
    """
    return _script(_AFTER, score=score, last=n, n=f"{PARAGRAPHS}.n", least=LEAST)


def scored(query: dict[str, Any], script: Script, **options: Any) -> dict[str, Any]:
    """A query with the scores that a script gives."""
    return {"script_score": {"query": query, "script": script, **options}}


def positive(query: dict[str, Any], script: Script) -> dict[str, Any]:
    """What a script gives a score above 0, with these scores."""
    return scored(query, script, min_score=_BELOW_LEAST)
