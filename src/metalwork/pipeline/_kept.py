"""What the folder of a finished run holds, read without the project it is of and without records."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from metalwork._checks import FloatArray
from metalwork.errors import ConfigError, DataError
from metalwork.label_models import LabelModel, load_label_model
from metalwork.labeling import LabelingFunction, Preprocessor, VoteTotal, in_alphabets_of
from metalwork.pipeline import _results as files
from metalwork.pipeline._code import preprocessors_of
from metalwork.pipeline._exports import escape_formulas, without_steering
from metalwork.pipeline._folder import RunFolder
from metalwork.pipeline._inputs import COPIES
from metalwork.pipeline._job import labeling_functions_of, on_whole_records
from metalwork.pipeline._project import Project, load_project
from metalwork.pipeline._split import Codes
from metalwork.pipeline._storage import Storage, shard
from metalwork.pipeline._watching import CodeFiles
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix, Space

if TYPE_CHECKING:
    from metalwork.end_models import EndModel

_LABEL: Final = "label"


@dataclass(frozen=True)
class KeptLFs:
    """The labeling functions of a run, with what they need to be run on new records."""

    functions: Sequence[LabelingFunction]
    space: Space
    preprocessors: Sequence[Preprocessor] = ()
    max_error_rate: float = 0.01
    label: str = _LABEL

    def total(self, columns: Sequence[str], facts: Mapping[str, Any] | None = None) -> VoteTotal:
        """What gathers their votes on records with these columns."""
        return VoteTotal(on_whole_records(self.functions, columns, self.label), self.space, facts)


class KeptRun:
    """The results of a run, as its folder holds them; every file is compared with what was committed.

    Parameters
    ----------
    path : path
        The run's folder.

    Raises
    ------
    ConfigError
        When it is no folder of a run, or nothing in it is finished.
    DataError
        When its manifest is damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.folder = RunFolder(path)
        if not self.folder.path.is_dir():
            where = os.fspath(path)
            raise ConfigError(f"The run must be a folder; there is none at {where!r}. Name a run's folder.")
        if not self.folder.steps:
            raise ConfigError(
                f"{self.folder.path} must be the folder of a finished run; it holds no results. "
                "Name a folder that `metalwork run` wrote, such as runs/NAME."
            )
        self.storage = Storage(self.folder)

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that are committed."""
        return self.folder.steps

    def facts(self, step: str) -> dict[str, Any]:
        """What the manifest says of a step."""
        self.folder.require(step)
        found: dict[str, Any] = self.folder.manifest["steps"][step]
        return found

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that labeling functions were applied to."""
        facts = self.facts("apply")
        return tuple(split for split in ("train", "dev", "test") if split in facts)

    @property
    def has_end_model(self) -> bool:
        """Whether an end model has been trained; not where the project wanted labels alone."""
        return "train" in self.steps and bool(self.facts("train").get("trained", True))

    def end_model(self, device: str = "cpu") -> "EndModel":
        """The trained end model."""
        return files.read_end_model(self.folder, device)

    @cached_property
    def label_model(self) -> LabelModel:
        """The fitted label model."""
        self.folder.require("fit")
        return load_label_model(self.folder.file(files.LABEL_MODEL))

    @cached_property
    def project(self) -> Project | None:
        """The project as it was when the run was made, from the copies in the folder; None for records in memory.

        Nothing that it names is run.
        """
        named = [name for facts in self.folder.manifest["steps"].values() for name in facts["files"]]
        copies = [name for name in named if name.startswith(f"{COPIES}/")]
        for name in copies:
            self.folder.file(name)
        own = [name for name in copies if name.count("/") == 1 and Path(name).suffix in (".yaml", ".yml", ".json")]
        for name in own:
            if _is_project(self.folder.path / name):
                return load_project(self.folder.path / name, records=False)
        return None

    @property
    def types(self) -> dict[str, str]:
        """The declared types of columns."""
        return {} if self.project is None else dict(self.project.settings.data.types)

    def lfs(self, run_code: bool = False) -> KeptLFs:
        """The labeling functions that the run applied.

        Raises
        ------
        ConfigError
            When they are Python code and ``run_code`` is not given; when the run keeps none.
        """
        project = self.project
        if project is None:
            raise ConfigError(
                f"{self.folder.path} must hold its labeling functions; it is a run of records in memory, which "
                "keeps none. Pass them: Predictor.load(run, lfs=[...])."
            )
        if project.settings.lfs.python is not None and not run_code:
            raise ConfigError(
                f"The labeling functions of {self.folder.path} are Python code "
                f"({COPIES}/{project.settings.lfs.python}), which is run only where you say so. "
                "If you trust the run, pass run_code=True (--run-code)."
            )
        code, settings = CodeFiles(project.folder), project.settings
        functions = labeling_functions_of(project, code)
        python = settings.lfs.python
        made = [] if python is None else preprocessors_of(project.folder / python)
        return KeptLFs(functions, project.space, made, settings.lfs.max_error_rate, settings.data.label)

    def vote_total(self, lfs: KeptLFs) -> VoteTotal:
        """What came up on the training records: the alphabets in which the label model knows votes."""
        facts = self.facts("apply")["train"]["total"]
        total = lfs.total(())
        if [name for _, name, _ in total.columns] != list(self.label_model.lf_names_):
            raise ConfigError(
                f"The labeling functions must be those of {self.folder.path}, in their order; got "
                f"{', '.join(repr(name) for _, name, _ in total.columns[:5])}, ... Pass the same list."
            )
        return lfs.total((), facts)

    def votes_in_parts(self, split: str, lfs: KeptLFs) -> Iterator[LabelMatrix]:
        """The votes on a split, in the alphabets of the training split."""
        train, facts = self.vote_total(lfs), self.facts("apply")[split]
        total = train if split == "train" else lfs.total((), facts["total"])
        for number in range(len(facts["sizes"])):
            codes = self.storage.array(shard("votes", split, number))
            yield in_alphabets_of(total, codes, train)

    def shares(self, kind: str, split: str) -> Iterator[FloatArray]:
        """Probabilities (n_points, n_end_labels) of a split in parts.

        ``kind`` is ``"probabilities"`` of the label model, or ``"end_probabilities"`` of the end model.
        """
        for number in range(len(self.facts("apply")[split]["sizes"])):
            yield self.storage.array(shard(kind, split, number))

    def known(self, split: str, schema: TaskSchema) -> Codes:
        """End-label codes (n_points,) of a split's records; -1 where none is known."""
        names = self.predictions(split)["known"].to_list()
        code_of = {name: code for code, name in enumerate(_as_written(schema.end_labels))}
        code_of |= {name: code for code, name in enumerate(schema.end_labels)}
        return np.array([-1 if name is None else code_of[name] for name in names], dtype=np.int64)

    @property
    def metrics(self) -> dict[str, Any]:
        """Metrics by model, then by split; empty where nothing was scored."""
        if "evaluate" not in self.steps:
            return {}
        found: dict[str, Any] = json.loads(self.folder.file(files.METRICS).read_text(encoding="utf-8"))
        return found

    def predictions(self, split: str) -> pl.DataFrame:
        """What each model predicts for the records of a split, all as text: row, id, known, and the labels."""
        self.folder.require("evaluate")
        tables = [self.folder.file(name) for name in self.facts("evaluate")["files"] if _predicts(name, split)]
        return pl.concat([_read(path, as_text=True).filter(pl.col("split") == split) for path in tables])

    def votes_by_lf(self, split: str) -> dict[str, Codes]:
        """The votes (n_points,) of each labeling function as they are kept: which label is the LF's own affair."""
        sizes = self.facts("apply")[split]["sizes"]
        codes = np.concatenate([self.storage.array(shard("votes", split, k)) for k in range(len(sizes))])
        return dict(zip(self.lf_table["name"].cast(pl.String), codes.T, strict=True))

    @property
    def lf_table(self) -> pl.DataFrame:
        """The LF summary of the training records."""
        self.folder.require("apply")
        return _read(self.folder.file(files.LF_TABLE))


def _is_project(path: Path) -> bool:
    from metalwork._documents import load_document

    try:
        value = load_document(path).value
    except ConfigError:
        return False
    return isinstance(value, dict) and {"data", "lfs"} <= value.keys()


def _predicts(name: str, split: str) -> bool:
    return name == "predictions.csv" or name.startswith(f"predictions/{split}-")


def _as_written(names: Sequence[str]) -> list[str]:
    """Names as they stand in the cells of CSV files."""
    column: list[str] = escape_formulas(without_steering(pl.DataFrame({"name": list(names)})))["name"].to_list()
    return column


def _read(path: Path, as_text: bool = False) -> pl.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path, glob=False)
        return pl.read_csv(path, infer_schema_length=0 if as_text else None, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: must be a table; it cannot be read ({error}).") from None
