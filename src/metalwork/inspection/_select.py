"""From a question to the rows that answer it, split by split."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from metalwork._checks import NOT_APPLICABLE, BoolArray, FloatArray, IntArray
from metalwork.analysis import admitted_end_labels
from metalwork.errors import ConfigError
from metalwork.inspection._facts import SplitFacts, needs_step
from metalwork.inspection._query import Query, pattern_of, place_of
from metalwork.inspection._suspect import suspects
from metalwork.inspection._votes import OPEN, RIGHT, WRONG, VoteIndex

Score = Callable[[SplitFacts], FloatArray]
"""By record of a split, what the answers are ordered by; the smallest first."""

_OF_LABELS = ("tied", "uncertain", "differ", "network_wrong", "suspect", "label")
_OF_END = ("differ", "network_wrong")


class Choice(NamedTuple):
    """The LFs that a question looks at: groups of columns of the label matrix, an LF a group."""

    groups: tuple[tuple[int, ...], ...]
    named: bool


def matching(facts: SplitFacts, query: Query, choice: Choice) -> BoolArray:
    """Which records (n_points,) of a split answer a question."""
    check_steps(facts, query)
    found = np.ones(facts.n_points, bool)
    for mask in _masks(facts, query, choice):
        found &= mask
    return found


def check_steps(facts: SplitFacts, query: Query) -> None:
    """Raise ``ConfigError`` for what is asked before the step that finds it is done."""
    for name in _OF_LABELS:
        if query.asks(name) and facts.data.labels is None:
            raise needs_step("fit", name)
    for name in _OF_END:
        if query.asks(name) and facts.data.end is None:
            raise needs_step("evaluate", name)


def _masks(facts: SplitFacts, query: Query, choice: Choice) -> Iterator[BoolArray]:
    votes = facts.votes
    if choice.named:
        for group in choice.groups:
            yield _any_vote(votes, group, query)
    every = tuple(j for group in choice.groups for j in group)
    if query.uncovered:
        yield ~_any_vote(votes, every, Query())
    if not choice.named and (query.vote is not None or _task_alone(query)):
        yield _any_vote(votes, every, query)
    if query.wrong:
        yield _any_state(votes, every, query, WRONG)
    if query.right:
        yield _any_state(votes, every, query, RIGHT)
    if isinstance(query.conflict, tuple):
        yield _at_odds(votes, *(columns_of(votes, name) for name in query.conflict))
    elif query.conflict:
        yield _in_conflict(votes, every, query)
    if query.tied:
        yield facts.tied()
    if query.uncertain:
        yield _decidable(facts, query.task)
    if query.differ:
        yield facts.covered & _labels_differ(facts, query.task)
    if query.known is not None:
        yield _is_known(facts, query.known)
    if query.network_wrong:
        yield _network_wrong(facts)
    if query.suspect:
        yield suspects(facts).suspect
    if query.label is not None:
        yield facts.covered & _is_under(facts, "label", query.label, facts.labels.codes)
    if query.search is not None:
        yield facts.found(pattern_of(query.search))


def _task_alone(query: Query) -> bool:
    """Whether a task restricts records by itself: no question about votes or models is asked of it."""
    asked = (
        "uncovered",
        "wrong",
        "right",
        "conflict",
        "tied",
        "uncertain",
        "differ",
        "network_wrong",
        "suspect",
        "near",
    )
    return query.task is not None and not query.asks(*asked)


def choose(votes: VoteIndex, query: Query) -> Choice:
    """The LFs that a question names; else those of its task, or all."""
    if query.lf:
        return Choice(tuple(columns_of(votes, name) for name in query.lf), True)
    own = range(votes.like.n_lfs) if query.task is None else votes.like.lfs_of(query.task).tolist()
    return Choice(tuple((j,) for j in own), False)


def columns_of(votes: VoteIndex, name: str) -> tuple[int, ...]:
    """The columns of an LF: one, or one a task."""
    names = votes.like.names
    return tuple(j for j, own in enumerate(names) if own == name or own == f"{name}[{votes.like.tasks[j]}]")


def names_of(votes: VoteIndex) -> tuple[str, ...]:
    """What LFs are called: the columns of the label matrix, and LFs that have one a task."""
    pairs = zip(votes.like.names, votes.like.tasks, strict=True)
    return tuple(dict.fromkeys(name for own, task in pairs for name in (own, own.removesuffix(f"[{task}]"))))


def _any_vote(votes: VoteIndex, lfs: tuple[int, ...], query: Query) -> BoolArray:
    return _any_entry(votes, lfs, lambda j: np.ones(len(votes.rows[j]), bool), query)


def _any_state(votes: VoteIndex, lfs: tuple[int, ...], query: Query, state: int) -> BoolArray:
    return _any_entry(votes, lfs, lambda j: votes.states[j] == state, query)


def _in_conflict(votes: VoteIndex, lfs: tuple[int, ...], query: Query) -> BoolArray:
    return _any_entry(votes, lfs, lambda j: votes.conflicts[j], query)


def _any_entry(
    votes: VoteIndex, lfs: tuple[int, ...], holds: Callable[[int], BoolArray], query: Query
) -> BoolArray:
    """Records with a vote of ``lfs``, for what the question names, of which something holds."""
    found = np.zeros(votes.n_points, bool)
    named = False
    for j in lfs:
        chosen = holds(j)
        if query.vote is not None:
            said = np.array([votes.like.vote_name(j, code) for code in range(len(votes.like.alphabets[j]))])
            named |= bool((said == query.vote).any())
            chosen = chosen & (said == query.vote)[votes.codes[j]]
        found[votes.rows[j][chosen]] = True
    if query.vote is not None and not named:
        raise ConfigError(
            f"vote must be one that these labeling functions can cast; got {query.vote!r}. "
            "Name a label of their task."
        )
    return found


def _at_odds(votes: VoteIndex, first: tuple[int, ...], second: tuple[int, ...]) -> BoolArray:
    """Where a vote of one LF conflicts with one of another."""
    found = np.zeros(votes.n_points, bool)
    for i in first:
        for j in second:
            rows, own, others = np.intersect1d(votes.rows[i], votes.rows[j], True, True)
            ours = admitted_end_labels(votes.like, i)[votes.codes[i][own]]
            theirs = admitted_end_labels(votes.like, j)[votes.codes[j][others]]
            found[rows[(ours * theirs).sum(axis=1) == 0]] = True
    return found


def _decidable(facts: SplitFacts, task: str | None) -> BoolArray:
    """Where the label model has something to say and, of a task, thinks that it applies."""
    return (
        facts.covered
        if task is None
        else facts.covered & (_state(facts, task, facts.labels.codes) != NOT_APPLICABLE)
    )


def _labels_differ(facts: SplitFacts, task: str | None) -> BoolArray:
    both = facts.labels.codes, facts.end.codes
    if task is None:
        return np.asarray(both[0] != both[1])
    return np.asarray(_state(facts, task, both[0]) != _state(facts, task, both[1]))


def _state(facts: SplitFacts, task: str, ends: IntArray) -> IntArray:
    """The label of a task under end labels (n_points,)."""
    states: IntArray = facts.schema.task_codes[ends, facts.schema.task_index(task)]
    return states


def _is_known(facts: SplitFacts, known: str | bool) -> BoolArray:
    if facts.data.known is None:
        return np.full(facts.n_points, known is False)
    if isinstance(known, bool):
        return np.asarray((facts.data.known != OPEN).any(axis=1) == known)
    task, code = place_of(facts.schema, "known", known)
    return np.asarray(facts.data.known[:, task] == code)


def _network_wrong(facts: SplitFacts) -> BoolArray:
    """Where the votes lead to a known end label, and the end model does not."""
    if facts.data.known is None:
        return np.zeros(facts.n_points, bool)
    truth = facts.schema.end_of(facts.data.known)
    known = (truth >= 0) & facts.covered
    found: BoolArray = known & (facts.labels.codes == truth) & (facts.end.codes != truth)
    return found


def _is_under(facts: SplitFacts, what: str, name: str, ends: IntArray) -> BoolArray:
    task, code = place_of(facts.schema, what, name)
    return np.asarray(_state(facts, facts.schema.tasks[task], ends) == code)


def order_of(query: Query) -> Score | None:
    """What the answers to a question are ordered by; None where as they stand."""
    if query.suspect:
        return lambda facts: suspects(facts).margin
    if query.differ or query.network_wrong:
        return _sure_of_both
    if query.uncertain:
        return lambda facts: (
            facts.labels.margins if query.task is None else facts.labels_of_task(query.task).margins
        )
    return None


def _sure_of_both(facts: SplitFacts) -> FloatArray:
    """The surer both models are, the earlier."""
    return -facts.labels.shares * facts.end.shares
