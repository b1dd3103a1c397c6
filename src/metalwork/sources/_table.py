"""Labels out of tables: what a knowledge base says of a value, and what each worker of a crowd said."""

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from metalwork._checks import ABSTAIN
from metalwork._names import as_written, is_missing, plain_name, unknown_name
from metalwork.data import read_records
from metalwork.errors import DataError, LabelingError
from metalwork.labeling import AsksSchema, LabelingFunction, Spaces
from metalwork.sources._source import check_fields, check_text
from metalwork.text import normalised

Label = str | set[str]
Keys = Callable[[Any], tuple[str, ...]]


def from_table(
    task: str | None,
    table: Any,
    field: str,
    *,
    key: str | None = None,
    label: str = "label",
    labels: Mapping[Any, Any] | None = None,
    ignore_case: bool = True,
    name: str | None = None,
) -> LabelingFunction:
    """A labeling function that looks a column of the records up in a table: a knowledge base, a list of codes.

    Parameters
    ----------
    task : str or None
        None: the table holds labels of all tasks of the tree.
    table : dict, data frame, list of dicts, file or files
        A dict from keys to a label or a list of labels; or whatever :func:`metalwork.data.read_records` takes,
        with columns ``key`` and ``label``.
    field : str
        The column of the records. A value that the table does not hold abstains.
    key, label : str
        The table's columns; its key is called like ``field`` by default. Rows without a label say nothing. A key
        that stands in several rows with different labels votes for one of these.
    labels : dict, optional
        From what stands in the column ``label`` to labels of the task; None for what says nothing. By default
        labels are called so.
    ignore_case : bool
        Keys and values are compared without blanks around them, in one spelling of Unicode, and by default
        whatever their letter case. Numbers are compared as they are written; 1.0 is also 1.
    name : str, optional
        ``"<field>: <label>"`` by default.

    Raises
    ------
    LabelingError
        When the table holds no key, or a label that is none of the task's; the latter by ``apply``.
    DataError
        When the table cannot be read.

    Examples
    --------
    >>> import metalwork as mw
    >>> schema = mw.TaskSchema.flat(["Metal", "Grain"], task="kind")
    >>> table = [{"good": "Gold", "label": "Metal"}, {"good": "wheat", "label": "Grain"}]
    >>> lf = mw.from_table("kind", table, "good")
    >>> mw.apply([lf], [{"good": "WHEAT"}, {"good": " gold "}, {"good": "tea"}], schema).codes[:, 0].tolist()
    [1, 0, -1]
    """
    lf_name = check_text("name of an LF", f"{check_text('field', field)}: {label}" if name is None else name)
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(table, Mapping):
        pairs = table.items()
    else:
        frame = _read(table, [key or field, label], f"table of LF {lf_name!r}")
        pairs = zip(frame[key or field], frame[label], strict=True)
    keys = _folded if ignore_case else _plain
    found: dict[str, set[str]] = {}
    others: dict[str, str] = {}
    known = _by_name(labels)
    for own, several in pairs:
        said = {text for each in _each(several) if (text := _said(each, known, lf_name)) is not None}
        if said and not is_missing(own):
            first, *rest = keys(own)
            found.setdefault(first, set()).update(said)
            others |= dict.fromkeys(rest, first)
    if not found:
        raise LabelingError(f"table of LF {lf_name!r} must hold at least one key with a label; it holds none.")
    entries: dict[str, Label] = {text: said.pop() if len(said) == 1 else said for text, said in found.items()}
    entries = {text: entries[first] for text, first in others.items()} | entries
    rule = _Table(lf_name, entries, keys)
    return LabelingFunction(task, lf_name, check_fields(field, lf_name), rule)


def from_crowd(
    task: str | None,
    answers: Any,
    field: str = "id",
    *,
    record: str = "record",
    worker: str = "worker",
    label: str = "label",
    labels: Mapping[Any, Any] | None = None,
) -> list[LabelingFunction]:
    """Labeling functions of a crowd: one a worker, from a table with one row an answer.

    Parameters
    ----------
    task : str or None
        None: answers are labels of all tasks of the tree.
    answers : data frame, list of dicts, file or files
        Whatever :func:`metalwork.data.read_records` takes.
    field : str
        The column of the records by which answers find them. Records without an answer abstain; answers on records
        that are not there are not used.
    record, worker, label : str
        The columns of ``answers``. A row without a label is no answer.
    labels : dict, optional
        From answers to labels of the task; None for an answer that says nothing. By default they are called alike.

    Returns
    -------
    list of LabelingFunction
        Called like the workers, in the order in which these come up. In a project's Python file, give the list a
        name: its functions are found there. Beside other LFs they are weighed as these are; for a crowd alone,
        :meth:`metalwork.LabelMatrix.from_long` needs no records.

    Raises
    ------
    LabelingError
        When a worker gives one record two labels, or when there is no answer.
    DataError
        When the table cannot be read.
    """
    frame = _read(answers, [record, worker, label], "answers")
    known = _by_name(labels)
    people: dict[str, dict[str, Label]] = {}
    for row, (item, who, answer) in enumerate(zip(frame[record], frame[worker], frame[label], strict=True)):
        if is_missing(item) or is_missing(who):
            what, column = ("record", record) if is_missing(item) else ("worker", worker)
            raise LabelingError(f"answers must name the {what} in column {column!r}; got nothing at row {row}.")
        name, key = as_written(who)[-1], _plain(item)[-1]
        if (said := _said(answer, known, name)) is None:
            continue
        if (before := people.setdefault(name, {}).setdefault(key, said)) != said:
            raise LabelingError(
                f"worker {name!r} must give record {key!r} one label; got {before!r} and, at row {row}, {said!r}. "
                "Keep one of them."
            )
    if not people:
        raise LabelingError("answers must hold at least one answer; got none.")
    columns = check_fields(field, next(iter(people)))
    return [LabelingFunction(task, name, columns, _Table(name, own, _plain)) for name, own in people.items()]


class _Table(AsksSchema):
    """Looks one value up; labels are checked once the schema is known."""

    def __init__(self, name: str, table: Mapping[str, Label], keys: Keys) -> None:
        self.name, self.table, self.keys = name, table, keys

    def knowing(self, space: Spaces, task: str | None) -> Self:
        """The same, with labels as the schema writes them."""
        told = copy.copy(self)
        told.name = ""  # from here on it tells LFs from each other no more
        if task is None:
            return told
        own = {plain_name(label): label for label in space.labels(task)}

        def known(label: str) -> str:
            named = next((own[text] for text in as_written(label) if text in own), None)
            if named is None:
                raise LabelingError(
                    f"the table of LF {self.name!r} holds a wrong label. "
                    + unknown_name(f"label of task {task!r}", label, space.labels(task))
                )
            return named

        told.table = {
            text: known(said) if isinstance(said, str) else set(map(known, said))
            for text, said in self.table.items()
        }
        return told

    def __call__(self, value: Any) -> Label | None:
        if is_missing(value):
            return None
        return next((self.table[text] for text in self.keys(value) if text in self.table), None)


def _plain(value: Any) -> tuple[str, ...]:
    """How a key may be written, the nearest first."""
    return tuple(map(normalised, as_written(value)))


def _folded(value: Any) -> tuple[str, ...]:
    return tuple(normalised(text, fold=True) for text in as_written(value))


def _by_name(labels: Mapping[Any, Any] | None) -> Mapping[str, Any] | None:
    return None if labels is None else {text: said for given, said in labels.items() for text in as_written(given)}


def _said(value: Any, known: Mapping[str, Any] | None, name: str) -> str | None:
    """The label of a row of a table; None where it says nothing."""
    if is_missing(value):
        return None
    names = as_written(value)
    if known is None:
        return None if str(ABSTAIN) in names else names[0]
    for text in names:
        if text in known:
            label = known[text]
            return None if label is None or label == ABSTAIN else str(label)
    raise LabelingError(
        f"labels of LF {name!r} must name every label of its table; {value!r} is not among them. "
        "Map it to a label, or to None."
    )


def _each(several: Any) -> Iterable[Any]:
    return several if isinstance(several, list | tuple | set | frozenset) else (several,)


def _read(table: Any, columns: list[str], what: str) -> Any:
    try:
        return read_records(table, list(dict.fromkeys(columns)))
    except DataError as error:
        raise DataError(f"{what}: {error}") from None
