"""What a language model may answer, and the votes that each answer stands for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from metalwork._names import plain_name, plain_path, unknown_name
from metalwork.errors import LabelingError
from metalwork.labeling import ByTask, Spaces
from metalwork.schema import TaskSchema

_NO_LABEL: Final = ("none of these", "(none of these)", "((none of these))")


@dataclass(frozen=True)
class Choice:
    """One valid answer: a label, or the path to one; ``votes`` says which label it is for of which task."""

    name: str
    votes: tuple[tuple[str, str], ...]
    description: str = ""

    @property
    def task(self) -> str:
        """The task of the label itself."""
        return self.votes[-1][0]


@dataclass(frozen=True)
class Choices:
    """All valid answers: the labels of one task, or the paths to the labels of several tasks of a tree.

    Attributes
    ----------
    tasks : tuple of str
    labels : dict of str to tuple of str
        Of each task.
    all : tuple of Choice
    abstain : str
        The answer that no label fits; no label is called so.
    """

    tasks: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]]
    all: tuple[Choice, ...]
    abstain: str

    @classmethod
    def of_task(cls, space: Spaces, task: str) -> Self:
        """The labels of one task."""
        labels = space.labels(task)
        return cls._of((task,), {task: labels}, [Choice(label, ((task, label),)) for label in labels])

    @classmethod
    def of_tree(cls, schema: TaskSchema, tasks: Sequence[str]) -> Self:
        """The paths to the labels of some tasks; what stands above them in other tasks is in the path alone."""
        found: list[Choice] = []
        above: dict[str, tuple[tuple[str, str], ...]] = {}
        for task in schema.tasks:
            parent = schema.parent(task)
            above[task] = () if parent is None else (*above[parent[0]], parent)
            for label in schema.labels(task) if task in tasks else ():
                path = (*above[task], (task, label))
                name = "/".join(label for _, label in path)
                found.append(Choice(name, tuple(pair for pair in path if pair[0] in tasks)))
        named = tuple(task for task in schema.tasks if task in tasks)
        return cls._of(named, {task: schema.labels(task) for task in named}, found)

    @classmethod
    def _of(cls, tasks: tuple[str, ...], labels: Mapping[str, tuple[str, ...]], found: list[Choice]) -> Self:
        taken = {choice.name.casefold() for choice in found}
        return cls(tasks, labels, tuple(found), next(name for name in _NO_LABEL if name not in taken))

    @property
    def names(self) -> tuple[str, ...]:
        """Every valid answer as it is written, last that no label fits."""
        return (*(choice.name for choice in self.all), self.abstain)

    def described(self, descriptions: Mapping[str, str], lf: str) -> "Choices":
        """The same with descriptions, by label or path; ``LabelingError`` for one of no label."""
        texts: dict[Choice, str] = {}
        for name, text in descriptions.items():
            texts[self.find(name, f"descriptions of LF {lf!r} must be of its labels")] = text
        told = [Choice(choice.name, choice.votes, texts.get(choice, "")) for choice in self.all]
        return Choices(self.tasks, self.labels, tuple(told), self.abstain)

    def find(self, name: str, rule: str) -> Choice:
        """The choice that a user calls ``name``, which may be a label of which there is one."""
        plain = plain_path(plain_name(name))
        found = [choice for choice in self.all if plain == plain_path(choice.name)]
        found = found or [choice for choice in self.all if plain == choice.votes[-1][1]]
        if len(found) > 1:
            paths = " or ".join(repr(choice.name) for choice in found)
            raise LabelingError(f"{rule}; got {name!r}, a label of more than one task. Give its path: {paths}.")
        if not found:
            known = dict.fromkeys([*self.names[:-1], *(choice.votes[-1][1] for choice in self.all)])
            raise LabelingError(f"{rule}. {unknown_name('label', name, list(known))}")
        return found[0]

    def vote(self, choice: Choice | None, shares: Mapping[str, float] | None = None) -> Any:
        """What a labeling function returns for an answer: a label a task, or probabilities of its labels.

        ``shares`` are the probabilities of the answers by name. What the model gives to an answer that stops above
        a task, or to none at all, is shared by the labels of the task.
        """
        if choice is None:
            return None
        said = dict(choice.votes) if shares is None else {t: self._shares(t, shares) for t, _ in choice.votes}
        return said[self.tasks[0]] if len(self.tasks) == 1 else ByTask(said)

    def _shares(self, task: str, shares: Mapping[str, float]) -> dict[str, float]:
        """Probabilities of the labels of a task, given that it applies."""
        labels = self.labels[task]
        found = dict.fromkeys(labels, 0.0)
        own = next(choice.votes for choice in self.all if choice.task == task)[:-1]
        undecided = shares.get(self.abstain, 0.0)
        for choice in self.all:
            label = dict(choice.votes).get(task)
            if label is not None:
                found[label] += shares.get(choice.name, 0.0)
            elif choice.votes == own[: len(choice.votes)]:  # it stops above the task
                undecided += shares.get(choice.name, 0.0)
        total = sum(found.values()) + undecided
        return {label: (share + undecided / len(labels)) / total for label, share in found.items()}
