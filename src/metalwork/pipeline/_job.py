"""What a run works on: schema, labeling functions, records and choices, wherever they came from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import numpy as np
import polars as pl

from metalwork.backends import Backend, get_backend
from metalwork.data import HeldFiles, as_text
from metalwork.errors import ConfigError, DataError, MetalworkError
from metalwork.labeling import LabelingFunction, Preprocessor, names_read
from metalwork.pipeline._code import load_labeling_functions, preprocessors_of
from metalwork.pipeline._data import SPLITS, Source, missing_column, open_sources
from metalwork.pipeline._faults import list_faults, placed
from metalwork.pipeline._features import build_featurizer
from metalwork.pipeline._project import Project
from metalwork.pipeline._rules import files_of, make_rules
from metalwork.pipeline._settings import (
    EndModelSettings,
    FeatureSettings,
    LabelModelSettings,
    OutputSettings,
    TuneSettings,
)
from metalwork.pipeline._split import AnySplit, Codes, Reading, Split, read_split
from metalwork.pipeline._watching import CodeFiles
from metalwork.schema import TaskSchema
from metalwork.sources import from_crowd
from metalwork.votes import Space

A = TypeVar("A")
B = TypeVar("B")


@dataclass
class Job:
    """Everything a run needs.

    :meth:`of_project` makes one from a project file; splits are read when a step first needs them.

    Attributes
    ----------
    name : str
    space : TaskSchema or FeasibleLabels
        What labeling functions vote on.
    labeling_functions : sequence of LabelingFunction
    readers : mapping of split name to callable
        Each returns the :class:`Split` of that name. "train" is required, "dev" and "test" are optional.
    columns : mapping of split name to sequence of str
        All columns of the records, known before they are read.
    origins : mapping of split name to str
        What messages call the records of a split: a file, mostly.
    backend : {"serial", "processes", "ray"}, optional
        Where labeling functions run, and where large runs are labeled and predicted; by default "serial", or
        "processes" where ``n_jobs`` is more than 1.
    n_jobs : int, optional
        Processes at a time; one a core by default.
    max_error_rate : float
        A labeling function that fails on more than this share of the records stops the run.
    max_seconds, max_memory, on_failure
        What else labeling functions may do, as for :func:`metalwork.apply`.
    preprocessors : sequence of Preprocessor
        Those of the project's own Python file, and others that labeling functions are to find.
    cache : path or bool, optional
        Where votes are kept from run to run, as for :func:`metalwork.apply`.
    features, label_model, end_model, output : settings
    tune : TuneSettings, optional
        Settings to try on the dev records before the label model is fitted.
    random_state : int
    project : Project, optional
        The project file that it comes from.
    digests : dict of path to str
        SHA-256 of the files that have been looked at, as they were before anything was read.
    checked : bool
        Whether :func:`metalwork.pipeline.check_job` found nothing wrong.
    held : HeldFiles
        Files of records that have been opened and not yet read.
    code : CodeFiles, optional
        The files that the project's own Python has read.
    files : mapping of split name to sequence of path
        Where the records lie, if in files.
    """

    name: str
    space: Space
    labeling_functions: Sequence[LabelingFunction]
    readers: Mapping[str, Callable[[], AnySplit]]
    columns: Mapping[str, Sequence[str]]
    features: FeatureSettings
    label_model: LabelModelSettings = field(default_factory=LabelModelSettings)
    end_model: EndModelSettings = field(default_factory=EndModelSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    tune: TuneSettings | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    backend: Literal["serial", "processes", "ray"] | None = None
    n_jobs: int | None = None
    max_error_rate: float = 0.01
    max_seconds: float | None = None
    max_memory: int | str | None = None
    on_failure: Literal["stop", "continue"] = "stop"
    preprocessors: Sequence[Preprocessor] = ()
    cache: str | Path | bool | None = None
    random_state: int = 0
    project: Project | None = field(default=None, repr=False)
    code: CodeFiles | None = field(default=None, repr=False)
    held: HeldFiles = field(default_factory=HeldFiles, repr=False)
    files: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    digests: dict[Path, str] = field(default_factory=dict, init=False, repr=False)
    checked: bool = field(default=False, init=False, repr=False)
    _read: dict[str, AnySplit] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of_project(cls, project: Project, functions: Sequence[LabelingFunction] | None = None) -> Self:
        """The job of a project file. Runs the project's Python files, where it names any.

        With ``functions`` these are its labeling functions, and no Python file with some is run.

        Raises
        ------
        ConfigError
            When one of these files fails, two labeling functions share a name, or rules or the class prior do not
            fit the schema; then all that is wrong with the job is listed.
        DataError
            When records cannot be opened.
        """
        settings, code, held = project.settings, CodeFiles(project.folder), HeldFiles()
        with held.active():
            sources, found = _both(
                project,
                lambda: open_sources(settings.data, project.folder, code),
                lambda: labeling_functions_of(project, code) if functions is None else functions,
            )
        lfs = on_whole_records(found, sources["train"].records.columns, settings.data.label)
        held.keep(path for source in sources.values() for path in source.files)
        python = settings.lfs.python if functions is None else None
        made = [] if python is None else preprocessors_of(project.folder / python)
        read = partial(_read_split, project, wanted=columns_read(lfs, settings.features, made))
        job = cls(
            name=project.name,
            space=project.space,
            labeling_functions=lfs,
            readers={split: partial(read, split, source) for split, source in sources.items()},
            columns={split: source.records.columns for split, source in sources.items()},
            origins={split: source.origin for split, source in sources.items()},
            features=settings.features.within(project.folder),
            label_model=settings.label_model,
            end_model=settings.end_model,
            output=settings.output,
            tune=settings.tune,
            backend=settings.lfs.backend,
            n_jobs=settings.lfs.n_jobs,
            max_error_rate=settings.lfs.max_error_rate,
            max_seconds=settings.lfs.max_seconds,
            max_memory=settings.lfs.max_memory,
            on_failure=settings.lfs.on_failure,
            preprocessors=made,
            cache=settings.lfs.cache,
            random_state=settings.random_state,
            project=project,
            code=code,
            held=held,
            files={split: source.files for split, source in sources.items()},
        )
        if project.faults:  # say at once what else is wrong
            from metalwork.pipeline._check import check_job

            check_job(job)
        return job

    @classmethod
    def of_splits(
        cls,
        name: str,
        schema: Space,
        labeling_functions: Sequence[LabelingFunction],
        splits: Mapping[str, Split],
        features: FeatureSettings,
        **settings: Any,
    ) -> Self:
        """A job on records that are in memory; ``settings`` are this class's other arguments."""
        return cls(
            name=name,
            space=schema,
            labeling_functions=labeling_functions,
            readers={split: partial(_same, part) for split, part in splits.items()},
            columns={split: part.columns or part.records.columns for split, part in splits.items()},
            features=features,
            **settings,
        )

    @property
    def schema(self) -> TaskSchema:
        """The tree whose end labels records have: what models are made for, and the known labels are of."""
        return self.space.schema

    @property
    def workers(self) -> Backend:
        """What runs the labeling functions, and works on the shards of large runs."""
        chosen = self.backend or ("processes" if (self.n_jobs or 1) > 1 else "serial")
        return get_backend(chosen, self.n_jobs, None if chosen == "serial" else self.max_memory)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits there are, in the order train, dev, test."""
        return tuple(split for split in SPLITS if split in self.readers)

    def origin(self, split: str) -> str:
        """What messages call the records of a split."""
        return self.origins.get(split, f"the {split} records")

    def split(self, name: str) -> AnySplit:
        """The records of a split, read once where they can be held."""
        if name not in self.readers:
            raise ConfigError(
                f"split must be one of this run's, {', '.join(map(repr, self.splits))}; got {name!r}."
            )
        if name not in self._read:
            with self.held.active():
                split = self.readers[name]()
            self._read[name] = self._checked(name, split) if isinstance(split, Split) else split
            waiting = {path for other, paths in self.files.items() if other not in self._read for path in paths}
            self.held.drop(set(self.files.get(name, ())) - waiting)
        return self._read[name]

    def _checked(self, name: str, split: Split) -> Split:
        if split.n_points == 0:
            raise DataError(
                f"{self.origin(name)} must hold at least one record; there is none. Add some, or leave it out."
            )
        gold = None if split.gold is None else self.schema.known_codes(split.gold)
        return replace(split, gold=gold, ids=None if split.ids is None else as_text(pl.Series(split.ids)))

    def known_labels(self, split: str | Split) -> Codes:
        """What is known of each task on a split (n_points, n_tasks), as ``schema.known_codes`` says it."""
        found = self.split(split) if isinstance(split, str) else split
        unknown = np.full((found.n_points, self.schema.n_tasks), -1)
        return unknown if (gold := found.gold) is None else np.asarray(gold, dtype=np.int64)

    def content(self, split: Split) -> pl.Series:
        """One text a record (n_points,) of all that labeling functions and end model read; null if empty."""
        records = split.records
        wanted = [
            column
            for column in columns_read(self.labeling_functions, self.features, self.preprocessors)
            if column in records.columns
        ]
        frame = pl.DataFrame([as_text(records[column]).rename(str(i)) for i, column in enumerate(wanted)])
        text = pl.concat_str(pl.all().fill_null("\0"), separator="\1")
        return frame.select(pl.when(pl.any_horizontal(pl.all().is_not_null())).then(text)).to_series()


def _both(project: Project, first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """What both find; where one fails, one error of all that is known to be wrong."""
    found: list[Any] = []
    errors: list[MetalworkError] = []
    for find in (first, second):
        try:
            found.append(find())
        except MetalworkError as error:
            errors.append(error)
    lines = [*(placed(fault, project.locate) for fault in project.faults), *map(str, errors)]
    if errors and len(lines) > 1:
        raise ConfigError(list_faults(f"The project file {project.path.name}", lines))
    if errors:
        raise errors[0]
    return found[0], found[1]


def _same(split: Split) -> Split:
    return split


def labeling_functions_of(project: Project, code: CodeFiles) -> list[LabelingFunction]:
    """The labeling functions of a project, whose Python file is run; ``code`` is told of the files they read."""
    settings = project.settings.lfs
    found = load_labeling_functions(project.folder / settings.python, code) if settings.python is not None else []
    found += make_rules(settings.rules, project.folder, project.faulty_rules)
    for i, rule in enumerate(settings.rules):
        for path in files_of(rule, project.folder) if i not in project.faulty_rules else ():
            code.add(path)
    for i, crowd in enumerate(settings.crowds):
        code.add(project.folder / crowd.file)
        try:
            found += from_crowd(answers=project.folder / crowd.file, **crowd.model_dump(exclude={"file"}))
        except MetalworkError as error:
            raise ConfigError(f"{project.locate(('lfs', 'crowds', i))}: lfs.crowds[{i}]: {error}") from None
    project.check_distinct([lf.name for lf in found])
    return found


def _read_split(project: Project, name: str, source: Source, wanted: Sequence[str]) -> AnySplit:
    settings, columns = project.settings.data, source.records.columns
    for key, column in (("data.id", settings.id), ("data.label", settings.label if name == "dev" else None)):
        if column is not None and column not in columns:
            raise ConfigError(missing_column(key, column, source.origin, columns))
    has_labels = name != "train" and settings.label in columns
    codes = partial(project.schema.known_codes, names=True) if has_labels else None
    label = settings.label if settings.label in columns else None
    reading = Reading(source.records, tuple(wanted), settings.id, label, codes, source.origin)
    return read_split(reading, source.files if settings.split is None else ())


def columns_read(
    functions: Sequence[LabelingFunction], features: FeatureSettings, preprocessors: Sequence[Preprocessor] = ()
) -> list[str]:
    """The columns that labeling functions, their preprocessors and the end model read, among other names."""
    return list(dict.fromkeys([*names_read(functions, preprocessors), *build_featurizer(features).columns]))


def on_whole_records(
    functions: Sequence[LabelingFunction], columns: Sequence[str], label: str
) -> list[LabelingFunction]:
    """The functions, where those that read whole records are given all columns but the known labels."""
    return [lf.reading([column for column in columns if column != label]) for lf in functions]
