"""Tasks alike taken together: M-steps work on the LFs of all of them at once, for trees may have thousands."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork.inference import MOST_CELLS, CodedVotes, Floats, TaskVotes


class Alike(NamedTuple):
    """Tasks of as many labels whose LFs vote for these, or any one task.

    ``tasks`` are their numbers, ``votes`` the LFs of all, one task after the other, and what they vote for;
    ``place`` (n_lfs,) is the task of each LF, by its place among the tasks.
    """

    tasks: tuple[int, ...]
    votes: TaskVotes
    place: npt.NDArray[np.int64]

    @property
    def of_root(self) -> npt.NDArray[np.bool_]:
        """Which LFs vote on the root's task: (n_lfs,)."""
        return np.asarray(np.array(self.tasks)[self.place] == 0)

    def by_lf(self, by_task: Sequence[Floats] | Floats) -> Floats:
        """What stands by task, for each LF: (n_lfs, ...), or (1, ...) where there is one task."""
        if len(self.tasks) == 1:
            return np.asarray(by_task[self.tasks[0]])[None]
        return np.array([by_task[t] for t in self.tasks])[self.place]

    def joined(self, by_task: Sequence[Floats]) -> Floats:
        """What stands by LF (n_lfs of the task, ...), task by task, of all tasks: (n_lfs, ...)."""
        if len(self.tasks) == 1:
            return by_task[self.tasks[0]]
        return np.concatenate([by_task[t] for t in self.tasks])


def alike_tasks(votes: CodedVotes) -> list[Alike]:
    """All tasks, those alike together as long as their tables stay small enough for memory."""
    groups: dict[tuple[int, int], list[int]] = {}
    cells: dict[int, int] = {}
    for t, task in enumerate(votes.tasks):
        k, key = task.n_labels, (-1, t)
        if task.outcomes.plain.all() and not task.relative:
            key = (k, cells.get(k, 0) // MOST_CELLS)
            cells[k] = cells.get(k, 0) + len(task.lfs) * (k + 1) * k
        groups.setdefault(key, []).append(t)
    return [_alike(votes, tuple(tasks)) for tasks in groups.values()]


def _alike(votes: CodedVotes, tasks: tuple[int, ...]) -> Alike:
    first, own = votes.tasks[tasks[0]], [votes.tasks[t] for t in tasks]
    place = np.repeat(np.arange(len(tasks)), [len(task.lfs) for task in own])
    if len(tasks) == 1:
        return Alike(tasks, first, place)
    outcomes = first.outcomes._replace(plain=np.ones(len(place), dtype=bool))
    lfs = np.concatenate([task.lfs for task in own])
    return Alike(tasks, TaskVotes(lfs, first.n_labels, (), outcomes), place)


def by_task(parts: Iterable[tuple[Alike, Floats]]) -> list[Floats]:
    """What was found by LF (n_lfs, ...) of tasks alike, task by task."""
    found: dict[int, Floats] = {}
    for alike, by_lf in parts:
        stops = np.cumsum(np.bincount(alike.place, minlength=len(alike.tasks))).tolist()
        found |= {t: by_lf[start:stop] for t, start, stop in zip(alike.tasks, [0, *stops], stops, strict=False)}
    return [found[t] for t in range(len(found))]
