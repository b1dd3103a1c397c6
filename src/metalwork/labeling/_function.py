"""Labeling functions: a task, the columns they read, and a callable that names a label."""

import copy
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, cast

from metalwork._checks import ABSTAIN, check_count, check_instance
from metalwork._names import as_written, is_missing, is_whole, plain_name
from metalwork.data import Kind
from metalwork.errors import LabelingError
from metalwork.labeling._annotations import asked_kinds
from metalwork.labeling._arguments import argument_names, check_fields, check_text
from metalwork.labeling._async import AsyncRule
from metalwork.labeling._batch import BatchRule
from metalwork.labeling._explain import Explanation
from metalwork.labeling._returns import Spaces

Function = Callable[..., Any]


class DeclaredLabels(ABC):
    """A callable whose ``labels`` are those it may return, so that a wrong one is found before anything runs."""

    labels: tuple[str, ...]


class ReadsColumns(DeclaredLabels):
    """A callable that knows the columns of a record by their names."""

    @abstractmethod
    def label_of(self, values: Sequence[Any], fields: Sequence[str]) -> Any:
        """The label of one record with ``values`` in the columns ``fields``."""


class AsksSchema(ABC):
    """A callable that must know what it votes on before it is called; ``apply`` tells it."""

    @abstractmethod
    def knowing(self, space: Spaces, task: str | None) -> Function:
        """What to call on records of which ``space`` is asked; a ``BatchRule`` to be called on many at once."""


class ReadsRecords(ABC):
    """A callable that takes the values of all columns, whichever the records have; ``apply`` tells it which."""

    @abstractmethod
    def reading(self, columns: tuple[str, ...]) -> Function:
        """What to call with the values of ``columns``, in this order."""


@dataclass(frozen=True, eq=False)
class LabelingFunction:
    """A labeling function (LF): a noisy, partial source of labels for one task.

    Call it on values to try it: ``quarterly("quarterly profit rose")``. It may be pickled with cloudpickle.

    Attributes
    ----------
    task : str or None
        The task it votes on; None where it may vote for labels of all tasks of the tree.
    name : str
        Distinct among the LFs of a label matrix.
    fields : tuple of str
        The columns whose values it is called with, in order; none where it reads whole records.
    function : callable
        Takes one value a field; returns what :func:`from_callable` says.
    kinds : tuple of float, int, bool, str or None
        The type that text in the column of each field is read as; None leaves it as it is.
    cache : bool
        Whether its votes may be kept for another time.
    """

    task: str | None
    name: str
    fields: tuple[str, ...]
    function: Function
    kinds: tuple[Kind | None, ...] = ()
    cache: bool = True

    def __post_init__(self) -> None:
        if not self.kinds:
            object.__setattr__(self, "kinds", (None,) * len(self.fields))
        if isinstance(self.task, str):  # as the schema has it
            object.__setattr__(self, "task", plain_name(self.task))

    def __call__(self, *values: Any, **named: Any) -> Any:
        function: Any = self.function
        if isinstance(function, ReadsColumns):
            values = (*values, *(named[field] for field in self.fields[len(values) :]))
            return function.label_of(values, self.fields)
        return self.function(*values, **named)

    def __repr__(self) -> str:
        return f"LabelingFunction({self.name!r}, task={self.task!r}, fields={list(self.fields)})"

    def __and__(self, other: "LabelingFunction") -> "LabelingFunction":
        """Votes where both do; see :meth:`voting` for the label."""
        return self._with("all", other)

    def __or__(self, other: "LabelingFunction") -> "LabelingFunction":
        """Votes where either does; see :meth:`voting` for the label."""
        return self._with("any", other)

    def __invert__(self) -> "LabelingFunction":
        """Holds where this one looked and does not vote; says no label of its own: see :meth:`voting`."""
        return self._with("not")

    def _with(self, how: str, *others: "LabelingFunction") -> "LabelingFunction":
        from metalwork.labeling._composites import combined

        if not all(isinstance(other, LabelingFunction) for other in others):
            return cast(LabelingFunction, NotImplemented)
        return combined(how, [self, *others])

    def voting(self, label: str, task: str | None = None, name: str | None = None) -> "LabelingFunction":
        """The same condition, which votes ``label`` (of ``task``, this one's by default) where it holds.

        Declarative LFs (keywords, regex, thresholds, equals) are combined with ``&``, ``|`` and ``~``. A composite
        votes the label of its parts, which must be the same one; parts under ``~`` say none. With ``voting`` it
        votes any label. A missing value is neither so nor not so: where a part has nothing to look at, neither it
        nor its ``~`` holds; ``|`` holds all the same where its other part does. A value that cannot be read is a
        failure.

        Examples
        --------
        >>> import metalwork as mw
        >>> oil = mw.keywords("market", "Commodity", ["oil"])
        >>> lf = oil & ~mw.keywords("market", "Commodity", ["palm oil", "oil paint*"])
        >>> lf("Oil rose."), lf("Palm oil rose."), lf(None)
        ('Commodity', None, None)
        >>> (~oil).voting("Money", name="no oil")("Gilts rose.")
        'Money'
        """
        from metalwork.labeling._composites import relabelled

        return relabelled(self, label, task, name)

    def explain(self, *values: Any, **named: Any) -> "Explanation":
        """Its vote on one record, and why: what it found, where, what negates it, which parts hold.

        Parameters
        ----------
        *values, **named
            As for a call: a value a field, in their order or by name.

        Examples
        --------
        >>> import metalwork as mw
        >>> effusion = mw.keywords("finding", "Effusion", ["pleural effusion"], negated_by=True)
        >>> print(effusion.explain("No pleural effusion."))
        Effusion: pleural effusion: abstains ('pleural effusion' at 3, negated by 'No')
        """
        from metalwork.labeling._declared import explained

        return explained(self, values, named)

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The labels it may return where they are known before it runs, else None."""
        return self.function.labels if isinstance(self.function, DeclaredLabels) else None

    def knowing(self, space: Spaces) -> "LabelingFunction":
        """The same once it knows what is asked, where it must."""
        function: Any = self.function
        return (
            replace(self, function=function.knowing(space, self.task))
            if isinstance(function, AsksSchema)
            else self
        )

    def reading(self, columns: Sequence[str]) -> "LabelingFunction":
        """The same once it knows which columns the records have, where it reads all of them."""
        function: Any = self.function
        if self.fields or not isinstance(function, ReadsRecords):
            return self
        names = tuple(columns)
        return replace(self, fields=names, function=function.reading(names), kinds=(None,) * len(names))

    def columns(self, tasks: Sequence[str]) -> list[tuple[str, str]]:
        """Name and task of its columns of a label matrix: one, or without a task one for each of ``tasks``."""
        return [(self.name, self.task)] if self.task is not None else [(f"{self.name}[{t}]", t) for t in tasks]


def runs_python(lf: LabelingFunction) -> bool:
    """Whether it calls code that is not metalwork's own."""
    function: Any = lf.function
    while (inner := getattr(function, "function", None)) is not None and _is_ours(function):
        function = inner
    return not _is_ours(function)


def _is_ours(function: Any) -> bool:
    home = getattr(function, "__module__", None) or type(function).__module__
    return str(home).split(".")[0] == "metalwork"


def labeling_function(
    task: str | None,
    name: str | None = None,
    fields: Sequence[str] | None = None,
    *,
    batch: bool = False,
    concurrency: int | None = None,
    cache: bool | None = None,
) -> Callable[[Function], LabelingFunction]:
    """Make a labeling function of the function below; its argument names are column names.

    Parameters
    ----------
    task : str or None
        The task it votes on. None: it may return labels of all tasks of the tree.
    name : str, optional
        The function's own name by default.
    fields : sequence of str, optional
        What to call it with, where that is not named like its arguments: columns of the records, outputs of
        preprocessors (:func:`metalwork.preprocessor`), or other LFs by name, whose votes it then gets. An argument
        that has a default is none of these.
    batch, concurrency, cache
        As :func:`from_callable` says.

    An argument that is annotated as float, int or bool, optional or not, has text read as that, which the
    columns of CSV files hold: ``def large(amount: float)``. A missing value is None in any case; a value that
    cannot be read so is a failure on its record. The function returns what :func:`from_callable` says: a label,
    a set of labels, probabilities of labels, or an abstain.

    Examples
    --------
    >>> import metalwork as mw
    >>> @mw.labeling_function(task="sector")
    ... def quarterly(text):
    ...     return "Corporate" if "quarterly" in text else mw.ABSTAIN
    >>> quarterly("quarterly profit rose")
    'Corporate'
    """
    if task is not None and not isinstance(task, str):
        raise LabelingError(
            f"task must be the name of a task; got {task!r}. Write @labeling_function(task='...')."
        )
    options: dict[str, Any] = {"batch": batch, "concurrency": concurrency, "cache": cache}
    return lambda function: from_callable(function, task, fields, name, **options)


def from_callable(
    function: Function,
    task: str | None,
    fields: Sequence[str] | None = None,
    name: str | None = None,
    *,
    batch: bool = False,
    concurrency: int | None = None,
    cache: bool | None = None,
) -> LabelingFunction:
    """A labeling function from any callable: a function, a method, a model's predict for one record or for many.

    Parameters
    ----------
    function : callable
        Takes one value a field. Returns a label name of ``task``; a set or list of them (one of these);
        ``mw.Not("label")`` (any but this); a dict from labels to probabilities (a soft vote, in which labels left
        out share what is missing to 1); or ``ABSTAIN`` (-1), None or an empty set.
    task : str or None
        None: it may return labels of all tasks of the tree, by name where that is unique or by path
        (``"Markets/Money"``), and has a column a task in the label matrix, called ``"name[task]"``. To vote on
        several tasks at once it returns :class:`metalwork.labeling.ByTask`.
    fields : sequence of str, optional
        What to call it with, as :func:`labeling_function` says; by default the names of its arguments that have
        no default value.
    name : str, optional
        The callable's own name by default.
    batch : bool
        The callable takes many records at once, as models do: a list of values a field, None where one is
        missing (annotate ``amount: list[float]`` to have text read as numbers). It returns a list, array or
        column with one of the above a record; or a float array (n_records, n_labels) of probabilities in the
        order of the task's labels, NaN where it says nothing. In place of a vote, an exception says that it failed
        on that record, and why. How many records come at a time is up to
        :func:`metalwork.apply` (``chunk_size``), so each must be judged by itself. If it raises, it has failed on
        all of them.
    concurrency : int, optional
        Of a function that is written as ``async def``: on how many records at a time it waits; 16 by default.
    cache : bool, optional
        Whether ``apply`` may keep its votes for another time. Say False where the same record may get another
        vote: for what asks the network, the clock or chance. True by default, and False for ``async def``.

    Raises
    ------
    LabelingError
        When the callable does not tell its columns or name.
    """
    if isinstance(function, LabelingFunction) or not callable(function):
        raise LabelingError(
            f"function must be a plain callable; got {function!r}. Pass a function or an object with __call__."
        )
    if name is None:
        name = getattr(function, "__name__", None)
        if name is None or name == "<lambda>":
            raise LabelingError(
                f"name must be given for {function!r}, which has none of its own. Pass name='...'."
            )
    what = f"LF {name!r}"
    columns = argument_names(function, what) if fields is None else check_fields(fields, what)
    checked = None if task is None else check_text(f"task of {what}", task)
    kinds = asked_kinds(function, len(columns), in_lists=batch)
    rule = _rule(function, what, batch, concurrency)
    kept = not isinstance(rule, AsyncRule) if cache is None else bool(cache)
    return LabelingFunction(checked, check_text(f"name of {what}", name), columns, rule, kinds, kept)


def written(function: Function) -> Function:
    """The function as its author wrote it, without what calls it on many records."""
    return function.function if isinstance(function, BatchRule | AsyncRule) else function


def _rule(function: Function, what: str, batch: bool, concurrency: int | None) -> Function:
    """What stands for the function: itself, or what calls it on many records."""
    call = getattr(function, "__call__", function)  # noqa: B004 (of an object: its method)
    if any(inspect.isgeneratorfunction(part) or inspect.isasyncgenfunction(part) for part in (function, call)):
        raise LabelingError(f"{what} must return one vote; it is a generator. Use return.")
    if any(map(inspect.iscoroutinefunction, (function, call))):
        if batch:
            raise LabelingError(f"{what} must be either asynchronous or batch=True; it is both. Use one of them.")
        n_waiting = 16 if concurrency is None else check_count(f"concurrency of {what}", concurrency)
        return AsyncRule(function, n_waiting)
    if concurrency is not None:
        raise LabelingError(f"concurrency of {what} must be left out; its function is not written as async def.")
    return BatchRule(function) if batch else function


class ColumnVotes(AsksSchema):
    """Reads another source's labels from a column, by name; empty, null and -1 abstain."""

    def __init__(self, task: str, column: str, mapping: Mapping[Any, Any] | None) -> None:
        self.task, self.column, self.labels = task, column, frozenset[str]()
        self.mapping = None if mapping is None else {key: _label_of(label) for key, label in mapping.items()}
        self._written = {name: label for key, label in (self.mapping or {}).items() for name in as_written(key)}

    def knowing(self, space: Spaces, task: str | None) -> Self:
        """The same for a task of known labels, of which one may be called "-1"."""
        known = copy.copy(self)
        known.labels = frozenset(map(plain_name, space.labels(task or self.task)))
        return known

    def __call__(self, value: Any) -> Any:
        if self.mapping is not None and value in self.mapping:
            return self.mapping[value]
        if is_missing(value):
            return None
        names = as_written(value)
        if self.mapping is not None and (name := next(filter(self._written.__contains__, names), None)):
            return self._written[name]
        if str(ABSTAIN) in names and str(ABSTAIN) not in self.labels:
            return None
        if self.mapping is not None:
            raise LabelingError(
                f"the value {value!r} of column {self.column!r} is not in the mapping. "
                f"Map it to a label of task {self.task!r}, or to mw.ABSTAIN (null in a project file)."
            )
        named = next(filter(self.labels.__contains__, names), names[0])
        if self.labels and named not in self.labels and not isinstance(value, str):
            raise LabelingError(
                f"column {self.column!r} must hold labels of task {self.task!r}; got {value!r}. "
                "Pass mapping={...} from the column's values to labels."
            )
        return named


def _label_of(value: Any) -> Any:
    """A label of a mapping; a whole number is a name, as in a schema, and -1 an abstain."""
    return str(value) if is_whole(value) and value != ABSTAIN else value


def from_column(
    task: str, column: str, mapping: Mapping[Any, Any] | None = None, name: str | None = None
) -> LabelingFunction:
    """A labeling function that reads its votes from a column: another model's labels, or a crowd worker's.

    Parameters
    ----------
    task, column : str
    mapping : dict, optional
        From the column's values to label names (or ``ABSTAIN``); needed where the column holds something else
        than label names. A value outside it is an error. Null, NaN, blank text and -1 abstain.
    name : str, optional
        The column's name by default.

    Values are names: the number 1 stands for the label "1", and -1 abstains unless a label is called so.
    """
    lf_name = column if name is None else name
    if mapping is not None:
        check_instance(f"mapping of LF {lf_name!r}", mapping, Mapping)
    return LabelingFunction(
        task, lf_name, check_fields((column,), f"LF {lf_name!r}"), ColumnVotes(task, column, mapping)
    )
