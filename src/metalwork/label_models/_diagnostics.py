"""Labeling functions to look at: those that know nothing, and those that say the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtri, stdtrit

from metalwork.inference import Agreement, Floats
from metalwork.label_models._contradiction import listed

FALSE_ALARMS = 0.05
"""Most chance of naming any LF that is better than it is said to be, were its votes alone left to chance."""
LITTLE_SKILL = 0.1
"""Skill of an LF that does no better than chance: 0 is chance, 1 an LF that is always right."""
DEPENDENT = 0.2
"""Least share of votes alike beyond what the model explains of a pair that is named."""
_LEAST_VOTES = 10
_LEAST_TOLD_APART = 0.1
_LEAST_FREEDOM = 0.1
_OUTLYING = 3.0 * 1.4826


class Doubt(NamedTuple):
    """A labeling function that does no better than chance against what the others say, and why it is named.

    ``skill`` is 0 for chance and 1 for an LF that is always right, ``z`` its distance from 0 in standard errors.
    """

    lf: str
    reason: str
    skill: float
    z: float


class Dependence(NamedTuple):
    """Two labeling functions of one task that vote alike beyond what the model explains.

    ``strength`` is 0 where they agree as the model expects, 1 where one copies the other.
    """

    first: str
    second: str
    strength: float


@dataclass(frozen=True)
class Diagnosis:
    """Labeling functions to look at.

    Attributes
    ----------
    doubtful : tuple of Doubt
        LFs that do no better than chance, or worse, the worst first.
    dependent : tuple of Dependence
        Pairs that vote alike beyond what the model explains, the strongest first.
    groups : tuple of tuple of str
        The LFs that such pairs join.
    never_compared : tuple of str
        Tasks with several LFs of which none shares a record with another, or with one of a task below: what is
        known of their precisions stays near what was believed beforehand.
    contradictions : tuple of str
        Sentences on dev labels that contradict the votes, as the fit warned of them.
    """

    doubtful: tuple[Doubt, ...]
    dependent: tuple[Dependence, ...]
    groups: tuple[tuple[str, ...], ...]
    never_compared: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()

    def notes(self) -> list[str]:
        """A sentence for each contradiction, doubtful LF, group, task never compared; empty where all is well."""
        found = [*self.contradictions, *(f"{doubt.lf} does {doubt.reason}." for doubt in self.doubtful)]
        found += [f"{listed(group)} vote alike beyond what the model explains." for group in self.groups]
        return found + [
            f"No record has two votes on task {task!r} or below, so its LFs cannot be compared. Dev labels, "
            "stated precisions or LFs that overlap would tell how good they are."
            for task in self.never_compared
        ]

    def __str__(self) -> str:
        return "\n".join(self.notes()) or "No labeling function stands out."


def doubtful(names: Sequence[str], found: Agreement, independent: bool) -> tuple[Doubt, ...]:
    """LFs whose skill is surely below 0.1; all are looked at together, so the chance of a false alarm is 0.05.

    Where the LFs are not ``independent``, a single other LF that is wrong, or often on the same records, makes
    many records of disagreement. The other LFs are the sample then, so that no doubt rests on one or two of them;
    they must tell the LF's labels apart, by a tenth between chance and always right; and the LF must stand out
    from the rest, for LFs written to complement each other agree little, right or wrong.
    """
    judged = (found.votes >= _LEAST_VOTES) & np.isfinite(found.skill)
    chance = FALSE_ALARMS / max(int(judged.sum()), 1)
    deviation, sure = found.by_record, np.full(len(names), -ndtri(chance))
    if not independent:
        deviation = np.maximum(deviation, found.by_lf)
        sure = -stdtrit(np.maximum(found.n_others - 1, _LEAST_FREEDOM), chance)
        judged &= found.perfect - found.chance > _LEAST_TOLD_APART
        judged &= found.skill < _least_usual(found.skill[judged])
    most = found.skill + sure * deviation
    doubts = []
    for j in np.flatnonzero(judged & (most < LITTLE_SKILL)).tolist():
        reason = (
            f"{'worse' if most[j] < 0 else 'no better'} than chance: the other LFs give its votes "
            f"{found.observed[j]:.0%} on average, by chance {found.chance[j]:.0%}"
        )
        doubts.append(Doubt(names[j], reason, float(found.skill[j]), float(found.skill[j] / deviation[j])))
    return tuple(sorted(doubts, key=lambda doubt: doubt.skill))


def _least_usual(skill: Floats) -> float:
    """Below are outliers: three times the median distance from the median, made comparable with a deviation."""
    middle = np.median(skill) if skill.size else 0.0
    return float(middle - _OUTLYING * np.median(np.abs(skill - middle))) if skill.size else 0.0


def dependent(names: Sequence[str], shared: sparse.csr_array) -> tuple[Dependence, ...]:
    """Pairs of which ``shared`` (n_lfs, n_lfs), the share of votes that repeat each other, is 0.2 or more."""
    upper = sparse.triu(shared >= DEPENDENT, 1).tocoo()
    pairs = [
        Dependence(names[i], names[j], float(shared[i, j]))
        for i, j in sorted(zip(*(place.tolist() for place in upper.coords), strict=True))
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair.strength))


def groups_of(names: Sequence[str], shared: sparse.csr_array) -> tuple[tuple[str, ...], ...]:
    """LFs that dependent pairs join, in the order of the LFs; the largest group first."""
    n_groups, group = connected_components(shared >= DEPENDENT, directed=False)
    order = np.argsort(group, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(group, minlength=n_groups))[:-1])
    joined = [tuple(names[j] for j in part) for part in parts if len(part) > 1]
    return tuple(sorted(joined, key=lambda part: -len(part)))
