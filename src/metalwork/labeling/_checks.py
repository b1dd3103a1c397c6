"""What is wrong with labeling functions before they run, all at once."""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from typing import Any

from metalwork._names import plain_name
from metalwork.errors import LabelingError
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._inputs import Inputs, Search
from metalwork.labeling._returns import Spaces
from metalwork.schema import TaskSchema, unknown_name


def check_functions(lfs: Any, schema: Any) -> tuple[LabelingFunction, ...]:
    """The LFs as a tuple; ``LabelingError`` lists every one that does not fit the schema."""
    if not isinstance(schema, Spaces):
        raise LabelingError(f"schema must be a TaskSchema; got {schema!r}. Build it with TaskSchema.from_dict.")
    if isinstance(lfs, LabelingFunction) or not isinstance(lfs, Iterable):
        raise LabelingError(f"lfs must be a list of labeling functions; got {lfs!r}. Put it in a list.")
    functions: tuple[Any, ...] = tuple(lfs)
    if not functions:
        raise LabelingError("lfs must hold at least one labeling function; got none.")
    _raise("The labeling functions do not fit the schema", function_faults(functions, schema))
    return functions


def function_faults(lfs: Sequence[Any], schema: Spaces) -> list[str]:
    """One line for each LF that does not fit the schema, and for each name that stands twice."""
    faults = [fault for j, lf in enumerate(lfs) for fault in _faults(j, lf, schema)]
    known = [lf for lf in lfs if isinstance(lf, LabelingFunction)]
    counts = Counter(name for lf in known for name, _ in lf.columns(schema.tasks))
    return faults + [
        f"{n} LFs are called {name!r}. Rename one with name='...'." for name, n in counts.items() if n > 1
    ]


def check_inputs(lfs: Sequence[LabelingFunction], columns: Sequence[str], preprocessors: Any = None) -> Inputs:
    """Where LFs find what they read; ``LabelingError`` lists every name that is nowhere, or ambiguous."""
    search = Search(lfs, columns, preprocessors)
    _raise("The labeling functions do not fit the records", search.faults)
    return search.inputs()


def column_faults(
    lfs: Sequence[LabelingFunction], columns: Sequence[str], preprocessors: Any = None, known: Container[str] = ()
) -> list[str]:
    """One line for each name that LFs, or their preprocessors, read and that is neither column nor made of such.

    Names in ``known`` are not looked for.
    """
    search = Search(lfs, columns, preprocessors)
    return [fault for fault, name in search.found_faults if name not in known]


def _faults(j: int, lf: Any, schema: Spaces) -> list[str]:
    if not isinstance(lf, LabelingFunction):
        return [f"item {j} is no labeling function but {lf!r}. Put @mw.labeling_function(task='...') above it."]
    if lf.task is None:
        if isinstance(schema, TaskSchema):
            return []
        kind = type(schema).__name__
        return [
            f"LF {lf.name!r} must name its task with a {kind}; got None. Only trees have LFs of all their tasks."
        ]
    if lf.task not in schema.tasks:
        return [f"LF {lf.name!r}: " + unknown_name("task of the schema", lf.task, schema.tasks)]
    if lf.labels == ():
        return [f"LF {lf.name!r} must have a label to vote; got none. Write lf.voting('label')."]
    known = set(map(plain_name, schema.labels(lf.task)))
    return [
        f"LF {lf.name!r}: " + _unknown_label(label, lf.task, schema)
        for label in lf.labels or ()
        if plain_name(label) not in known
    ]


def _unknown_label(label: str, task: str, schema: Spaces) -> str:
    homes = [other for other in schema.tasks if plain_name(label) in schema.labels(other)]
    if homes:
        return f"{label!r} is a label of task {homes[0]!r}, not of {task!r}. Name that task, or another label."
    return unknown_name(f"label of task {task!r}", label, schema.labels(task))


def _raise(what: str, faults: list[str]) -> None:
    if len(faults) == 1:
        raise LabelingError(faults[0])
    if faults:
        raise LabelingError(f"{what}:\n" + "\n".join(f"  - {fault}" for fault in faults))
