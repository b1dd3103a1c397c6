"""Where votes cannot tell how good labeling functions are, and what to add."""

from collections.abc import Sequence

from metalwork.inference import END, CodedVotes, Tree, n_votes_of, votes_of_pairs, votes_on_task

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
