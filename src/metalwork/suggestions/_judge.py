"""How good each labeling function's votes are, by all but itself: the other votes, the other words, dev labels."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaincinv, expit, log_softmax, logit

from metalwork._checks import ABSTAIN, FloatArray, IntArray
from metalwork.suggestions._labels import Shares, TreeLabel
from metalwork.suggestions._material import Material
from metalwork.votes import LabelMatrix

_MOST_ROWS: Final = 200
_MOST_CELLS: Final = 1 << 24
_MODEL_RECORDS: Final = 8.0
"""Dev records that the estimate of votes and words is worth."""
_FOUND_BY: Final = 0.8
"""Share of a word's texts on which a labeling function votes, from which the word is taken to be what it finds."""
_LEVEL: Final = 0.9


class Belief(NamedTuple):
    """A share: its mean, the bounds of 90 %, and how many of ``n_dev`` dev records it held on."""

    mean: float
    low: float
    high: float
    dev_right: float
    n_dev: int

    @property
    def on_dev(self) -> str:
        """What dev says of it, for people."""
        return f", on dev {self.dev_right:.0f} of {self.n_dev}" if self.n_dev else ""


@dataclass(frozen=True)
class Judge:
    """What is believed of the votes of labeling functions that vote for one label each.

    Attributes
    ----------
    material : Material
        With votes and a label model.
    """

    material: Material

    @cached_property
    def label_of(self) -> dict[int, TreeLabel]:
        """The label that each labeling function votes for; those that vote for several are left out."""
        votes = self.material.votes
        assert votes is not None
        found = {}
        for j, span in enumerate(self.material.votes_for):
            if span is not None:
                task = votes.tasks[j]
                labels = self.material.schema.labels(task)
                code = int(votes.codes[self.material.fired[:, j].argmax(), j])
                found[j] = TreeLabel(task, labels[code], *span)
        return found

    def rows(self, lf: int) -> IntArray:
        """Training records on which a labeling function votes."""
        found: IntArray = np.flatnonzero(self.material.fired[: self.material.n_drawn, lf])
        return found

    def dev_rows(self, lf: int) -> IntArray:
        """Dev records of known label on which it votes."""
        found: IntArray = np.flatnonzero(self.material.fired[self.material.n_drawn :, lf])
        return found + self.material.n_drawn

    @cached_property
    def _found_words(self) -> list[IntArray]:
        """By labeling function, the words that it finds."""
        by_word, n_texts = self.material.words.by_word, np.maximum(self.material.words.n_texts, 1)
        shares = np.asarray(by_word @ self.material.fired.astype(np.float32)) / n_texts[:, None]
        return [np.flatnonzero(column >= _FOUND_BY) for column in shares.T]

    @cached_property
    def without(self) -> dict[int, tuple[IntArray, FloatArray]]:
        """By labeling function, up to 200 of its training records, and their posterior by all but itself."""
        drawn = {j: _spread(self.rows(j)) for j in self.label_of}
        return dict(zip(drawn, zip(drawn.values(), self.left_out(drawn), strict=True), strict=True))

    def left_out(self, drawn: dict[int, IntArray]) -> list[FloatArray]:
        """By labeling function, their posterior by the other votes and the words that it does not find."""
        votes, model = self.material.votes, self.material.model
        assert votes is not None
        assert model is not None
        found: list[FloatArray] = []
        for group in _grouped(drawn, max(1, _MOST_CELLS // (votes.n_lfs + self.material.schema.n_end_labels))):
            codes = np.concatenate([self._silenced(j, drawn[j]) for j in group])
            end = model.predict_proba(_like(votes, codes)).end
            parts = np.split(end, np.cumsum([len(drawn[j]) for j in group])[:-1])
            found += [self._with_words(j, drawn[j], part) for j, part in zip(group, parts, strict=True)]
        return found

    def _silenced(self, lf: int, rows: IntArray) -> IntArray:
        assert self.material.votes is not None
        codes = self.material.votes.codes[rows].copy()
        codes[:, lf] = ABSTAIN
        return codes

    def _with_words(self, lf: int, rows: IntArray, posterior: FloatArray) -> FloatArray:
        reader, words = self.material.reader, self.material.words
        own = self._found_words[lf]
        scores = reader.scores[rows] - words.presence[rows][:, own] @ reader.weights[own]
        found: FloatArray = np.exp(log_softmax(np.log(np.maximum(posterior, 1e-9)) + scores, axis=1))
        return found

    @cached_property
    def _estimates(self) -> dict[int, float]:
        """Share of right votes by labeling function, by all but itself and dev.

        That is too dark: where one function alone knows, the others see little. So the estimates are moved, by one
        step in log odds, to where their mean is that of the accuracies that the label model learned.
        """
        shares = {j: float(self.label_of[j].of(end).mean()) for j, (_, end) in self.without.items() if len(end)}
        if not shares:
            return {}
        learned = getattr(self.material.model, "accuracies_", None)
        usual = [float(learned[j]) if learned is not None else float(self._as_labeled(j).mean()) for j in shares]
        logs, mean = logit(np.clip(list(shares.values()), 0.02, 0.98)), float(np.clip(np.mean(usual), 0.05, 0.95))
        step = brentq(lambda moved: float(expit(logs + moved).mean()) - mean, -20.0, 20.0)
        return dict(zip(shares, expit(logs + step).tolist(), strict=True))

    def _as_labeled(self, lf: int) -> FloatArray:
        found: FloatArray = self.label_of[lf].of(self.material.posterior[self.without[lf][0]])
        return found

    def precision(self, lf: int) -> Belief:
        """How often a labeling function's vote is right."""
        label = self.label_of[lf]
        right = label.of(self.material.truth[self.dev_rows(lf)])
        return believed(self._estimates.get(lf, 0.5), len(self.without[lf][0]), right)

    def off_branch(self, lf: int) -> Belief | None:
        """How often it votes where its task does not apply; None of the root's."""
        schema, above = self.material.schema, self.material.schema.parent(self.label_of[lf].task)
        if above is None:
            return None
        start, stop = schema.spans(above[0])[schema.label_code(*above)].tolist()
        branch, (rows, end) = TreeLabel(*above, start, stop), self.without[lf]
        if not len(rows):
            return None
        wrong = 1.0 - self._estimates[lf]
        own = 1.0 - float(self.label_of[lf].of(end).mean())
        share = (
            wrong * (1.0 - float(branch.of(end).mean())) / max(own, 1e-9)
        )  # of what is wrong, as much as before
        return believed(share, len(rows), 1.0 - branch.of(self.material.truth[self.dev_rows(lf)]))


def believed(estimate: float, n_rows: int, on_dev: Shares) -> Belief:
    """By an estimate from ``n_rows`` records, worth up to 8 dev records, and by dev records (n_dev,)."""
    worth, right, n_dev = min(_MODEL_RECORDS, float(n_rows)), float(on_dev.sum()), len(on_dev)
    hits, misses = 0.5 + worth * estimate + right, 0.5 + worth * (1.0 - estimate) + n_dev - right
    low, high = (float(betaincinv(hits, misses, (1.0 + sign * _LEVEL) / 2.0)) for sign in (-1.0, 1.0))
    return Belief(hits / (hits + misses), low, high, right, n_dev)


def _spread(rows: IntArray) -> IntArray:
    return rows[:: max(1, len(rows) // _MOST_ROWS)]


def _grouped(drawn: dict[int, IntArray], most: int) -> list[list[int]]:
    """Labeling functions in groups of at most about ``most`` rows."""
    groups: list[list[int]] = []
    n_rows = most
    for j, rows in drawn.items():
        if n_rows + len(rows) > most:
            groups.append([])
            n_rows = 0
        groups[-1].append(j)
        n_rows += len(rows)
    return groups


def _like(votes: LabelMatrix, codes: IntArray) -> LabelMatrix:
    return LabelMatrix(codes, votes.schema, votes.tasks, names=votes.names, outcomes=votes.outcomes)
