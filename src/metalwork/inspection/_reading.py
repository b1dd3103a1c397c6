"""Making the records that are shown: only their rows are read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from metalwork._checks import FloatArray
from metalwork.inspection._facts import SplitFacts
from metalwork.inspection._query import pattern_of
from metalwork.inspection._record import InspectedRecord, Moved, Span
from metalwork.inspection._split import Rows
from metalwork.label_models import LabelModel
from metalwork.labeling import LabelingFunction, ReadRecord
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix


class RecordReader:
    """Reads records of a split, and what is said of each.

    Parameters
    ----------
    schema : TaskSchema
    lfs : mapping of column of the label matrix to LabelingFunction
    fields : tuple of str
        The columns that are shown.
    label_model : LabelModel, optional
    """

    def __init__(
        self,
        schema: TaskSchema,
        lfs: Mapping[str, LabelingFunction],
        fields: tuple[str, ...],
        label_model: LabelModel | None,
    ) -> None:
        self._schema, self._lfs, self._fields, self._model = schema, lfs, fields, label_model

    def read(
        self,
        facts: SplitFacts,
        rows: Rows,
        search: str | None = None,
        scores: FloatArray | None = None,
        silent: bool = False,
    ) -> list[InspectedRecord]:
        """The records at ``rows``; with ``silent``, also what LFs found that abstain, for it is negated."""
        if not len(rows):
            return []
        read, votes, covered = facts.data.rows(rows), self._votes(facts, rows), facts.covered[rows]
        labels, end = (self._probabilities(facts, model, rows) for model in ("labels", "end"))
        tied = facts.tied()[rows] if labels is not None else np.zeros(len(rows), bool)
        found = []
        for i, values in enumerate(read.frame.iter_rows(named=True)):
            cast = {votes.names[j]: votes.vote_name(j, int(votes.codes[i, j])) for j in _voters(votes, i)}
            spans, reasons = self._why(values, cast, silent)
            record = InspectedRecord(
                split=facts.name,
                row=int(rows[i]),
                id=read.ids[i],
                fields={name: values[name] for name in self._fields if name in values},
                spans=(*spans, *self._searched(values, search)),
                reasons=reasons,
                votes=_by_task(votes, cast),
                posterior={} if labels is None else _by_label(labels, i),
                end_posterior=None if end is None else _by_label(end, i),
                known=self._known(facts, int(rows[i])),
                predicted=None if labels is None or not covered[i] else _leading(labels, i),
                end_predicted=None if end is None else _leading(end, i),
                n_votes=len(cast),
                tied=bool(tied[i]),
                score=None if scores is None else float(scores[i]),
                _explain=None if self._model is None else self._explainer(votes.rows([i])),
            )
            found.append(record)
        return found

    def _votes(self, facts: SplitFacts, rows: Rows) -> LabelMatrix:
        number = np.searchsorted(facts.starts, rows, side="right") - 1
        order = np.argsort(number, kind="stable")
        parts = [
            facts.votes_on(own).rows(rows[number == own] - facts.starts[own]) for own in np.unique(number).tolist()
        ]
        return LabelMatrix.concatenate(parts).rows(np.argsort(order, kind="stable"))

    def _probabilities(self, facts: SplitFacts, model: str, rows: Rows) -> TaskProbabilities | None:
        there = facts.data.labels if model == "labels" else facts.data.end
        return None if there is None else facts.probabilities(model, rows)

    def _why(
        self, values: Mapping[str, Any], cast: Mapping[str, str], silent: bool
    ) -> tuple[list[Span], dict[str, str]]:
        """What LFs found in a record, and of those that vote without marking a word, what they go by."""
        spans, reasons, record = list[Span](), dict[str, str](), ReadRecord(values)
        for name, lf in self._lfs.items():
            if name not in cast and not silent:
                continue
            matches = record.found(lf)
            spans += [Span(m.field, m.start, m.stop, name, cast.get(name), m.negated_by) for m in matches]
            if name in cast and not matches:
                reasons[name] = record.said(lf) or f"reads {', '.join(lf.fields)}"
        return spans, reasons

    def _searched(self, values: Mapping[str, Any], search: str | None) -> Iterator[Span]:
        if search is None:
            return
        for name in self._fields:
            if isinstance(values.get(name), str):
                yield from _spans_of(name, pattern_of(search), values[name])

    def _known(self, facts: SplitFacts, row: int) -> str | None:
        return None if facts.data.known is None else known_name(self._schema, facts.data.known[row])

    def _explainer(self, votes: LabelMatrix) -> Any:
        def explain() -> tuple[Moved, ...]:
            if self._model is None:
                return ()
            return tuple(Moved(effect.lf, effect.effect) for effect in self._model.explain(votes, 0))

        return explain


def known_name(schema: TaskSchema, known: Rows) -> str | None:
    """The label that is known of a record, of which ``known`` (n_tasks,) is: an end label, or an inner one."""
    end = int(schema.end_of(known[None])[0])
    if end >= 0:
        return schema.end_labels[end]
    depths = [schema.depth(task) if code >= 0 else -1 for task, code in zip(schema.tasks, known, strict=True)]
    deepest = int(np.argmax(depths))
    if depths[deepest] < 0:
        return None
    place = (deepest, int(known[deepest]))
    return next(name for name, own in schema.label_names.places.items() if own == place)


def _spans_of(name: str, pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    return (Span(name, *found.span(), "", None, None) for found in pattern.finditer(text) if found.group())


def _voters(votes: LabelMatrix, row: int) -> Sequence[int]:
    voters: Sequence[int] = np.flatnonzero(votes.codes[row] >= 0).tolist()
    return voters


def _by_task(votes: LabelMatrix, cast: Mapping[str, str]) -> dict[str, tuple[tuple[str, str], ...]]:
    task = dict(zip(votes.names, votes.tasks, strict=True))
    by_task: dict[str, tuple[tuple[str, str], ...]] = {}
    for name, vote in cast.items():
        by_task[task[name]] = (*by_task.get(task[name], ()), (name, vote))
    return by_task


def _leading(probs: TaskProbabilities, row: int) -> str:
    return probs.schema.end_labels[int(probs.rows([row]).predict()[0])]


def _by_label(probs: TaskProbabilities, row: int) -> dict[str, dict[str, float]]:
    one = probs.rows([row])
    return {
        task: dict(zip(probs.schema.labels(task), one[task][0].tolist(), strict=True))
        for task in probs.schema.tasks
    }
