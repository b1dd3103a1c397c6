"""How far LFs repeat each other, measured from the votes alone: no label is believed.

Whether an LF says m is one variable, whether m is true another, which nobody sees. LFs that are independent given
the label correlate through it alone, so the correlation of two is the product of two *loadings*, one an LF (one
common factor; Spearman, 1904). The loadings are fitted to all pairs. A pair that says the same beyond the product
of its loadings repeats itself: it is left out, the LFs that it joins count for less, and the loadings are fitted
again, so that copies cannot vouch for each other.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import ndtri

from metalwork.inference._answers import LEAST_ALIKE, Answers, Suspects, Together, answers_of, suspects, together
from metalwork.inference._mixture import CodedVotes
from metalwork.inference._packing import Int64Array
from metalwork.inference._tree import Floats

_ROUNDS, _STEPS = 4, 8
_BLOCK = 256
_NOTHING, _LEAST_LEFT = 1e-9, 1e-3
_SURELY = 2.0


class RepetitionPrior(NamedTuple):
    """What is believed of repetition, and from where it is found; see ``label_models/_constants.py``."""

    one_sided: float
    loading: float
    spread: float
    misfit: float
    most_misfit: float
    near_copies: float
    copies: float
    false_alarms: float


class RepeatedVotes(NamedTuple):
    """How far pairs of LFs repeat each other: (n_lfs, n_lfs), symmetric, in [0, 1], sparse.

    ``shared`` is 1 where the LF of more votes never votes unless the other says the same, be the label what it
    may; 0 where they say the same no more often than their loadings make them. ``explained`` is 1 for those of
    the pairs whose errors are shared as far as that says: both LFs vote for several labels, and the loadings
    explain the pairs of the task that do not repeat themselves. What LFs of one label share may be the kind of
    records on which they vote, right or wrong; and elsewhere LFs have more in common than one label.
    """

    shared: sparse.csr_array
    explained: sparse.csr_array


def repeated_votes(votes: CodedVotes, prior: RepetitionPrior) -> RepeatedVotes:
    """Measure how far LFs of one task repeat each other.

    Only pairs beyond chance are named: ``prior.false_alarms`` of them are chance, on average, where LFs are
    independent. Pairs that have no third LF to be compared with are named where all but identical.

    Costs a sparse product of the votes with themselves, on up to 20,000 records, and some passes over the pairs.
    """
    answers = answers_of(votes, prior.one_sided)
    pairs = together(answers)
    found, n_lfs = suspects(answers, pairs), votes.n_lfs
    shared = explained = np.zeros(len(found.i))
    if len(found.i):
        shared, explained = _Loadings(answers, pairs, found, prior).repeated()
    kept = shared > 0
    i, j = found.i[kept], found.j[kept]
    place = (np.append(i, j), np.append(j, i))
    of_pairs = (np.tile(part[kept], 2) for part in (shared, explained))
    return RepeatedVotes(*(sparse.csr_array((part, place), shape=(n_lfs, n_lfs)) for part in of_pairs))


class _Fit(NamedTuple):
    """Where a fit ended: normal equations of every answer (n_answers,), and the common answers ``left_out``."""

    gain: Floats
    weight: Floats
    strength: Floats
    believed: Floats
    most: Floats
    noise: Floats
    of_answer: Floats
    compared: npt.NDArray[np.bool_]
    left_out: npt.NDArray[np.bool_]


class _Loadings:
    """Loadings of answers, and pairs of LFs that say the same beyond them."""

    def __init__(self, answers: Answers, pairs: Together, found: Suspects, prior: RepetitionPrior) -> None:
        self.answers, self.pairs, self.found, self.prior = answers, pairs, found, prior
        self.n_answered = answers.answers[answers.lf]
        self.share = answers.counted / self.n_answered
        deviation = np.sqrt(self.share * (1.0 - self.share))
        self.varies = deviation > 0
        self.deviation = np.where(self.varies, deviation, 1.0)
        self.scaled = np.where(self.varies, self.share / self.deviation, 0.0)
        self.loading = nothing = np.zeros(len(answers.lf))
        none = np.zeros(len(found.pair), dtype=bool)
        self.fit = _Fit(nothing, nothing, nothing + 1.0, nothing, nothing, nothing, nothing, nothing == 0.0, none)
        both = found.answered[found.pair]
        self.by_chance = both * self.share[found.a] * self.share[found.b]
        self.scale = both * deviation[found.a] * deviation[found.b]
        beyond = (found.together - self.by_chance) / (self.deviation[found.a] * self.deviation[found.b])
        self.beyond = np.where(self.scale > 0, beyond, 0.0)
        self.several = np.flatnonzero(answers.several)
        self.both = sparse.csr_array(pairs.both[self.several][:, self.several])

    def repeated(self) -> tuple[Floats, Floats]:
        """Of each suspect pair, how far it repeats itself, and 1 where the loadings explain the others (n_pairs,).

        Left out of the first fit are near copies, which in numbers would be taken for the label: pairs that say
        nearly always the same, or vote for several labels on nearly the same records.
        """
        found, prior = self.found, self.prior
        per_vote = np.minimum(found.room / found.most, 1.0)
        alike, surely = self._compare()[0], -ndtri(prior.false_alarms / len(found.i))
        named = np.maximum(alike, self._vote_together()) >= prior.near_copies
        shared, beyond_beliefs = np.where(named, per_vote, 0.0), self._beyond_beliefs()
        for _ in range(_ROUNDS):
            self._fit(1.0 / (1.0 + self._by_lf(shared)), named)
            repeated, z, least_z, third = self._compare()
            repeated = np.where(third, repeated, alike)
            z = np.where(third, z, beyond_beliefs)
            sure = np.where(alike * per_vote >= prior.copies, z, np.where(third, least_z, 0.0)) > surely
            named = sure & (repeated * per_vote >= LEAST_ALIKE)
            shared = np.where(named, repeated * per_vote, 0.0)
        return shared, self._explained(named)

    def _beyond_beliefs(self) -> Floats:
        """How far pairs say the same beyond what is believed of them (n_pairs,), in standard errors."""
        found, believed = self.found, self._beliefs(np.ones(len(self.answers.lf)))[1]
        expected = self._by_pair(self.by_chance + self.scale * believed[found.a] * believed[found.b])
        return (found.same - expected) / np.sqrt(self._noise(expected))

    def _vote_together(self) -> Floats:
        """How far LFs that vote for several labels vote on the same records: a correlation (n_pairs,)."""
        answers, found = self.answers, self.found
        several = answers.several[found.i] & answers.several[found.j]
        votes = answers.votes / answers.weights.sum()
        deviation = np.sqrt(votes * np.maximum(1.0 - votes, 0.0))
        scale = deviation[found.i] * deviation[found.j]
        beyond = found.answered / answers.weights.sum() - votes[found.i] * votes[found.j]
        return np.where(several & (scale > _NOTHING), beyond / np.maximum(scale, _NOTHING), 0.0)

    def _by_lf(self, of_pair: Floats) -> Floats:
        """Sums over the pairs of each LF (n_lfs,)."""
        found, n_lfs = self.found, len(self.answers.votes)
        return np.asarray(np.bincount(found.i, of_pair, n_lfs) + np.bincount(found.j, of_pair, n_lfs))

    def _by_answer(self, of_a: Floats, of_b: Floats) -> Floats:
        """Sums over the common answers of each answer (n_answers,)."""
        found, n_answers = self.found, len(self.answers.lf)
        return np.asarray(np.bincount(found.a, of_a, n_answers) + np.bincount(found.b, of_b, n_answers))

    def _by_pair(self, of_answers: Floats) -> Floats:
        """Sums over the common answers of each pair (n_pairs,)."""
        return np.asarray(np.bincount(self.found.pair, of_answers, len(self.found.i)), np.float64)

    def _compare(self) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
        """How far pairs say the same beyond their loadings (n_pairs,): in [0, 1], and in standard errors, twice.

        The first are those of the votes, the second those of what is believed of the loadings, too: hardly any
        votes beside the pair's own may tell what these are. Last, which pairs have a third LF beside them at all.
        """
        found, n_pairs = self.found, len(self.found.i)
        first, *doubts_first, third_first = self._without(found.a, found.b)
        second, *doubts_second, third_second = self._without(found.b, found.a)
        expected = self._by_pair(self.by_chance + self.scale * first * second)
        beyond = found.same - expected
        repeated = np.clip(beyond / np.maximum(found.room - expected, 1.0), 0.0, 1.0)
        z = []
        for of_first, of_second in zip(doubts_first, doubts_second, strict=True):
            doubt = np.sqrt(first**2 * of_second + second**2 * of_first + self.prior.misfit**2)
            z.append(beyond / np.sqrt(self._noise(expected) + self._by_pair(self.scale * doubt) ** 2))
        third = np.bincount(found.pair[third_first | third_second], minlength=n_pairs) > 0
        return repeated, z[0], z[1], third

    def _noise(self, expected: Floats) -> Floats:
        """Variance of how often the LFs of each pair say the same (n_pairs,)."""
        return expected * np.maximum(1.0 - expected / np.maximum(self.found.answered, 1.0), 0.0) + 1.0

    def _without(self, a: Int64Array, b: Int64Array) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
        """Loadings of answers ``a`` fitted without the pairs with ``b`` (n_common,), and their variances.

        The first variance is that of the votes, the second that of the beliefs after the votes. Last, which
        answers are then compared with any others.
        """
        fit = self.fit
        said = np.where(fit.left_out & fit.compared[a], 0.0, fit.of_answer[b] * self.loading[b])
        weight = np.maximum(fit.weight[a] - said * self.loading[b] * self.found.answered[self.found.pair], 0.0)
        gain, precision = fit.gain[a] - said * self.beyond, weight + fit.strength[a]
        loading = np.clip((gain + fit.strength[a] * fit.believed[a]) / precision, 0.0, fit.most[a])
        third = fit.compared[a] & (weight > _LEAST_LEFT * fit.weight[a])
        return loading, weight * fit.noise[a] / precision**2, fit.noise[a] / precision, third

    def _explained(self, named: npt.NDArray[np.bool_]) -> Floats:
        """1 for pairs that vote for several labels, where those of the task not named correlate by their loadings.

        But for ``most_misfit``, that is, and the noise of the votes.
        """
        answers, found = self.answers, self.found
        scale = np.maximum(self._by_pair(self.scale), _NOTHING)
        expected = self._by_pair(self.by_chance + self.scale * self.loading[found.a] * self.loading[found.b])
        residual, noise = ((found.same - expected) / scale) ** 2, self._noise(expected) / scale**2
        task = np.zeros(len(answers.votes), np.int64)
        task[answers.lf] = answers.task[answers.meaning]
        of_pair, several = task[found.i], answers.several[found.i] & answers.several[found.j]
        weight = np.where(several & ~named, 1.0 / noise, 0.0)
        total = np.maximum(np.bincount(of_pair, weight), _NOTHING)
        misfit = np.bincount(of_pair, weight * (residual - noise)) / total
        error = np.sqrt(2.0 * np.bincount(of_pair, (weight * noise) ** 2)) / total
        explained = misfit - _SURELY * error <= self.prior.most_misfit**2
        return np.where(several & explained[of_pair], 1.0, 0.0)

    def _fit(self, weights: Floats, left_out: npt.NDArray[np.bool_]) -> None:
        """Least squares, a pair weighed by the records that both LFs answer, and held near what is believed.

        An answer that has no other left to be compared with is compared with all: a good LF may be left out
        beside everyone.
        """
        found, spread = self.found, self.prior.spread
        of_answer, out = weights[self.answers.lf], left_out[found.pair]
        most, believed = self._beliefs(of_answer)
        noise = 1.0 + self.n_answered * self.prior.misfit**2
        strength = noise / np.maximum(spread * most, _NOTHING) ** 2
        both, beyond = out * found.answered[found.pair], out * self.beyond
        if not self.loading.any():
            self.loading = believed
        for _ in range(_STEPS):
            said = of_answer * self.loading
            square = said * self.loading
            weight = self._answered(square)
            rest = weight - self._by_answer(both * square[found.b], both * square[found.a])
            compared = rest > _LEAST_LEFT * weight
            gain = self.pairs.alike @ (said / self.deviation) / self.deviation
            gain -= self.scaled * self._answered(self.scaled * said)
            gain -= compared * self._by_answer(beyond * said[found.b], beyond * said[found.a])
            weight = np.where(compared, rest, weight)
            best = (gain + strength * believed) / (weight + strength)
            self.loading = np.clip((self.loading + best) / 2.0, 0.0, most) * self.varies
        self.fit = _Fit(gain, weight, strength, believed, most, noise, of_answer, compared, out)

    def _beliefs(self, of_answer: Floats) -> tuple[Floats, Floats]:
        """The most that the loading of each answer can be, and what is believed of it beforehand.

        An LF that says m far less often than m is true has little to do with m, however right it is.
        """
        answers, n_records = self.answers, self.answers.weights.sum()
        in_row = np.maximum(answers.said @ of_answer, _NOTHING)
        votes = of_answer * (answers.said.T @ (answers.weights / in_row))
        true = np.bincount(answers.meaning, votes, len(answers.task)) / n_records
        among_votes = true / np.maximum(np.bincount(answers.task, true)[answers.task], _NOTHING)
        share = np.where(answers.several[answers.lf], among_votes[answers.meaning], true[answers.meaning])
        share = np.clip(share, _NOTHING, 1.0 - _NOTHING)
        ratio = np.sqrt(self.share * (1.0 - share) / (share * np.maximum(1.0 - self.share, _NOTHING)))
        most = np.minimum(ratio, 1.0) * self.varies
        return most, self.prior.loading * most / np.maximum(ratio, 1.0)

    def _answered(self, x: Floats) -> Floats:
        """For each answer, the sum of ``x`` over the same answer of others, times the records that both answer."""
        answers, n_meanings = self.answers, len(self.answers.task)
        several = answers.several[answers.lf]
        weighed = self.n_answered * x
        of_all = np.bincount(answers.meaning, weighed, n_meanings)[answers.meaning] - weighed
        of_one_sided = np.bincount(answers.meaning, np.where(several, 0.0, x), n_meanings)[answers.meaning]
        found = np.where(several, self.n_answered * of_one_sided, of_all)
        where = np.flatnonzero(several)
        row = np.searchsorted(self.several, answers.lf[where])
        for first in range(0, n_meanings if len(where) else 0, _BLOCK):
            here = (answers.meaning[where] >= first) & (answers.meaning[where] < first + _BLOCK)
            row_here, column = row[here], answers.meaning[where[here]] - first
            block = np.zeros((len(self.several), min(_BLOCK, n_meanings - first)))
            block[row_here, column] = x[where[here]]
            found[where[here]] += (self.both @ block)[row_here, column]
        return found
