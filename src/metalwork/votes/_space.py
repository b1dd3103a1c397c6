"""What labeling functions vote on, behind one small protocol."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, overload, runtime_checkable

import numpy as np
import numpy.typing as npt

from metalwork._checks import BoolArray
from metalwork._schema_parsing import read_declarations
from metalwork.schema import TaskSchema
from metalwork.votes._feasible import FeasibleLabels, Locate, read_feasible
from metalwork.votes._forest import TaskForest
from metalwork.votes._incidents import Incident
from metalwork.votes._matrix import LabelMatrix
from metalwork.votes._vectors import is_vectors


@runtime_checkable
class Space(Protocol):
    """Tasks that labeling functions may name, over the end labels of one tree.

    A :class:`TaskSchema` is one, of its own tree; :class:`FeasibleLabels` is one, over a flat tree of label
    vectors; a :class:`TaskForest` holds several, one a root. Whoever labels or measures asks a
    space these questions and no others.
    """

    @property
    def schema(self) -> TaskSchema:
        """The tree whose end labels records have: what label models and end models are made for."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that a labeling function may name."""

    def labels(self, task: str) -> tuple[str, ...]:
        """Label names of a task."""

    def members(self, task: str) -> BoolArray:
        """bool array (n_labels, n_end_labels): which end labels lie under each label of a task."""

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain dicts, lists and text, as a schema file has it."""

    def known_codes(self, labels: Any) -> npt.NDArray[np.int64]:
        """int64 array (n_points, n_tasks): of each task the label code, -2 where it does not apply, -1 unknown."""


def read_space(value: Any, locate: Locate) -> tuple[Space | None, list[str]]:
    """The space that a schema describes as written in a file: a tree or label vectors; or all its faults.

    ``locate`` says where what stands under keys is, as ``file:line:column``.
    """
    if is_vectors(value):
        arguments, faults = read_feasible(value, locate)
        return None if arguments is None else FeasibleLabels(**arguments), faults
    declarations, faults = read_declarations(value, locate)
    return None if faults else TaskSchema(declarations), faults


@overload
def votes_in(
    space: Space,
    codes: Any,
    tasks: Sequence[str],
    names: Sequence[str] | None = ...,
    errors: Any = ...,
    outcomes: Mapping[str, Any] | None = ...,
    incidents: Iterable[Incident] = ...,
) -> LabelMatrix: ...


@overload
def votes_in(
    space: TaskForest,
    codes: Any,
    tasks: Sequence[str],
    names: Sequence[str] | None = ...,
    errors: Any = ...,
    outcomes: Mapping[str, Any] | None = ...,
    incidents: Iterable[Incident] = ...,
) -> dict[str, LabelMatrix]: ...


def votes_in(
    space: Space | TaskForest,
    codes: Any,
    tasks: Sequence[str],
    names: Sequence[str] | None = None,
    errors: Any = None,
    outcomes: Mapping[str, Any] | None = None,
    incidents: Iterable[Incident] = (),
) -> LabelMatrix | dict[str, LabelMatrix]:
    """The label matrix of votes on tasks of a space; by root, of a forest. Arguments of :class:`LabelMatrix`."""
    if isinstance(space, FeasibleLabels | TaskForest):
        return space.votes(codes, tasks, names, errors, outcomes, incidents)
    return LabelMatrix(codes, space.schema, tasks, names, errors, outcomes, incidents=incidents)
