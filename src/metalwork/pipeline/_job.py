"""What a run works on: schema, labeling functions, records and choices, wherever they came from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork.data import read_records
from metalwork.errors import ConfigError, DataError, VotesError
from metalwork.labeling import LabelingFunction
from metalwork.pipeline._code import load_labeling_functions
from metalwork.pipeline._data import SPLITS, Source, missing_column, open_sources
from metalwork.pipeline._project import Project
from metalwork.pipeline._rules import make_rule
from metalwork.pipeline._settings import (
    EndModelSettings,
    FeatureSettings,
    LabelModelSettings,
    OutputSettings,
)
from metalwork.pipeline._watching import CodeFiles
from metalwork.schema import TaskSchema

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Records of one split.

    Attributes
    ----------
    records : polars DataFrame (n_points)
    gold : int64 array (n_points,) or None
        End-label codes, -1 where not known; None where the split has no label column.
    ids : polars Series (n_points,) or None
        What names each record in the results; the row number where None.
    """

    records: pl.DataFrame
    gold: Codes | None = None
    ids: pl.Series | None = None

    @property
    def n_points(self) -> int:
        """Number of records."""
        return self.records.height

    @property
    def known(self) -> Codes:
        """Rows (n_known,) whose end label is known."""
        return np.flatnonzero(np.empty(0) if self.gold is None else self.gold >= 0).astype(np.int64)


@dataclass
class Job:
    """Everything a run needs.

    :meth:`of_project` makes one from a project file; splits are read when a step first needs them.

    Attributes
    ----------
    name : str
    schema : TaskSchema
    labeling_functions : sequence of LabelingFunction
    sources : mapping of split name to anything that ``metalwork.apply`` takes as records
        "train" is required, "dev" and "test" are optional.
    readers : mapping of split name to callable
        Each returns the :class:`Split` of the source of that name.
    origins : mapping of split name to str
        What messages call the records of a split: a file, mostly.
    n_jobs : int
        Processes that run the labeling functions; 1 runs them in this one.
    max_error_rate : float
        A labeling function that fails on more than this share of the records stops the run.
    features, label_model, end_model, output : settings
    random_state : int
    project : Project, optional
        The project file that it comes from.
    checked : bool
        Whether :func:`metalwork.pipeline.check_job` found nothing wrong.
    code : CodeFiles, optional
        The files that the project's own Python has read.
    files : mapping of split name to sequence of path
        Where the records lie, if in files.
    """

    name: str
    schema: TaskSchema
    labeling_functions: Sequence[LabelingFunction]
    sources: Mapping[str, Any]
    readers: Mapping[str, Callable[[], Split]]
    features: FeatureSettings
    label_model: LabelModelSettings = field(default_factory=LabelModelSettings)
    end_model: EndModelSettings = field(default_factory=EndModelSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    origins: Mapping[str, str] = field(default_factory=dict)
    n_jobs: int = 1
    max_error_rate: float = 0.01
    random_state: int = 0
    project: Project | None = field(default=None, repr=False)
    code: CodeFiles | None = field(default=None, repr=False)
    files: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    checked: bool = field(default=False, init=False, repr=False)
    _read: dict[str, Split] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of_project(cls, project: Project) -> Self:
        """The job of a project file. Runs the project's Python file, where it names one.

        Raises
        ------
        ConfigError
            When that file fails, or two labeling functions share a name.
        """
        settings, code = project.settings, CodeFiles(project.folder)
        sources = open_sources(settings.data, project.folder, code)
        return cls(
            name=project.name,
            schema=project.schema,
            labeling_functions=_labeling_functions(project, code),
            sources={split: source.records for split, source in sources.items()},
            origins={split: source.origin for split, source in sources.items()},
            readers={split: partial(_read_split, project, split, source) for split, source in sources.items()},
            features=settings.features,
            label_model=settings.label_model,
            end_model=settings.end_model,
            output=settings.output,
            n_jobs=settings.lfs.n_jobs,
            max_error_rate=settings.lfs.max_error_rate,
            random_state=settings.random_state,
            project=project,
            code=code,
            files={split: source.files for split, source in sources.items()},
        )

    @classmethod
    def of_splits(
        cls,
        name: str,
        schema: TaskSchema,
        labeling_functions: Sequence[LabelingFunction],
        splits: Mapping[str, Split],
        features: FeatureSettings,
        **settings: Any,
    ) -> Self:
        """A job on records that are in memory; ``settings`` are this class's other arguments."""
        return cls(
            name=name,
            schema=schema,
            labeling_functions=labeling_functions,
            sources={split: part.records for split, part in splits.items()},
            readers={split: partial(_same, part) for split, part in splits.items()},
            features=features,
            **settings,
        )

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits there are, in the order train, dev, test."""
        return tuple(split for split in SPLITS if split in self.readers)

    def origin(self, split: str) -> str:
        """What messages call the records of a split."""
        return self.origins.get(split, f"the {split} records")

    def split(self, name: str) -> Split:
        """The records of a split, read once."""
        if name not in self._read:
            self._read[name] = self.readers[name]()
        return self._read[name]

    def known_labels(self, name: str) -> Codes:
        """What is known of each task on a split (n_points, n_tasks), as ``schema.known_codes`` says it."""
        split = self.split(name)
        gold = np.full(split.n_points, -1) if split.gold is None else split.gold
        return np.where(gold[:, None] < 0, -1, self.schema.task_codes[gold])


def _same(split: Split) -> Split:
    return split


def _labeling_functions(project: Project, code: CodeFiles) -> list[LabelingFunction]:
    settings = project.settings.lfs
    found = load_labeling_functions(project.folder / settings.python, code) if settings.python is not None else []
    for rule in settings.rules:
        found.append(make_rule(rule, project.folder))
        if rule.words_file is not None:
            code.add(project.folder / rule.words_file)
    names = [lf.name for lf in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(
            f"Labeling functions must have distinct names; got twice in {project.path.name}: "
            f"{', '.join(twice)}. Give one of each another name."
        )
    return found


def _read_split(project: Project, name: str, source: Source) -> Split:
    settings = project.settings.data
    records = read_records(source.records)
    ids = _column(records, settings.id, source, "data.id") if settings.id is not None else None
    if name == "train" or (name == "test" and settings.label not in records.columns):
        return Split(records, None, ids)
    labels = _column(records, settings.label, source, "data.label")
    try:
        gold = project.schema.end_of(project.schema.known_codes(labels, names=True))
    except VotesError as error:
        raise DataError(
            f"{source.origin}: column {settings.label!r}: {error} Correct the record or the schema."
        ) from None
    return Split(records, gold, ids)


def _column(records: pl.DataFrame, name: str, source: Source, key: str) -> pl.Series:
    if name not in records.columns:
        raise ConfigError(missing_column(key, name, source.origin, records.columns))
    return records[name]
