"""What words say of labels: naive Bayes taught by votes and dev labels, from which any word can be taken back."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from metalwork._checks import BoolArray, FloatArray, IntArray
from metalwork.inference import fit_temperature
from metalwork.suggestions._words import WordIndex

Floats32 = npt.NDArray[np.float32]

DEV_WEIGHT: Final = 5.0
"""Records with votes that a dev record counts for, as in the default label model."""
_SMOOTHING: Final = 200.0
"""Words that each label is given beforehand, spread as the words of all labels are."""
_MOST_JUDGED: Final = 5_000
_FLOOR: Final = 1e-9


@dataclass(frozen=True)
class WordReader:
    """Log likelihood ratios of words, by end label.

    Attributes
    ----------
    weights : float32 array (n_words, n_end_labels)
        What a word adds to the log odds; 0 for pairs of words, whose words speak for them.
    scores : float32 array (n_points, n_end_labels)
        What all words of a text add.
    counts : float32 array (n_words, n_end_labels)
        Texts with a vote or a dev label that hold a word, by label, as estimated.
    dev_counts : float32 array (n_words, n_end_labels)
        Dev texts that hold it.
    """

    weights: Floats32
    scores: Floats32
    counts: Floats32
    dev_counts: Floats32

    @classmethod
    def learn(cls, words: WordIndex, truth: Floats32, taught: BoolArray, dev: BoolArray) -> Self:
        """From the distributions ``truth`` (n_points, n_end_labels) of the records ``taught``.

        A temperature takes back that words of a text depend on each other: it is fitted on half of the records to
        a classifier of the other half.
        """
        weight = np.where(taught, np.where(dev, DEV_WEIGHT, 1.0), 0.0).astype(np.float32)
        own = words.by_word
        dev_counts = np.asarray(own @ (truth * dev[:, None]), np.float32)
        rows = np.flatnonzero(taught)
        if not len(rows) or not len(words.words):
            empty = np.zeros((len(words.words), truth.shape[1]), np.float32)
            return cls(empty, np.zeros(truth.shape, np.float32), empty, dev_counts)
        half = np.zeros(len(taught), bool)
        half[rows[::2]] = True
        first, second = (
            np.asarray(own @ (truth * (weight * part)[:, None]), np.float32) for part in (half, ~half)
        )
        judged = np.flatnonzero(taught & ~half)[:_MOST_JUDGED]
        factor = np.float32(_temperature(words, first, truth, judged))
        weights = factor * _log_ratios(first + second, words.single)
        scores = np.asarray(words.presence @ weights, np.float32)
        return cls(weights, scores, first + second, dev_counts)

    def read(self, posterior: Floats32) -> Floats32:
        """Distributions (n_points, n_end_labels) by the posterior of votes and all words of a text."""
        logs = np.log(np.maximum(posterior, _FLOOR)) + self.scores
        found: Floats32 = np.exp(log_softmax(logs, axis=1)).astype(np.float32)
        return found

    def without(self, read: Floats32, parts: list[int]) -> FloatArray:
        """What :meth:`read` gave some texts (n_rows, n_end_labels), all words but ``parts`` counting."""
        if not parts:
            return read.astype(np.float64)
        taken = -self.weights[parts].sum(axis=0, dtype=np.float64)
        own = np.maximum(read, _FLOOR) * np.exp(taken - taken.max())
        found: FloatArray = own / own.sum(axis=1, keepdims=True)
        return found


def _log_ratios(counts: Floats32, single: BoolArray) -> Floats32:
    """Log of how much more frequent single words are with each label than in all texts."""
    own = np.where(single[:, None], counts, 0.0).astype(np.float64)
    overall = own.sum(axis=1, keepdims=True) + _FLOOR
    share = overall / overall.sum()
    found = np.log((own + _SMOOTHING * share) / (own.sum(axis=0) + _SMOOTHING) / share)
    return np.where(single[:, None], found, 0.0).astype(np.float32)


def _temperature(words: WordIndex, counts: Floats32, truth: Floats32, rows: IntArray) -> float:
    """What to multiply the weights by, so that they foretell ``truth`` on ``rows`` best; at most 1."""
    if not len(rows):
        return 1.0
    prior = np.log(np.maximum(truth[rows].mean(axis=0), _FLOOR))
    scores = words.presence[rows] @ _log_ratios(counts, words.single)
    return min(1.0, fit_temperature(np.asarray(scores, np.float64), truth[rows], prior))
