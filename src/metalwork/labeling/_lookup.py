"""Keyword rules of one column compiled together: every text is read once, whatever their number.

A lexicon finds the words; where it is not sure, the pattern of the single phrase has a second look. What a rule
with a negation finds in a sentence without any word that negates is sure as well. In other sentences the negated
stretches are read; where these may cut through words, the rule alone looks through the text without them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork._checks import BoolArray
from metalwork.labeling._texts import Rows, Texts
from metalwork.text import Found, Lexicon, Runs, any_phrase_pattern, ascii_runs, sentence_ends, unicode_runs

if TYPE_CHECKING:
    from metalwork.labeling._text_rules import KeywordRule

Places = npt.NDArray[np.int64]

_AT_ONCE: Final = 500  # phrases in one pattern: the engine refuses patterns that are too large


class Lookup:
    """Keyword rules of one column, all of which heed letter case or none does."""

    def __init__(self, rules: Sequence["KeywordRule"]) -> None:
        self._rules = tuple(rules)
        self._fold = rules[0].ignore_case
        self._negations = list(dict.fromkeys(rule.negation for rule in rules if rule.negation is not None))
        self._scoped = [self._fold and negation.trigger_words is not None for negation in self._negations]
        self._dotted = [rule.is_dotted for rule in rules]
        self._loose: list[list[str]] = [[] for _ in rules]
        numbers: dict[str, int] = {}
        owned: list[tuple[int, int]] = []
        for j, rule in enumerate(rules):
            if rule.whole_words:
                owned += [(numbers.setdefault(phrase, len(numbers)), j) for phrase in rule.phrases]
            else:
                self._loose[j] += rule.phrases
        for k, negation in enumerate(self._negations):
            words = (negation.trigger_words or ()) if self._scoped[k] else ()
            owned += [(numbers.setdefault(word, len(numbers)), len(rules) + k) for word in words]
        self._phrases = list(numbers)
        self._lexicon = Lexicon(self._phrases)
        pairs = np.array(owned, np.int64).reshape(-1, 2)
        for number, owner in pairs[self._lexicon.loose[pairs[:, 0]]].tolist():
            self._loose[owner].append(self._phrases[number])
        pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
        self._owners, self._first = pairs[:, 1], np.searchsorted(pairs[:, 0], np.arange(len(numbers) + 1))

    def matches(self, texts: Texts) -> BoolArray:
        """In which texts (n_rules, n_points) each rule finds a word that is not negated."""
        return _Search(self, texts).holds

    def phrases_in(self, texts: Texts) -> list[str]:
        """Phrases that the first text may hold: those that the lexicon finds, and all that it cannot look up."""
        series = (texts.folded if self._fold else texts.plain)[:1]
        found = [self._lexicon.find(runs).phrase for runs in unicode_runs(series)]
        numbers = np.unique(np.concatenate(found)).tolist()
        return [self._phrases[number] for number in numbers] + [phrase for own in self._loose for phrase in own]

    def owners(self, phrases: Places) -> tuple[Places, Places]:
        """For each of ``phrases`` (n,) and each of its owners: the place among ``phrases``, and the owner."""
        begins = self._first[phrases]
        counts = self._first[phrases + 1] - begins
        each = np.repeat(np.arange(len(phrases)), counts)
        offset = np.arange(len(each)) - np.repeat(np.cumsum(counts) - counts, counts)
        return each, self._owners[begins[each] + offset]


class _Search:
    """One column looked through for all rules of a lookup."""

    def __init__(self, lookup: Lookup, texts: Texts) -> None:
        self._lookup, self._texts = lookup, texts
        self._series = texts.folded if lookup._fold else texts.plain
        rules = lookup._rules
        negations = {negation: k for k, negation in enumerate(lookup._negations)}
        self._negation = np.array([-1 if rule.negation is None else negations[rule.negation] for rule in rules])
        self.holds = np.zeros((len(rules), len(texts)), np.bool_)
        self._doubtful = np.zeros((len(rules) if negations else 0, len(texts)), np.bool_)
        self._unsure: dict[int, list[Places]] = defaultdict(list)
        self._pending: dict[int, list[Places]] = defaultdict(list)
        self._triggers: dict[int, dict[int, set[int]]] = defaultdict(dict)
        for runs, rows, ascii_only in self._blocks():
            self._look(runs, rows, ascii_only)
        self._look_again()
        self._look_for_loose()
        self._read_negations()
        self._settle()

    def _blocks(self) -> Iterator[tuple[Runs, Rows, bool]]:
        """The runs of words, block by block, with the rows of their texts, and whether all are ASCII."""
        plain, other = np.flatnonzero(self._texts.in_ascii), self._texts.beyond_ascii
        for rows, runs_of, ascii_only in ((plain, ascii_runs, True), (other, unicode_runs, False)):
            series = self._series if len(rows) == len(self._series) else self._series.gather(rows)
            for runs in runs_of(series):
                yield runs, rows[runs.first :], ascii_only

    def _look(self, runs: Runs, rows: Rows, ascii_only: bool) -> None:
        lookup = self._lookup
        found = lookup._lexicon.find(runs)
        each, owner = lookup.owners(found.phrase)
        phrase, row = found.phrase[each], rows[found.text[each]]
        rule = owner < len(lookup._rules)
        sure = lookup._lexicon.sure[phrase] & rule
        for number in np.unique(phrase[rule & ~sure]).tolist():
            self._unsure[number].append(row[phrase == number])
        if not lookup._negations:
            self.holds[owner[sure], row[sure]] = True
            return
        negation = np.full(len(owner), -1)
        negation[rule] = self._negation[owner[rule]]
        self.holds[owner[sure & (negation < 0)], row[sure & (negation < 0)]] = True
        for k, scoped in enumerate(lookup._scoped):
            own = np.flatnonzero(sure & (negation == k))
            if not (ascii_only and scoped):
                self._doubtful[owner[own], row[own]] = True
            elif own.size:
                triggers = each[owner == len(lookup._rules) + k]
                self._judge(runs, rows, k, found, triggers, each[own], owner[own])

    def _judge(
        self, runs: Runs, rows: Rows, k: int, found: Found, triggers: Places, at: Places, rules: Places
    ) -> None:
        """Note findings ``at`` of ``rules`` that no trigger is near, and keep the others to be read closely."""
        ends = sentence_ends(runs)
        trigger_in = np.searchsorted(ends, found.start[triggers])
        negating = np.zeros(len(ends) + 1, np.bool_)
        negating[trigger_in] = True
        first, last = np.searchsorted(ends, found.start[at]), np.searchsorted(ends, found.stop[at] - 1)
        row = rows[found.text[at]]
        clear = ~negating[first] & (first == last)
        self.holds[rules[clear], row[clear]] = True
        open_ = np.flatnonzero(~clear & ~self.holds[rules, row])
        begin = runs.begins[found.text[at[open_]]]
        left = np.where(first > 0, ends[first - 1], 0)[
            open_
        ]  # of the sentence; the last text ends at the last end
        places = (left, found.start[at[open_]], found.stop[at[open_]], ends[last[open_]] + 1)
        spans = (row[open_], rules[open_], *(np.maximum(place - begin, 0) for place in places))
        self._pending[k].append(np.stack(spans, 1))
        wanted = np.zeros(len(ends) + 2, np.int64)  # sentences that such a finding is in
        np.add.at(wanted, first[open_], 1)
        np.add.at(wanted, last[open_] + 1, -1)
        near = np.unique(triggers[np.cumsum(wanted)[trigger_in] > 0])
        around = np.stack([rows[found.text[near]], found.start[near] - runs.begins[found.text[near]]], 1)
        for row_, place in around.tolist():
            self._triggers[k].setdefault(row_, set()).add(place)

    def _look_again(self) -> None:
        """Look for the phrases of which the lexicon is not sure in the texts where it found them."""
        for number, found in self._unsure.items():
            rows = np.unique(np.concatenate(found))
            pattern = any_phrase_pattern([self._lookup._phrases[number]])
            rows = rows[as_mask(self._series.gather(rows).str.contains(pattern))]
            for owner in self._lookup.owners(np.array([number]))[1].tolist():
                if owner < len(self._lookup._rules):
                    self._note(owner, rows)

    def _look_for_loose(self) -> None:
        for j, phrases in enumerate(self._lookup._loose):
            for at in range(0, len(phrases), _AT_ONCE):
                pattern = any_phrase_pattern(phrases[at : at + _AT_ONCE], self._lookup._rules[j].whole_words)
                self._note(j, np.flatnonzero(as_mask(self._series.str.contains(pattern))))

    def _note(self, rule: int, rows: Rows) -> None:
        (self.holds if self._negation[rule] < 0 else self._doubtful)[rule, rows] = True

    def _read_negations(self) -> None:
        """Whether each finding in a sentence with words that negate is negated."""
        for k, parts in self._pending.items():
            pending = np.concatenate(parts)
            pending = pending[~self.holds[pending[:, 1], pending[:, 0]]]
            rows = np.unique(pending[:, 0])
            texts = dict(zip(rows.tolist(), self._texts.plain.gather(rows).to_list(), strict=True))
            triggers, negation = self._triggers[k], self._lookup._negations[k]
            bounds: dict[int, tuple[int, int]] = {}
            for row, _, left, _, _, right in pending.tolist():
                known = bounds.get(row, (left, right))
                bounds[row] = min(left, known[0]), max(right, known[1])
            read = {
                row: negation.read_at(text, sorted(triggers.get(row, ())), *bounds[row])
                for row, text in texts.items()
            }
            for row, j, _, start, stop, _ in pending.tolist():
                own = read[row]
                if own is None or own.negating(start, stop) is None:
                    self.holds[j, row] = True
                elif "_" in texts[row] or self._lookup._dotted[j]:  # what is left may hold a word that was none
                    self._doubtful[j, row] = True

    def _settle(self) -> None:
        """Let rules look through texts without what is negated, where it takes them to tell."""
        for j, rule in enumerate(self._lookup._rules if len(self._doubtful) else ()):
            rows = np.flatnonzero(self._doubtful[j] & ~self.holds[j])
            if rule.negation is not None and rows.size:
                changed, cut = self._texts.negated(rule.negation, rows, plain=True)
                self.holds[j, rows] = True
                self.holds[j, changed] = rule.matches(Texts(cut))


def as_mask(found: pl.Series) -> BoolArray:
    """Truth values (n_points,); null is false."""
    return np.array(found.fill_null(False).to_numpy(), dtype=bool)
