"""Words that may speak for a label, how precise they would be, and how many labels they would put right."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl
from scipy.special import betaincc, betaincinv, logit, xlogy

from metalwork._checks import BoolArray, FloatArray
from metalwork.suggestions._labels import TreeLabel, labels_of, sums_by_label
from metalwork.suggestions._material import Floats32, Int64Array, Material
from metalwork.suggestions._meaning import near_names
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
_NAME_PRECISION: Final = 0.7
_PAIR_PRECISION: Final = 0.85
_PRIOR_RECORDS: Final = 1.0
"""What is believed beforehand of words that stand out, of a name's words and pairs of words, and how firmly."""
_SLACK: Final = 2.0
"""How much more frequent a label may be than it is estimated to be."""
_LEAST_COUNT: Final = 1.0
_LEAST_ON_DEV: Final = 1.5
"""Records of the label with the word, by votes or on dev: of many labels some one has any word once, by chance."""
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


def find_candidates(material: Material, labels: Sequence[TreeLabel], encoder: Any = None) -> list[Candidate]:
    """The words that stand out for each label by votes and dev labels, or that are, or are near, its name."""
    found: dict[tuple[int, int], str] = {}
    reader, words = material.reader, material.words
    if not words.words:
        return []
    if (material.covered | material.is_dev).any():
        z = _scores(material, reader.counts, labels)
        on_dev = sums_by_label(reader.dev_counts, list(labels))
        by_votes = sums_by_label(reader.counts, list(labels)) - DEV_WEIGHT * on_dev
        z[(by_votes < _LEAST_COUNT) & (on_dev < _LEAST_ON_DEV)] = -np.inf
        by_dev = _scores(material, DEV_WEIGHT * reader.dev_counts, labels)
        most = max(3, min(_A_LABEL, _IN_ALL // len(labels)))
        for number in range(len(labels)):
            for word in np.argsort(-z[:, number], kind="stable")[:most].tolist():
                if z[word, number] >= _LEAST_Z:
                    more_by_dev = by_dev[word, number] >= z[word, number] - _TINY
                    found[word, number] = "dev" if more_by_dev else "model"
    named = _by_name(material, labels)
    if encoder is not None:
        every = labels_of(material.schema)  # a word is of the label whose name is nearest
        names = [" ".join(_pieces(label.label)) for label in every]
        asked = {label: number for number, label in enumerate(labels)}
        near = near_names(words, names, every, encoder)
        named += [(asked[every[number]], word) for number, word in near if every[number] in asked]
    for number, word in named:
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
    """Label and word: the words of names, and pairs of them, for the lowest label above all that are so named."""
    asked = {label: number for number, label in enumerate(labels)}
    every = labels_of(material.schema)
    named: dict[str, list[TreeLabel]] = {}
    for label in every:
        own = _pieces(label.label)
        for phrase in dict.fromkeys([*own, *map(" ".join, pairwise(own))]):
            named.setdefault(phrase, []).append(label)
    found = []
    for phrase, own_labels in named.items():
        start, stop = min(label.start for label in own_labels), max(label.stop for label in own_labels)
        above = [label for label in every if label.start <= start and stop <= label.stop]
        lowest = min(above, key=lambda one: one.stop - one.start, default=None)
        if lowest is not None and lowest in asked:
            forms = [form for form in (phrase, f"{phrase}s") if form in material.words.position]
            found += [(asked[lowest], material.words.position[form]) for form in forms]
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
    most = (
        _SLACK * base_share(material, label) * material.n_drawn / max(len(train), 1)
    )  # were all of the label's so
    if not len(drawn) or accepted < _TINY or most < ACCEPTED:
        return replace(found, precision=min(found.precision, most), low=min(low, most), high=min(high, most))
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
    most = _USUAL_PRECISION if candidate.source != "name" else _by_its_name(material, candidate)
    prior = base + (most - base) * np.exp(-2.0 * share / base)  # of a word more frequent than the label: no more
    hits = _PRIOR_RECORDS * prior + float((worth * shares).sum()) + right
    misses = _PRIOR_RECORDS * (1.0 - prior) + float((worth * (1.0 - shares)).sum()) + len(dev) - right
    return hits, max(misses, _TINY)


def _by_its_name(material: Material, candidate: Candidate) -> float:
    """What is believed of a candidate for its name's sake."""
    word = material.words.words[candidate.word]
    name = " ".join(_pieces(candidate.label.label))
    if word not in name and word.removesuffix("s") not in name.split():
        return _USUAL_PRECISION  # it is only near
    return _PAIR_PRECISION if " " in word else _NAME_PRECISION


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
