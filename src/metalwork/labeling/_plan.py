"""How labeling functions are called on a shard, after what went wrong on it before."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from metalwork.backends import Loss, Setbacks
from metalwork.labeling._guard import Guard, Task, Watch
from metalwork.labeling._votes import Votes

_MOST_UNSURE: Final = 3
"""Losses of a worker at an LF and chunk, none of which could be pinned on a row, after which it is left out."""


class Plan:
    """How LFs and preprocessors are called on a shard. Preprocessors are the units after the LFs."""

    def __init__(self, guard: Guard, setbacks: Setbacks, asked_again: set[int]) -> None:
        self.guard = guard
        self._setbacks, self._asked_again = setbacks, asked_again
        self._keeps = bool(setbacks.losses or setbacks.kept)

    def suspects(self, n_lfs: int) -> list[tuple[int, int]]:
        """LF and chunk on which workers were lost, and that are not done."""
        lost = {(loss.step, loss.unit) for loss in self._setbacks.losses if loss.unit < n_lfs}
        return [(unit, step) for step, unit in sorted(lost) if (step, unit) not in self._setbacks.kept]

    def kept(self, step: int) -> dict[int, Votes]:
        """By LF, the votes on a chunk that are known already."""
        return {unit: votes for (at, unit), (votes, _) in self._setbacks.kept.items() if at == step}

    @property
    def opened(self) -> dict[str, tuple[str, ...]]:
        """What LFs opened here, and in processes that were lost since."""
        before = [opened for _, opened in self._setbacks.kept.values()]
        return {path: callers for opened in [*before, self.guard.opened] for path, callers in opened.items()}

    def keep(self, unit: int, step: int, votes: Votes) -> None:
        """Save votes from a later loss of this process, where there was an earlier."""
        if self._keeps:
            self._setbacks.kept[step, unit] = piece = votes, dict(self.guard.opened)
            self.guard.desk.keep((step, unit), piece)

    def why_not(self, unit: int, step: int) -> str | None:
        """Why an LF or preprocessor is not called on a chunk; None where it is."""
        unsure = [loss.reason for loss in self._losses(unit, step) if loss.row is None]
        return unsure[-1] if len(unsure) >= _MOST_UNSURE else self._setbacks.given_up.get(unit)

    def task(self, unit: int, step: int) -> Task:
        """What is known of an LF or preprocessor on a chunk."""
        losses = self._losses(unit, step)
        again = unit not in self._asked_again and not losses
        self._asked_again.add(unit)
        skip = {loss.row: loss.reason for loss in losses if loss.row is not None}
        return Task(unit, step, skip, bool(losses), again)

    @contextmanager
    def around_made(self, n_lfs: int, step: int, n_rows: int, place: int, batch: bool) -> Iterator[Watch]:
        """While the preprocessor at ``place`` runs on a chunk."""
        task = self.task(n_lfs + place, step)
        if (reason := self.why_not(task.unit, step)) is not None:
            task = replace(task, skip=dict.fromkeys(range(n_rows), reason))
        with self.guard.around(task, n_rows if batch else 1) as watch:
            yield watch

    def _losses(self, unit: int, step: int) -> list[Loss]:
        return [loss for loss in self._setbacks.losses if (loss.unit, loss.step) == (unit, step)]
