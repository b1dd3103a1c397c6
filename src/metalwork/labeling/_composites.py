"""Labeling functions made of others: and, or, not."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from metalwork.errors import LabelingError
from metalwork.labeling._declared import YES, ColumnRule, Reading, Verdicts
from metalwork.labeling._explain import Explanation, Match
from metalwork.labeling._function import LabelingFunction

_SIGNS: Final = {"all": " & ", "any": " | "}


class CompositeRule(ColumnRule):
    """Holds where all or any of its parts do, or where its one part does not (``how``: "all", "any", "not").

    ``is_open`` says that it has no label or name of its own, so that further parts may join its own.
    """

    def __init__(
        self, how: str, lfs: Sequence[LabelingFunction], fields: Sequence[str], labels: tuple[str, ...]
    ) -> None:
        self.how, self.labels, self.lfs, self.is_open = how, labels, tuple(lfs), True
        self.places = tuple(tuple(fields.index(field) for field in lf.fields) for lf in lfs)

    def verdicts(self, reading: Reading, fields: Sequence[str]) -> Verdicts:
        said = [part.verdicts(reading, own) for _, part, own in self._read(fields)]
        truths = np.stack([one.truth for one in said])
        truth = truths.max(axis=0) if self.how == "any" else truths.min(axis=0)
        why = {row: reason for one in reversed(said) for row, reason in one.why.items()}
        return Verdicts((YES - truth if self.how == "not" else truth).astype(np.int8), why)

    def leaves(self, fields: Sequence[str]) -> Iterator[tuple[ColumnRule, tuple[str, ...]]]:
        for _, part, own in self._read(fields):
            yield from part.leaves(own)

    def found(self, reading: Reading, fields: Sequence[str]) -> tuple[Match, ...]:
        return tuple(match for _, part, own in self._read(fields) for match in part.found(reading, own))

    def explained(self, name: str, reading: Reading, fields: Sequence[str]) -> Explanation:
        parts = tuple(part.explained(own_name, reading, own) for own_name, part, own in self._read(fields))
        own = super().explained(name, reading, fields)
        if len(parts) == 1 and self.how != "not":  # a part under another name or label
            return replace(parts[0], name=name, vote=own.vote)
        return replace(own, said="", parts=parts)

    def _read(self, fields: Sequence[str]) -> Iterator[tuple[str, ColumnRule, tuple[str, ...]]]:
        for lf, places in zip(self.lfs, self.places, strict=True):
            rule: Any = lf.function
            yield lf.name, rule, tuple(fields[place] for place in places)


def combined(how: str, lfs: Sequence[LabelingFunction], name: str | None = None) -> LabelingFunction:
    """The LF that votes where all or any of ``lfs`` do, or where the one LF does not."""
    for lf in lfs:
        if not isinstance(lf.function, ColumnRule):
            raise LabelingError(
                f"parts of a composite must be keywords, regex, threshold, equals or composites of these; got LF "
                f"{lf.name!r}. In a function of your own, call it."
            )
    lfs = [part for lf in lfs for part in _joining(how, lf)]
    own_name = name or _name(how, lfs)
    named = {(lf.task, label) for lf in lfs for label in lf.labels or ()} if how != "not" else set()
    if len(named) > 1:
        labels_of = " and ".join(sorted(f"{label!r} of {task!r}" for task, label in named))
        raise LabelingError(
            f"parts of LF {own_name!r} must vote for one label; got {labels_of}. "
            "Say what a part stands for: part.voting('label', task='...')."
        )
    fields = tuple(dict.fromkeys(field for lf in lfs for field in lf.fields))
    labels = tuple(label for _, label in named)
    task = next((task for task, _ in named), lfs[0].task)
    return LabelingFunction(task, own_name, fields, CompositeRule(how, lfs, fields, labels))


def relabelled(lf: LabelingFunction, label: str, task: str | None, name: str | None) -> LabelingFunction:
    """The LF with the condition of ``lf`` that votes another label."""
    for what, value in (("label", label), ("task", task or lf.task), ("name", name or lf.name)):
        if not isinstance(value, str) or not value:
            raise LabelingError(f"{what} of LF {name or lf.name!r} must be a text; got {value!r}.")
    rule: Any = lf.function if isinstance(lf.function, CompositeRule) else combined("all", [lf]).function
    rule = copy.copy(rule)
    rule.labels, rule.is_open = (label,), False
    return LabelingFunction(task or lf.task, name or lf.name, lf.fields, rule)


def _joining(how: str, lf: LabelingFunction) -> Sequence[LabelingFunction]:
    rule = lf.function
    joins = isinstance(rule, CompositeRule) and rule.is_open and rule.how == how != "not"
    return rule.lfs if joins and isinstance(rule, CompositeRule) else (lf,)


def _name(how: str, lfs: Sequence[LabelingFunction]) -> str:
    if how == "not":
        return f"~{_part(lfs[0])}"
    return _SIGNS[how].join(map(_part, lfs))


def _part(lf: LabelingFunction) -> str:
    return f"({lf.name})" if isinstance(lf.function, CompositeRule) and len(lf.function.lfs) > 1 else lf.name
