"""Lookup: which of the words that a query asks for a form is."""

from __future__ import annotations

from index.query.nodes import Exact, Near, Phrase, Term
from index.text import fold, is_single_cjk, word_key


class Lookup:
    """The words of a query in one language, by what their forms have in common.

    A form is looked up in time that does not depend on the number of words. It agrees
    with :func:`index.query.form_tests`.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._count = 0
        self._by_key: dict[str, int] = {}
        self._by_form: dict[str, int] = {}
        self._by_character: dict[str, int] = {}  # of scripts without spaces
        self._lengths: tuple[int, ...] = ()  # of those characters with their marks

    def add(self, leaf: Term | Phrase | Near | Exact) -> list[int]:
        """Numbers of a leaf's words: the same word has one number in all leaves."""
        if isinstance(leaf, Exact):
            return [self._number(self._by_form, form) for form in leaf.forms]
        forms = (leaf.form,) if isinstance(leaf, Term) else leaf.forms
        numbers = []
        for form in forms:
            if is_single_cjk(form):
                numbers.append(self._number(self._by_character, fold(form)))
            else:
                key = word_key(form, self._language)
                numbers.append(self._number(self._by_key, key))
        if self._by_character:
            self._lengths = tuple(sorted(set(map(len, self._by_character))))
        return numbers

    def _number(self, words: dict[str, int], text: str) -> int:
        if text not in words:
            self._count += 1
            words[text] = self._count
        return words[text]

    def words(self, form: str) -> tuple[int, ...]:
        """Numbers of the words that a form matches."""
        numbers: tuple[int, ...] = ()
        if self._by_key:
            number = self._by_key.get(word_key(form, self._language))
            if number is not None:
                numbers = (number,)
        if form in self._by_form:
            numbers += (self._by_form[form],)
        if self._by_character and not form.isascii():
            folded = fold(form)
            for end in self._lengths:
                number = self._by_character.get(folded[:end])
                if number is not None:
                    numbers += (number,)
        return numbers
