"""The keys of a project file."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, field_validator, model_validator

Text = Annotated[str, Field(min_length=1)]


class Settings(BaseModel):
    """A section of the project file: no key beyond those declared, no value converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class DataSettings(Settings):
    """Where the records are; paths and globs are relative to the project file."""

    train: Text
    dev: Text | None = None
    test: Text | None = None
    label: Text = "label"
    id: Text | None = None


class RuleSettings(Settings):
    """A labeling function written in the project file: one of ``keywords``, ``regex`` and ``column``."""

    task: Text
    label: Text | None = None
    name: Text | None = None
    field: Text = "text"
    keywords: Annotated[list[Text], Field(min_length=1)] | None = None
    regex: Text | None = None
    column: Text | None = None
    mapping: dict[Any, Text | None] | None = None  # null: abstain
    skip_negated: bool = False

    @property
    def kind(self) -> str:
        """Which of the three it is."""
        return next(name for name in _KINDS if getattr(self, name) is not None)

    @field_validator("regex")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"must be a regular expression ({error})") from None
        return pattern

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [name for name in _KINDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"must have exactly one of the keys {', '.join(_KINDS)}")
        if given == ["column"]:
            if self.label is not None:
                raise ValueError("must not have the key label beside column; the column holds the labels")
        elif self.label is None:
            raise ValueError(f"must have the key label beside {given[0]}: the label it votes for")
        elif self.mapping is not None:
            raise ValueError("may have the key mapping beside column only")
        return self


_KINDS = ("keywords", "regex", "column")


class LFSettings(Settings):
    """Labeling functions: a Python file in the project's folder, rules written here, or both."""

    python: Text | None = None
    rules: list[RuleSettings] = []
    n_jobs: PositiveInt = 1
    max_error_rate: Annotated[float, Field(ge=0, le=1)] = 0.01

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.python is None and not self.rules:
            raise ValueError("must name a python file or list rules")
        return self


LABEL_MODELS = ("hierarchical", "log-linear", "soft-vote", "hard-vote")


class LabelModelSettings(Settings):
    """Which label model, whether it may use the dev labels, and its own options."""

    name: Literal["hierarchical", "log-linear", "soft-vote", "hard-vote"] = "hierarchical"
    use_dev: bool = True
    class_prior: dict[str, float] | None = None
    options: dict[str, Any] = {}


class FeatureSettings(Settings):
    """What the end model reads: the words of a text column, or numeric columns."""

    text: Text | None = None
    min_df: PositiveInt = 2
    max_features: PositiveInt | None = None
    columns: Annotated[list[Text], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.text is None) == (self.columns is None):
            raise ValueError("must have exactly one of the keys text, columns")
        return self


class EndModelSettings(Settings):
    """The network; a key left out takes the end model's own default."""

    architecture: Literal["hier", "flat", "single"] = "hier"
    hidden_sizes: list[PositiveInt] | None = None
    max_epochs: PositiveInt | None = None
    batch_size: PositiveInt | None = None
    lr: PositiveFloat | None = None
    use_dev: bool = True
    options: dict[str, Any] = {}

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for the end model, without those left out."""
        given = {
            "architecture": self.architecture,
            "hidden_sizes": None if self.hidden_sizes is None else tuple(self.hidden_sizes),
            "max_epochs": self.max_epochs,
            "batch_size": self.batch_size,
            "lr": self.lr,
        }
        return {name: value for name, value in given.items() if value is not None} | self.options


class OutputSettings(Settings):
    """Where run folders go, and the format of the tables in them."""

    folder: Text = "runs"
    format: Literal["csv", "parquet"] = "csv"


class ProjectSettings(Settings):
    """A whole project file."""

    name: Text | None = None
    task_schema: Annotated[Any, Field(alias="schema")]
    data: DataSettings
    lfs: LFSettings
    label_model: LabelModelSettings = LabelModelSettings()
    features: FeatureSettings
    end_model: EndModelSettings = EndModelSettings()
    output: OutputSettings = OutputSettings()
    random_state: Annotated[int, Field(ge=0)] = 0
