"""What labeling functions read beside columns, on one chunk: outputs of preprocessors, and votes of other LFs."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from metalwork._checks import ABSTAIN, FAILED
from metalwork.errors import LabelingError
from metalwork.labeling._alphabets import Soft
from metalwork.labeling._chunk import Chunk, Values
from metalwork.labeling._guard import Watch, calls_functions
from metalwork.labeling._preprocess import Preprocessor
from metalwork.labeling._returns import Reader
from metalwork.labeling._votes import Votes, arguments, call_all
from metalwork.votes import Alphabet

Watching = Callable[[int, bool], AbstractContextManager[Watch]]
"""Guards a preprocessor while it runs, given its position and whether it takes a batch."""


class Keeper(Protocol):
    """Keeps the outputs of preprocessors."""

    def recall(self, made: Preprocessor, chunk: Chunk) -> Values | None:
        """What was kept of these records; None where nothing was."""

    def keep_output(self, made: Preprocessor, chunk: Chunk, values: Values) -> None:
        """Keep what was made just now."""


def make(
    made: Preprocessor, chunk: Chunk, keeper: Keeper | None, around: Callable[[], AbstractContextManager[Watch]]
) -> Values:
    """The output of a preprocessor on a chunk, and by row why there is none."""
    known = None if keeper is None else keeper.recall(made, chunk)
    if known is not None:
        return known
    with around() as watch:
        values, why = (_make_at_once if made.batch else _make_each)(made, chunk, watch)
    found = values, {row: f"it needs {made.output!r}, which failed: {reason}" for row, reason in why.items()}
    if keeper is not None:
        keeper.keep_output(made, chunk, found)
    return found


def _make_each(made: Preprocessor, chunk: Chunk, watch: Watch) -> tuple[list[Any], dict[int, str]]:
    try:
        values, why = call_all(made, chunk, watch)
    except LabelingError as error:
        return [None] * len(chunk), dict.fromkeys(range(len(chunk)), str(error))
    for row in why:
        values[row] = None
    return values, why


@calls_functions
def _make_at_once(made: Preprocessor, chunk: Chunk, watch: Watch) -> tuple[list[Any], dict[int, str]]:
    columns, why = arguments(made, chunk)
    rows = [row for row in range(len(chunk)) if row not in why]
    values: list[Any] = [None] * len(chunk)
    for reason in watch.task.skip.values():
        return values, dict.fromkeys(rows, reason) | why
    watch.mark(0)
    try:
        with watch.timing(()):
            results = list(made.function(*([column[row] for row in rows] for column in columns))) if rows else []
    except BaseException as error:
        if watch.is_interrupt(error):
            raise
        return values, dict.fromkeys(rows, watch.reason(error)) | why
    if len(results) != len(rows):
        text = f"it returned {len(results)} results for a batch of {len(rows)} records"
        return values, dict.fromkeys(rows, text) | why
    _scatter(results, rows, values)
    return values, why


def _scatter(results: Sequence[Any], rows: Sequence[int], values: list[Any]) -> None:
    for row, result in zip(rows, results, strict=True):
        values[row] = result


def said(name: str, votes: Votes, reader: Reader) -> Values:
    """What an LF said of each record: a label, a set of labels, probabilities of labels, or None."""
    values: list[Any] = [None] * len(votes.codes)
    for column, numbers in enumerate(votes.numbers):
        labels: dict[int, str] = {}
        for label, (at, code) in reader.places.items():
            if at == column:
                labels.setdefault(code, label)
        meant: dict[int, Any] = dict(labels)
        for outcome, number in numbers.others.items():
            if isinstance(outcome, Soft):
                shares = Alphabet.of_soft_votes(numbers.n_labels).rows[outcome.code]
                meant[number] = {label: float(shares[code]) for code, label in labels.items()}
            else:
                meant[number] = frozenset(labels[code] for code in outcome if code in labels)
        codes = votes.codes[:, column].tolist()
        for row in np.flatnonzero(votes.codes[:, column] != ABSTAIN).tolist():
            values[row] = meant.get(codes[row])
    failed = np.flatnonzero((votes.codes == FAILED).any(axis=1)).tolist()
    return values, dict.fromkeys(failed, f"it needs {name!r}, which failed")
