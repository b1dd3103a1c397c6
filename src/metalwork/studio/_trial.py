"""What is said of a rule that is being written: how often it votes, how often it is right, whom it contradicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from metalwork.analysis import Share
from metalwork.studio._bench import UNSEEN, Held, Votes

Codes = npt.NDArray[np.int64]

_EXAMPLES: Final = 6


@dataclass(frozen=True)
class OtherLF:
    """A labeling function of the project on the same records: its ``votes`` (n_sampled,), as outcomes.

    ``against`` (n_outcomes, n_labels): whether an outcome contradicts a label of the task.
    """

    name: str
    votes: npt.NDArray[Any]
    against: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Around:
    """What is known of the held records beside the rule; a part that is not known is left out.

    Attributes
    ----------
    lfs : mapping of task to sequence of OtherLF
    chances : mapping of task to float array (n_sampled, n_labels)
        By the label model, P(label, task applies) of each record of train.
    known : int64 array (n_sampled_dev, n_tasks) or None
        What is known of the records of dev: a label code, -1, or -2 where the task does not apply.
    """

    lfs: Mapping[str, Sequence[OtherLF]]
    chances: Mapping[str, npt.NDArray[Any]]
    known: Codes | None = None


@dataclass(frozen=True)
class Against:
    """How another labeling function votes where the rule does."""

    name: str
    n_both: int
    n_against: int


@dataclass(frozen=True)
class Trial:
    """What a rule does.

    Attributes
    ----------
    name, task : str
    n_points : int
        Records of train.
    n_seen : int
        Of how many of these it was asked.
    n_votes : int
        On how many of these it votes.
    n_new : int or None
        On how many of these no labeling function of its task does.
    n_right, n_judged : int
        Of the records of dev of which its task is known, on how many it votes, and rightly.
    n_dev : int
        Of how many records of dev its task is known.
    chance : float or None
        Mean probability, by the label model as it is, that what it votes is so.
    others : tuple of Against
        The labeling functions that it contradicts, and those that it repeats, the most first.
    examples : tuple of (split, position)
        Records to look at: those of dev on which it is wrong first.
    wrong : frozenset of (split, position)
    seconds : float
    """

    name: str
    task: str
    n_points: int
    n_seen: int
    n_votes: int
    n_new: int | None
    n_right: int
    n_judged: int
    n_dev: int
    chance: float | None
    others: tuple[Against, ...]
    examples: tuple[tuple[str, int], ...]
    wrong: frozenset[tuple[str, int]]
    seconds: float

    @property
    def share(self) -> float:
        """The share of the records of train on which it votes."""
        return self.n_votes / max(self.n_seen, 1)

    @property
    def n_expected(self) -> int:
        """On how many records of train it votes, as far as can be told."""
        return self.n_votes if self.n_seen == self.n_points else round(self.share * self.n_points)

    @property
    def right(self) -> Share | None:
        """Its precision on dev, with an interval."""
        return Share.of(self.n_right / max(self.n_judged, 1), self.n_judged)


def judge(votes: Votes, held: Held, task: int, around: Around) -> Trial:
    """Put together what a rule does; ``task`` is the number of its task."""
    train = votes.codes["train"].astype(np.int64)
    seen = train != UNSEEN
    hits = np.flatnonzero(train >= 0)
    others = around.lfs.get(votes.task)
    new = None
    if others is not None:
        covered = np.zeros(len(train), bool)
        for lf in others:
            covered |= lf.votes >= 0
        new = int((~covered[hits]).sum())
    chances = around.chances.get(votes.task)
    chance = None
    if chances is not None and hits.size:
        chance = float(chances[hits, train[hits]].mean())
    right, wrong, n_dev = _on_dev(votes, task, around.known)
    spread = hits[np.linspace(0, hits.size - 1, min(hits.size, _EXAMPLES)).astype(np.int64)] if hits.size else hits
    examples = [("dev", int(row)) for row in wrong[:_EXAMPLES]] + [("train", int(row)) for row in spread]
    return Trial(
        name=votes.name,
        task=votes.task,
        n_points=held.n_points["train"],
        n_seen=int(seen.sum()),
        n_votes=hits.size,
        n_new=new,
        n_right=right.size,
        n_judged=right.size + wrong.size,
        n_dev=n_dev,
        chance=chance,
        others=_others(train, hits, others or ()),
        examples=tuple(examples[: 2 * _EXAMPLES]),
        wrong=frozenset(("dev", int(row)) for row in wrong),
        seconds=votes.seconds,
    )


def _on_dev(votes: Votes, task: int, known: Codes | None) -> tuple[Codes, Codes, int]:
    """Where on dev it is right and where wrong, and of how many records of dev its task is known."""
    nothing = np.zeros(0, np.int64)
    if known is None or "dev" not in votes.codes or len(known) != len(votes.codes["dev"]):
        return nothing, nothing, 0
    own, truth = votes.codes["dev"].astype(np.int64), known[:, task]
    judged = (own >= 0) & (truth != -1)
    right = np.flatnonzero(judged & (own == truth))
    wrong = np.flatnonzero(judged & (own != truth))
    return right, wrong, int((truth != -1).sum())


def _others(train: Codes, hits: Codes, lfs: Sequence[OtherLF]) -> tuple[Against, ...]:
    found = []
    for lf in lfs:
        own = np.asarray(lf.votes)[hits]
        both = own >= 0
        against = lf.against[own[both], train[hits][both]]
        if both.any():
            found.append(Against(lf.name, int(both.sum()), int(against.sum())))
    return tuple(sorted(found, key=lambda one: (-one.n_against, -one.n_both, one.name)))
