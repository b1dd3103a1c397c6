"""Where votes and dev labels cannot tell what is asked of them, and what to add."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from metalwork.inference import (
    END,
    CodedVotes,
    Floats,
    SuffStats,
    Tree,
    n_votes_of,
    states_of_ends,
    votes_of_pairs,
    votes_of_task,
    votes_on_task,
)
from metalwork.label_models._contradiction import listed
from metalwork.schema import TaskSchema

_SURE_ODDS = float(np.log(20.0))
_SURE_DEVIATIONS = 3.0
_REMEDY = "Give dev labels, precision and strength, or LFs that overlap."


def not_learned(votes: CodedVotes, known: bool) -> str | None:
    """What cannot be learned from the votes and what to add, as a warning; None where all is well.

    ``known`` says whether there are dev labels, which need no overlap.
    """
    in_all = n_votes_of(votes)
    busiest = int(in_all.max(initial=0))
    if busiest == 0:
        return "No LF votes on any record: every record gets the class prior. Look at the LFs."
    if known:
        return None
    if busiest == 1:
        return (
            "No record has two votes, so votes cannot be compared and the precision of an LF is not identifiable: "
            f"it stays what was believed beforehand. {_REMEDY}"
        )
    if busiest == 2 and int((votes_of_pairs(votes, in_all == 2) > 0).sum(axis=1).max()) == 1:
        return (
            "No LF overlaps with two others, and how often two agree does not tell which of them is right: their "
            f"precisions are not identifiable, but only what they have in common. {_REMEDY}"
        )
    return None


def without_votes(tree: Tree, votes: CodedVotes, end_labels: Sequence[str]) -> str | None:
    """Which end labels no LF ever votes for, nor for a label above, as a warning; None without a vote at all."""
    if not n_votes_of(votes).any():
        return None
    voted_for, state_of = np.zeros(tree.n_end_labels, dtype=bool), states_of_ends(tree)
    for t, task in enumerate(votes.tasks):
        cast = votes_of_task(votes, t)[:, None, :] > 0
        if task.relative:
            states = np.append(cast.any(axis=(0, 1)), False)
        else:
            states = np.asarray((cast & (task.outcomes.member > 0)).any(axis=(0, 2)))
        voted_for |= states[state_of[:, t]]
    names = [repr(label) for label, voted in zip(end_labels, voted_for, strict=True) if not voted]
    if not names:
        return None
    what, them = ("end labels", "them") if len(names) > 1 else ("end label", "it")
    return (
        f"No LF votes for {what} {listed(names)}, nor for a label above {them}, so votes only ever speak against "
        f"{them}. Write LFs that vote for {them}."
    )


def mirrored(schema: TaskSchema, stats: SuffStats, other: Collection[str]) -> str | None:
    """A task of two labels whose votes are nearly as likely with the labels exchanged, as a warning; else None.

    LFs that are right in four fifths of cases agree as those do that are right in one fifth. What tells the two
    apart is the belief that an LF is rather right than wrong: worth the odds of its precision, against those by
    chance, which multiply over LFs. A fit that finds LFs worse than chance and has less than twenty to one for it
    is named. Not looked at are tasks in ``other``, on which LFs vote for more than labels.
    """
    for t, task in enumerate(schema.tasks):
        if len(schema.labels(task)) != 2 or schema.children(task) or task in other:
            continue  # the LFs of child tasks tell the labels apart
        odds = _odds_beside_chance(stats.votes[t][:, :2], stats.labels[t][:2])
        n_worse = int((odds < 0).sum())
        if n_worse and abs(odds.sum()) < _SURE_ODDS:
            labels = " and ".join(map(repr, schema.labels(task)))
            return (
                f"The votes on task {task!r} are nearly as likely with {labels} exchanged: {n_worse} of its "
                f"{len(odds)} LFs seem worse than chance, and were the others so instead, votes would look much "
                "the same. A few dev labels would tell."
            )
    return None


def _odds_beside_chance(votes: Floats, records: Floats) -> Floats:
    """Log odds (n_lfs,) that a vote for one of two labels is right, against a random vote; 0 within noise.

    ``votes`` (n_lfs, 2, 2) are expected votes by label and vote, ``records`` (2,) records by label.
    """
    n_votes = votes.sum(axis=(1, 2)) + 1e-9
    right = np.trace(votes, axis1=1, axis2=2) / n_votes
    chance = votes.sum(axis=1) @ (records / max(float(records.sum()), 1e-9)) / n_votes
    right, chance = (np.clip(part, 0.01, 0.99) for part in (right, chance))
    noise = np.sqrt(chance * (1.0 - chance) / n_votes)
    odds = np.log(right / (1.0 - right)) - np.log(chance / (1.0 - chance))
    return np.where(np.abs(right - chance) > _SURE_DEVIATIONS * noise, odds, 0.0)


def one_class(gold: npt.NDArray[np.int64], end_labels: Sequence[str]) -> str | None:
    """What a dev set of one class does, as a warning; None where there are more.

    ``gold`` (n_points,) holds end-label codes, -1 where the label is not known down to one.
    """
    gold = gold[gold >= 0]
    if len(end_labels) == 1 or len(np.unique(gold)) != 1:
        return None
    label = end_labels[gold[0]]
    return (
        f"All dev records ({len(gold)}) are {label!r}: they pull the class balance towards it and say little of "
        "how good LFs are on other labels. Add dev records of the others, or leave dev labels out."
    )


def never_compared(tree: Tree, votes: CodedVotes, tasks: Sequence[str]) -> tuple[str, ...]:
    """Tasks with several LFs of which none shares a record with another, or with one of a task below."""
    return tuple(task for t, task in enumerate(tasks) if _never_compared(tree, votes, t))


def _never_compared(tree: Tree, votes: CodedVotes, t: int) -> bool:
    if len(votes.tasks[t].lfs) < 2:
        return False
    n_votes = votes_on_task(votes, t)
    if n_votes.max(initial=0) != 1:
        return False
    below = [child for child in tree.child[t] if child != END]
    for child in below:
        if ((votes_on_task(votes, child) > 0) & (n_votes > 0)).any():
            return False
        below += [grandchild for grandchild in tree.child[child] if grandchild != END]
    return True
