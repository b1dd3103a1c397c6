"""Words that may speak for a label, how precise they would be, and how many labels they would put right."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl
from scipy.special import betaincc, betaincinv, logit, xlogy

from metalwork._checks import BoolArray, FloatArray
from metalwork.suggestions._labels import TreeLabel, sums_by_label
from metalwork.suggestions._material import Floats32, Int64Array, Material
from metalwork.suggestions._reader import DEV_WEIGHT
from metalwork.suggestions._words import log_odds
from metalwork.text import any_phrase_pattern, fold_case, normalise, normalised

_A_LABEL: Final = 20
_IN_ALL: Final = 2_000
_MOST_ROWS: Final = 200
_LEAST_Z: Final = 1.0
_MODEL_RECORDS: Final = 4.0
"""Labeled records that the estimate of votes and words is worth."""
ACCEPTED: Final = 0.7
"""Precision from which a word is taken to be accepted."""
_USUAL_PRECISION: Final = 0.4
_NAME_PRECISION: Final = 0.6
_PRIOR_RECORDS: Final = 1.0
"""What is believed beforehand of words that stand out, and of words of a label's name."""
_LEAST_COUNT: Final = 1.0
_ECHO: Final = 0.9
"""Share of its texts that are voted for the label already, from which a word has nothing to add."""
_TIE: Final = np.float32(1.0 - 1e-5)
_TINY: Final = 1e-9
_PIECES: Final = re.compile(r"[^\W_]+")
_HUMPS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LEVEL: Final = 0.95


@dataclass(frozen=True)
class Candidate:
    """A word for a label.

    Attributes
    ----------
    word : int
    label : TreeLabel
    source : str
    rows : int array (n_rows,)
        The texts that hold it.
    precision, low, high, gain : float
    whole : bool
        Whether it is matched as a whole word.
    """

    word: int
    label: TreeLabel
    source: str
    rows: Int64Array
    precision: float = 0.0
    low: float = 0.0
    high: float = 1.0
    gain: float = 0.0
    whole: bool = True


def find_candidates(material: Material, labels: Sequence[TreeLabel]) -> list[Candidate]:
    """The words that stand out for each label, by the votes and dev labels or by the label's name."""
    found: dict[tuple[int, int], str] = {}
    reader, words = material.reader, material.words
    if not words.words:
        return []
    if (material.covered | material.is_dev).any():
        z = _scores(material, reader.counts, labels)
        z[sums_by_label(reader.counts, list(labels)) < _LEAST_COUNT] = -np.inf
        by_dev = _scores(material, DEV_WEIGHT * reader.dev_counts, labels)
        most = max(3, min(_A_LABEL, _IN_ALL // len(labels)))
        for number in range(len(labels)):
            for word in np.argsort(-z[:, number], kind="stable")[:most].tolist():
                if z[word, number] >= _LEAST_Z:
                    more_by_dev = by_dev[word, number] >= z[word, number] - _TINY
                    found[word, number] = "dev" if more_by_dev else "model"
    for number, word in _by_name(material, labels):
        found.setdefault((word, number), "name")
    voted = {number: _voted_for(material, labels[number]) for number in {number for _, number in found}}
    candidates = [
        Candidate(word, labels[number], source, words.texts_with(word)) for (word, number), source in found.items()
    ]
    return [
        candidate
        for candidate, (_, number) in zip(candidates, found, strict=True)
        if voted[number][candidate.rows].mean() < _ECHO
    ]


def _voted_for(material: Material, label: TreeLabel) -> BoolArray:
    """On which texts (n_points,) some labeling function votes for the label, or for one under it."""
    found = np.zeros(len(material.texts), bool)
    for j, votes in enumerate(material.votes_for):
        if votes is not None and label.start <= votes[0] and votes[1] <= label.stop:
            found |= material.fired[:, j]
    return found


def _scores(material: Material, counts: Floats32, labels: Sequence[TreeLabel]) -> FloatArray:
    return log_odds(
        sums_by_label(counts, list(labels)), counts.sum(axis=1, dtype=np.float64), material.words.n_texts
    )


def _by_name(material: Material, labels: Sequence[TreeLabel]) -> list[tuple[int, int]]:
    """Label and word: words of a label's name that no other name of its task has, and the name as a phrase."""
    position = material.words.position
    pieces = [_pieces(label.label) for label in labels]
    found = []
    for number, (label, own) in enumerate(zip(labels, pieces, strict=True)):
        others = {
            piece for name in material.schema.labels(label.task) if name != label.label for piece in _pieces(name)
        }
        phrases = [piece for piece in own if piece not in others]
        phrases += [" ".join(pair) for pair in pairwise(own)]
        for phrase in phrases:
            found += [(number, position[form]) for form in (phrase, f"{phrase}s") if form in position]
    return found


@lru_cache(maxsize=10_000)
def _pieces(name: str) -> tuple[str, ...]:
    """The words of a label's name, as texts are compared."""
    return tuple(_PIECES.findall(normalised(_HUMPS.sub(" ", name), True)))


def judged(material: Material, candidate: Candidate, posterior: Floats32) -> Candidate:
    """The candidate with its precision, interval and gain, where ``posterior`` is what is known of each text.

    The gain is what is to be expected of showing it: the chance that it is precise enough to be accepted, times
    the labels that it then puts right.
    """
    label, rows = candidate.label, candidate.rows
    train = rows[rows < material.n_drawn]
    drawn = train[:: max(1, len(train) // _MOST_ROWS)]
    read = material.reader.without(material.read[drawn], material.words.parts(candidate.word))
    hits, misses = _belief(material, candidate, train, read)
    low, high = (float(betaincinv(hits, misses, (1.0 + sign * _LEVEL) / 2.0)) for sign in (-1.0, 1.0))
    found = replace(candidate, precision=hits / (hits + misses), low=low, high=high, gain=0.0)
    accepted = float(betaincc(hits, misses, ACCEPTED))
    if not len(drawn) or accepted < _TINY:
        return found
    then = found.precision * float(betaincc(hits + 1.0, misses, ACCEPTED)) / accepted
    right = _put_right(posterior[drawn], read, label, then, base_share(material, label))
    scale = len(train) / len(drawn) * material.n_train / material.n_drawn
    return replace(found, gain=accepted * right * scale)


def _belief(material: Material, candidate: Candidate, train: Int64Array, read: FloatArray) -> tuple[float, float]:
    """Beta distribution of the precision: what votes and words say, worth a few dev records, and dev labels.

    Votes: the posterior of the records with a vote. Votes and words: ``read``, records counting by how far it is
    from what is known without them (Kullback-Leibler divergence, up to 1).
    """
    label, balance = candidate.label, np.maximum(material.balance, _TINY)
    voted = train[material.covered[train]]
    told = np.minimum(xlogy(read, read / balance).sum(axis=1), 1.0)
    of_words = min(_MODEL_RECORDS, len(train)) * told.mean() if len(read) else 0.0
    worth = np.array([min(_MODEL_RECORDS, len(voted)), of_words])
    worth *= min(1.0, _MODEL_RECORDS / max(worth.sum(), _TINY))
    shares = np.array([label.of(material.posterior[voted]).mean() if len(voted) else 0.0, 0.0])
    shares[1] = (label.of(read) * told).sum() / max(told.sum(), _TINY)
    dev = candidate.rows[candidate.rows >= material.n_drawn]
    right = float(label.of(material.truth[dev]).sum())
    base, share = base_share(material, label), len(train) / material.n_drawn
    most = _NAME_PRECISION if candidate.source == "name" else _USUAL_PRECISION
    prior = base + (most - base) * np.exp(-2.0 * share / base)  # of a word more frequent than the label: no more
    hits = _PRIOR_RECORDS * prior + float((worth * shares).sum()) + right
    misses = _PRIOR_RECORDS * (1.0 - prior) + float((worth * (1.0 - shares)).sum()) + len(dev) - right
    return hits, max(misses, _TINY)


def base_share(material: Material, label: TreeLabel) -> float:
    """Share of the label among all records."""
    share = float(material.balance[label.start : label.stop].sum())
    return min(max(share, 1e-6), 1.0 - 1e-6)


def _put_right(posterior: Floats32, read: FloatArray, label: TreeLabel, precision: float, base: float) -> float:
    """How many end labels of these records are expected to become right by a vote of this precision."""
    inside, best = posterior[:, label.start : label.stop], posterior.max(axis=1, keepdims=True)
    tied = posterior >= best * _TIE  # of what is tied any one may be taken
    open_ones = tied.sum(axis=1) > tied[:, label.start : label.stop].sum(axis=1)
    new = label.start + inside.argmax(axis=1)
    moves = open_ones & (inside.max(axis=1) * _tilt(precision, base) > best[:, 0])
    mean = max(float(label.of(read).mean()), _TINY)
    then = np.minimum(read[np.arange(len(read)), new] * precision / mean, precision)
    now = (read * tied).sum(axis=1) / tied.sum(axis=1)
    return float((then - now)[moves].sum())


def _tilt(precision: float, base: float) -> float:
    """By how much a vote of this precision multiplies the odds of its label."""
    return float(np.exp(min(logit(min(max(precision, 1e-6), 1.0 - 1e-6)) - logit(base), 30.0)))


def after_vote(posterior: Floats32, rows: Int64Array, label: TreeLabel, precision: float, base: float) -> None:
    """Tilt what is known of ``rows`` by a vote for the label, in place."""
    own = posterior[rows]
    own[:, label.start : label.stop] *= _tilt(precision, base)
    posterior[rows] = own / own.sum(axis=1, keepdims=True)


def holding(material: Material, candidate: Candidate) -> Candidate:
    """The candidate with the texts that its labeling function would match, and how it must match them.

    Words are counted in runs that leave out signs and single letters, so a pair need not stand as a phrase.
    """
    texts = fold_case(normalise(pl.Series([material.texts[row] for row in candidate.rows], dtype=pl.String)))
    phrase = [material.words.words[candidate.word]]
    for whole in (True, False):
        mask = texts.str.contains(any_phrase_pattern(phrase, whole)).to_numpy()
        if 2 * mask.sum() >= len(mask):
            break
        if " " in phrase[0]:
            break
    return replace(candidate, rows=candidate.rows[mask], whole=whole)
