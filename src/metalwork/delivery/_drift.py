"""Whether new records differ from those of a run: in the votes on them, and in what is predicted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, FAILED, FloatArray, check_choice, check_fraction
from metalwork.delivery._answers import Cut, answers
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.delivery._predictor import Predictor

Counts = npt.NDArray[np.int64]

_BINS: Final = 1000
_LEAST_EXPECTED: Final = 5.0
_NOT_THERE: Final = "(does not apply)"
_ABSTAINS: Final = "(abstains)"
_FAILS: Final = "(fails)"
_SPLITS: Final = ("train", "dev", "test")


@dataclass(frozen=True)
class Shift:
    """One thing that was compared: the labels predicted in a task, the confidence, or the votes of one LF.

    Attributes
    ----------
    kind : {"labels", "confidence", "votes"}
    name : str
        The task, or the labeling function.
    before, after : dict of str to float
        Shares of the records by outcome: labels, and that a task does not apply or an LF abstains. Of the
        confidence, its mean.
    effect : float
        In [0, 1]: half the sum of the differences of the shares, which is the share of records whose outcome
        differs; of the confidence, the largest difference of the two distribution functions.
    p, q : float
        Of the test that nothing has changed (chi-square; Kolmogorov and Smirnov), as it is, and adjusted for the
        number of tests (Benjamini and Hochberg).
    moved : bool
        Whether ``q`` is at most the significance, and ``effect`` is at least what was asked.
    """

    kind: str
    name: str
    before: Mapping[str, float]
    after: Mapping[str, float]
    effect: float
    p: float
    q: float = 1.0
    moved: bool = False

    @property
    def largest(self) -> list[tuple[str, float, float]]:
        """Outcomes with their shares before and after, the largest difference first."""
        rows = [(name, self.before[name], self.after[name]) for name in self.before]
        return sorted(rows, key=lambda row: -abs(row[2] - row[1]))


@dataclass(frozen=True)
class Drift:
    """What :func:`find_drift` found.

    Attributes
    ----------
    n_before, n_after : int
        Records compared.
    against : str
        The split of the run.
    shifts : tuple of Shift
        Labels by task, the confidence, then the votes by LF.
    notes : tuple of str
        What was not compared, and why.
    """

    n_before: int
    n_after: int
    against: str
    shifts: tuple[Shift, ...]
    notes: tuple[str, ...] = ()

    @property
    def moved(self) -> tuple[Shift, ...]:
        """What moved, the largest effect first."""
        return tuple(sorted((shift for shift in self.shifts if shift.moved), key=lambda shift: -shift.effect))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


class _Tally:
    """Counts of the outcomes of some records, by what is compared."""

    def __init__(self) -> None:
        self.n_points, self.sure = 0, 0.0
        self.counts: dict[tuple[str, str], Counts] = {}
        self.names: dict[tuple[str, str], list[str]] = {}
        self.histogram = np.zeros(_BINS, np.int64)

    def predictions(self, probs: TaskProbabilities) -> None:
        """Count what is predicted."""
        schema = probs.schema
        _, sure, by_task = answers(probs, Cut())
        self.n_points += len(sure)
        self.sure += float(sure.sum())
        self.histogram += np.bincount(np.minimum((sure * _BINS).astype(np.int64), _BINS - 1), minlength=_BINS)
        for task, codes in by_task.items():
            names = [_NOT_THERE, *schema.labels(task)] if task != schema.tasks[0] else list(schema.labels(task))
            offset = len(names) - len(schema.labels(task))
            self._add(("labels", task), names, np.bincount(codes + offset, minlength=len(names)))

    def votes(self, votes: LabelMatrix) -> None:
        """Count how each LF votes."""
        for j, name in enumerate(votes.names):
            codes, n_codes = np.unique(votes.codes[:, j], return_counts=True)
            found = {_outcome(votes, j, int(code)): int(n) for code, n in zip(codes, n_codes, strict=True)}
            key = ("votes", name)
            known = self.names.setdefault(key, [])
            known += [outcome for outcome in found if outcome not in known]
            counts = np.zeros(len(known), np.int64)
            counts[[known.index(outcome) for outcome in found]] = list(found.values())
            old = self.counts.get(key, np.zeros(0, np.int64))
            counts[: len(old)] += old
            self.counts[key] = counts

    def _add(self, key: tuple[str, str], names: list[str], counts: Counts) -> None:
        self.names[key] = names
        self.counts[key] = self.counts.get(key, 0) + counts

    def shared(self, key: tuple[str, str], names: Sequence[str]) -> Counts:
        """The counts of outcomes by these names; 0 of those that did not come up."""
        own = dict(zip(self.names[key], self.counts[key].tolist(), strict=True))
        return np.array([own.get(name, 0) for name in names], np.int64)


def _outcome(votes: LabelMatrix, j: int, code: int) -> str:
    return {ABSTAIN: _ABSTAINS, FAILED: _FAILS}.get(code) or votes.vote_name(j, code)


def find_drift(
    predictor: "Predictor",
    records: Any,
    *,
    against: str = "train",
    significance: float = 0.01,
    least_effect: float = 0.05,
) -> Drift:
    """Compare new records with those of a run: labels predicted by task, confidence, and votes by LF.

    Parameters
    ----------
    predictor : Predictor
        Of a run's folder. Votes are compared where its labeling functions are loaded.
    records : as for :meth:`Predictor.predict_proba`
    against : {"train", "dev", "test"}
        The run's records to compare with. The end model has learned the training records: where it is surer of
        them than of others like them, the confidence moves without any drift. Then compare with dev or test.
    significance : float in (0, 1)
        The share of false alarms among what is said to have moved.
    least_effect : float in [0, 1]
        The least effect that counts: with many records any difference is significant.

    Raises
    ------
    ConfigError
        When the run has no such split, or has not predicted it.
    DataError, LabelingError
        As :meth:`Predictor.predict_proba`.
    """
    check_choice("against", against, _SPLITS)
    check_fraction("significance", significance, "()")
    check_fraction("least_effect", least_effect)
    before, after, notes = _Tally(), _Tally(), list[str]()
    for probs in predictor.kept_predictions(against):
        before.predictions(probs)
    source = predictor.open(records)
    compares_votes = predictor.has_votes
    if not compares_votes:
        notes.append(
            "Votes were not compared: the run's labeling functions are not loaded (--run-code runs them)."
        )
    for frame in predictor.frames(source, every_column=compares_votes):
        with predictor.counting_from(after.n_points):
            after.predictions(predictor.proba(frame))
            if compares_votes:
                after.votes(predictor.votes_on(frame))
    if compares_votes:
        for votes in predictor.kept_votes(against):
            before.votes(votes)
    shifts = [*_confidence(before, after), *_compared(before, after)]
    return Drift(
        before.n_points, after.n_points, against, tuple(_judged(shifts, significance, least_effect)), tuple(notes)
    )


def _compared(before: _Tally, after: _Tally) -> Iterator[Shift]:
    for key in before.counts:
        names = list(dict.fromkeys([*before.names[key], *after.names[key]]))
        old, new = before.shared(key, names), after.shared(key, names)
        shares = old / old.sum(), new / new.sum()
        effect = float(np.abs(shares[0] - shares[1]).sum() / 2.0)
        by_name = [dict(zip(names, own.tolist(), strict=True)) for own in shares]
        yield Shift(*key, by_name[0], by_name[1], effect, chi_square(old, new))


def _confidence(before: _Tally, after: _Tally) -> Iterator[Shift]:
    from scipy.stats import kstwobign

    steps = [np.cumsum(tally.histogram) / tally.n_points for tally in (before, after)]
    effect = float(np.abs(steps[0] - steps[1]).max())
    n = before.n_points * after.n_points / (before.n_points + after.n_points)
    means = [{"mean": tally.sure / tally.n_points} for tally in (before, after)]
    yield Shift("confidence", "confidence", means[0], means[1], effect, float(kstwobign.sf(np.sqrt(n) * effect)))


def chi_square(old: Counts, new: Counts) -> float:
    """The p value that two samples of outcomes are alike; rare outcomes are counted together."""
    from scipy.stats import chi2_contingency

    table = np.stack([old, new]).astype(np.float64)
    smaller = table.sum(axis=1).min() / table.sum()
    expected = table.sum(axis=0) * smaller
    rare = expected < _LEAST_EXPECTED
    if rare.any():
        table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
        if table[:, -1].sum() * smaller < _LEAST_EXPECTED and table.shape[1] > 1:  # still too few: to the rarest
            rarest = int(table[:, :-1].sum(axis=0).argmin())
            table[:, rarest] += table[:, -1]
            table = table[:, :-1]
    if table.shape[1] < 2:
        return 1.0
    return float(chi2_contingency(table, correction=False)[1])


def _judged(shifts: Sequence[Shift], significance: float, least_effect: float) -> Iterable[Shift]:
    adjusted = benjamini_hochberg(np.array([shift.p for shift in shifts]))
    for shift, q in zip(shifts, adjusted.tolist(), strict=True):
        moved = q <= significance and shift.effect >= least_effect
        yield Shift(shift.kind, shift.name, shift.before, shift.after, shift.effect, shift.p, q, moved)


def benjamini_hochberg(p: FloatArray) -> FloatArray:
    """p values (n_tests,) adjusted so that of those below a level no larger share is false, on average."""
    order = np.argsort(p)[::-1]
    ranks = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum.accumulate(np.minimum(p[order] * len(p) / ranks, 1.0))
    return adjusted
