"""The vocabulary: terms with their folded forms and stems, each computed once.

A rebuild writes several segments with mostly the same terms. So the strings of a term
are kept with it, and are sorted among those that were known before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from index.engines.whoosh.files import Array, Ints, TermDictionary, folded_term, form_of
from index.text import word_keys


def _no_numbers() -> Array:
    return np.empty(0, np.int32)


@dataclass(slots=True)
class _Strings:
    """Numbered strings, and their order.

    :ivar order: numbers of all strings, sorted.
    :ivar ranks: place of each in ``order``.
    """

    strings: list[bytes] = field(default_factory=list)
    order: Array = field(default_factory=_no_numbers)
    ranks: Array = field(default_factory=_no_numbers)

    def sort(self) -> None:
        """Bring the strings that were added since the last time into the order."""
        if len(self.order) < len(self.strings):
            order = self.order.tolist()
            order += range(len(order), len(self.strings))
            # Python's sort takes what is sorted already as it is.
            order.sort(key=self.strings.__getitem__)
            self.order = np.array(order, np.int32)
            self.ranks = _inverse(self.order)


class Vocabulary:
    """Terms that texts have, by number.

    :ivar numbers: number of each term.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._terms, self._stems = _Strings(), _Strings()
        self._folded: list[bytes] = []
        self._folded_ranks = _no_numbers()
        self._stem_numbers: dict[bytes, int] = {}
        # By language the stem of each term, -1 for one that was not asked for.
        self._stem_of: dict[str, Array] = {}

    def __len__(self) -> int:
        return len(self.numbers)

    def number_of(self, term: str) -> int:
        """Number of a term, which is added if it is new."""
        return self.numbers.setdefault(term, len(self.numbers))

    def dictionary(
        self, used: Ints, counts: Ints, languages: list[str]
    ) -> tuple[TermDictionary, Ints, Ints]:
        """The dictionary of a field, and the list and the tag of each used pair.

        :param used: pairs of a language and a term, as one number, ascending.
        :param counts: occurrences of each pair.
        """
        self._update()
        of_language, numbers = np.divmod(used, len(self.numbers))
        bounds = of_language.searchsorted(np.arange(len(languages) + 1))
        stems = np.concatenate(
            [
                self._stems_of(numbers[low:high], language)
                for language, low, high in zip(
                    languages, bounds[:-1], bounds[1:], strict=True
                )
            ]
        )
        self._stems.sort()
        ranks, term_numbers = np.unique(
            self._terms.ranks.take(numbers), return_inverse=True
        )
        stem_ranks, list_of = np.unique(
            self._stems.ranks.take(stems), return_inverse=True
        )
        order = (list_of * len(ranks) + term_numbers).argsort()
        members_at = np.zeros(len(stem_ranks) + 1, np.int64)
        np.cumsum(np.bincount(list_of, minlength=len(stem_ranks)), out=members_at[1:])
        tag_of = np.empty(len(order), np.int64)
        tag_of[order] = np.arange(len(order)) - members_at[list_of[order]]
        terms = self._terms.order.take(ranks)
        stems = self._stems.order.take(stem_ranks)
        dictionary = TermDictionary(
            terms=_chosen(self._terms.strings, terms),
            stems=_chosen(self._stems.strings, stems),
            members_at=members_at,
            members=term_numbers[order],
            occurrences=counts[order],
            folded=_chosen(self._folded, terms),
            by_folded=self._folded_ranks.take(terms).argsort(),
        )
        return dictionary, list_of, tag_of

    def _update(self) -> None:
        """Compute the strings of terms that were added since the last time."""
        terms, folded = self._terms, self._folded
        added = list(islice(self.numbers, len(terms.strings), None))
        if not added:
            return
        terms.strings += [term.encode() for term in added]
        folded += [folded_term(term) for term in terms.strings[len(folded) :]]
        terms.sort()
        # Terms of the same folded form stay in their own order.
        by_folded = sorted(terms.order.tolist(), key=folded.__getitem__)
        self._folded_ranks = _inverse(np.array(by_folded, np.int32))

    def _stems_of(self, terms: Ints, language: str) -> Array:
        """Number of the stem of each term in a language."""
        stem_of = self._stem_of.get(language, _no_numbers())
        if len(stem_of) < len(self.numbers):
            unknown = np.full(len(self.numbers) - len(stem_of), -1, np.int32)
            stem_of = self._stem_of[language] = np.append(stem_of, unknown)
        missing = terms[stem_of[terms] < 0]
        texts = _chosen(self._terms.strings, missing)
        forms = [form_of(text.decode())[0] for text in texts]
        numbers, stems = self._stem_numbers, self._stems.strings
        added: list[int] = []
        for key in word_keys(forms, language):
            stem = f"{language}\0{key}".encode()
            number = numbers.setdefault(stem, len(stems))
            if number == len(stems):
                stems.append(stem)
            added.append(number)
        stem_of[missing] = added
        return stem_of[terms]


def _chosen(strings: list[bytes], numbers: Array) -> list[bytes]:
    return [strings[number] for number in numbers.tolist()]


def _inverse(order: Array) -> Array:
    """Place of each number in an order of all."""
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    return places
