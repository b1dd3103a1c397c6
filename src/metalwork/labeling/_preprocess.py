"""Preprocessors: what several labeling functions read that must be computed first, once a record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakValueDictionary

from metalwork.data import Kind
from metalwork.errors import LabelingError
from metalwork.labeling._annotations import asked_kinds
from metalwork.labeling._arguments import argument_names, check_fields, check_text
from metalwork.labeling._function import Function, LabelingFunction, written
from metalwork.labeling._origins import home_of

_REGISTRY: Final = "__metalwork_preprocessors__"
"""Under this name a module's preprocessors are found by their output, also those made inside of a function."""


@dataclass(frozen=True, eq=False)
class Preprocessor:
    """Makes of columns what labeling functions name like a column: see :func:`preprocessor`.

    Call it on values to try it.

    Attributes
    ----------
    output : str
        What labeling functions call its result.
    fields : tuple of str
        Columns, or outputs of other preprocessors, whose values it is called with.
    function : callable
    kinds : tuple of float, int, bool, str or None
        The type that text in the column of each field is read as.
    batch : bool
        Whether the function takes many records at once.
    cache : bool
        Whether results are kept on disk.
    """

    output: str
    fields: tuple[str, ...]
    function: Function
    kinds: tuple[Kind | None, ...]
    batch: bool = False
    cache: bool = False

    def __call__(self, *values: Any, **named: Any) -> Any:
        return self.function(*values, **named)

    def __repr__(self) -> str:
        return f"Preprocessor({self.output!r}, fields={list(self.fields)})"


def preprocessor(
    output: str | None = None, fields: Sequence[str] | None = None, *, batch: bool = False, cache: bool = False
) -> Callable[[Function], Preprocessor]:
    """Compute something once a record for all labeling functions that name it: a parsed text, an embedding.

    Parameters
    ----------
    output : str, optional
        The name under which labeling functions, and other preprocessors, ask for the result as an argument or
        field; the function's own name by default. No column of the records may be called so.
    fields : sequence of str, optional
        Columns, or outputs of other preprocessors, to call the function with; the names of its arguments by
        default. Annotations are read as those of labeling functions.
    batch : bool
        The function takes a list a field and returns a list of as many results: for models that are faster so.
        Each record must be judged by itself.
    cache : bool
        Keep results on disk, for functions that take long. They must be texts, numbers, truth values, None, arrays
        of numbers, or lists and dicts of such.

    It runs only where a labeling function (LF) that asks for the result is run, and at most once a record. Where
    it raises, each of these LFs has failed on that record. LFs get lists, dicts and sets as copies of their own;
    other objects are shared, and must not be changed.

    ``apply`` finds the preprocessors that are defined in, or imported into, the modules of its labeling functions;
    others are passed as ``preprocessors=[...]``.

    Examples
    --------
    >>> import metalwork as mw
    >>> @mw.preprocessor(output="words")
    ... def split(text):
    ...     return text.lower().split()
    >>> @mw.labeling_function(task="kind")
    ... def greets(words):
    ...     return "mail" if "hello" in words else None
    >>> votes = mw.apply([greets], ["Hello you", "Buy"], mw.TaskSchema.flat(["mail", "spam"], task="kind"))
    >>> votes.codes[:, 0].tolist()
    [0, -1]
    """

    def decorate(function: Function) -> Preprocessor:
        if isinstance(function, LabelingFunction | Preprocessor) or not callable(function):
            raise LabelingError(f"A preprocessor must be a plain callable; got {function!r}. Pass a function.")
        name = output if output is not None else getattr(function, "__name__", None)
        name = check_text("output of a preprocessor", name)
        what = f"preprocessor {name!r}"
        columns = argument_names(function, what) if fields is None else check_fields(fields, what)
        kinds = asked_kinds(function, len(columns), in_lists=batch)
        made = Preprocessor(name, columns, function, kinds, batch, cache)
        home = home_of(function)
        if home is not None:
            home.setdefault(_REGISTRY, WeakValueDictionary())[name] = made
        return made

    return decorate


def preprocessors_in(names: dict[str, Any] | None) -> dict[str, Preprocessor]:
    """By output, the preprocessors that a module's names hold, and those defined in its functions."""
    if names is None:
        return {}
    found = {value.output: value for value in names.values() if isinstance(value, Preprocessor)}
    return found | dict(names.get(_REGISTRY, {}))


def in_modules_of(lf: LabelingFunction) -> dict[str, Preprocessor]:
    """Those of the module that an LF's function was written in."""
    return preprocessors_in(home_of(written(lf.function)))
