"""A rule that is being written, and records to try it on: neither is part of a project yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import ValidationError

from metalwork.data import concatenate
from metalwork.errors import ConfigError
from metalwork.labeling import LabelingFunction
from metalwork.pipeline._data import open_sources
from metalwork.pipeline._project import Project, describe_fault, rule_faults
from metalwork.pipeline._rules import make_rules, parts_of
from metalwork.pipeline._settings import COMPOSITES, RuleSettings
from metalwork.pipeline._watching import CodeFiles

MOST_SAMPLED: Final = 100_000
_MOST_BYTES: Final = 256 << 20
_READ_ROWS: Final = 50_000


@dataclass(frozen=True)
class Sample:
    """Some records of a split, or all.

    Attributes
    ----------
    rows : int64 array (n_sampled,)
        Which records of the split, in ascending order.
    records : polars DataFrame (n_sampled)
        With all columns, but for that of known labels.
    n_points : int
        How many records the split has.
    files : tuple of path
        Where they lie, if in files.
    """

    rows: npt.NDArray[np.int64]
    records: pl.DataFrame
    n_points: int
    files: tuple[Path, ...]


def draft_rule(project: Project, values: Mapping[str, Any], replacing: str | None = None) -> LabelingFunction:
    """The labeling function of a rule as it would stand in a project file.

    Parameters
    ----------
    project : Project
    values : dict
        The keys of the rule.
    replacing : str, optional
        The name of the rule of the project that it would take the place of.

    Raises
    ------
    ConfigError
        Listing all that is wrong with it, a line each.
    """
    try:
        rule = RuleSettings.model_validate(dict(values))
    except ValidationError as error:
        lines = [describe_fault(entry["loc"], dict(entry)) for entry in error.errors(include_url=False)]
        raise ConfigError("\n".join(line.strip() for line in lines)) from None
    if faults := [text for _, text in rule_faults(rule, project.space, project.folder)]:
        raise ConfigError("\n".join(faults))
    own = rule.model_copy(update={"votes": True})
    if rule.kind not in COMPOSITES:
        return make_rules([own], project.folder)[0]
    others = zip(project.rule_names, project.settings.lfs.rules, strict=True)
    known = {name: other.model_copy(update={"name": name}) for name, other in others if name != replacing}
    return make_rules([*_parts(known, rule), own], project.folder)[0]


def _parts(known: Mapping[str, RuleSettings], made: RuleSettings) -> list[RuleSettings]:
    """The rules that one is made of, and those that these are made of; none of them votes by itself."""
    needed: dict[str, RuleSettings] = {}
    waiting = parts_of(made)
    while waiting:
        name = waiting.pop()
        if name in known and name not in needed:
            needed[name] = known[name].model_copy(update={"votes": False})
            waiting += parts_of(known[name])
    return list(needed.values())


def sample_records(project: Project, split: str, most: int = MOST_SAMPLED, random_state: int = 0) -> Sample | None:
    """Records of a split drawn at random, the same ones each time, in one pass and bounded memory.

    Where the records are few, all of them. None where the project has no such split. The records of ``test`` are
    nobody's to look at while rules are written.

    Raises
    ------
    ConfigError
        For the split ``"test"``.
    DataError
        When the records cannot be read.
    """
    if split == "test":
        raise ConfigError("split must be train or dev while rules are written; got 'test'.")
    sources = open_sources(project.settings.data, project.folder, CodeFiles(project.folder))
    if split not in sources:
        return None
    source, kept = sources[split], _Drawn(most, np.random.default_rng(random_state))
    for shard in source.records.shards(None, _READ_ROWS):
        for chunk in shard.chunks():
            kept.add(chunk)
    rows, records = kept.found()
    shown = [name for name in records.columns if name != project.settings.data.label]
    return Sample(rows, records.select(shown), kept.n_points, source.files)


class _Drawn:
    """Those of the records so far that drew the smallest numbers."""

    def __init__(self, most: int, draw: np.random.Generator) -> None:
        self.n_points = 0
        self._most, self._draw = most, draw
        self._frames: list[pl.DataFrame] = []
        self._drawn = np.zeros(0)
        self._rows = np.zeros(0, np.int64)

    def add(self, chunk: pl.DataFrame) -> None:
        """Some more."""
        self._frames.append(chunk)
        self._drawn = np.concatenate([self._drawn, self._draw.random(chunk.height)])
        self._rows = np.concatenate([self._rows, np.arange(self.n_points, self.n_points + chunk.height)])
        self.n_points += chunk.height
        if sum(int(frame.estimated_size()) for frame in self._frames) > 2 * _MOST_BYTES:
            self._most = min(self._most, max(1_000, len(self._rows) // 4))
        if len(self._rows) > 2 * self._most:
            self._choose()

    def found(self) -> tuple[npt.NDArray[np.int64], pl.DataFrame]:
        """Which they are, and the records."""
        if len(self._rows) > self._most:
            self._choose()
        return self._rows, concatenate(self._frames) if self._frames else pl.DataFrame()

    def _choose(self) -> None:
        chosen = np.sort(np.argpartition(self._drawn, self._most - 1)[: self._most])
        self._frames = [concatenate(self._frames)[chosen]]
        self._drawn, self._rows = self._drawn[chosen], self._rows[chosen]
