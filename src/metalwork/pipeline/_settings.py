"""The keys of a project file."""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from metalwork._names import is_whole, plain_name
from metalwork.backends import read_bytes
from metalwork.errors import ConfigError

Text = Annotated[str, Field(min_length=1)]


def _as_name(value: Any) -> Any:
    """A name as the schema has it: a whole number by how it is written, text in its plain form."""
    return str(value) if is_whole(value) else plain_name(value) if isinstance(value, str) else value


Name = Annotated[str, BeforeValidator(_as_name), Field(min_length=1)]

REGEX_FLAGS: Final = {
    "ignorecase": re.IGNORECASE,
    "multiline": re.MULTILINE,
    "dotall": re.DOTALL,
    "verbose": re.VERBOSE,
    "ascii": re.ASCII,
}


def _read_flags(value: Any) -> int:
    """``re`` flags: their names, or the number they add up to."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, list) or not all(isinstance(name, str) and name in REGEX_FLAGS for name in value):
        known = ", ".join(REGEX_FLAGS)
        raise ValueError(f"must be a list of flags ({known}; [] heeds letter case); got {value!r}")
    return int(sum({REGEX_FLAGS[name] for name in value}, re.RegexFlag(0)))


def _read_negated_by(value: Any) -> bool | tuple[str, ...]:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list) or not value or not all(isinstance(cue, str) and cue.strip() for cue in value):
        raise ValueError(f"must be true or a list of words; got {value!r}")
    return tuple(value)


def _read_task(value: Any) -> str | tuple[str, ...] | None:
    """A task; of a language model also several, or null for all of the tree."""
    names = value if isinstance(value, list) else [value]
    tasks = tuple(_as_name(name) for name in names)
    if value is not None and not (tasks and all(isinstance(task, str) and task for task in tasks)):
        raise ValueError(f"must be the name of a task; got {value!r}")
    return None if value is None else tasks if isinstance(value, list) else tasks[0]


def _read_values(value: Any) -> Any:
    """A value, or a list of values, that a column may hold."""
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str | int | float) and one == one and one != "" for one in values):
        raise ValueError(f"must be a text, a number, true or false, or a list of these; got {value!r}")
    return value


_WORD_OPTIONS = ("label", "field", "negated_by", "window", "ignore_case", "whole_words")
RULE_OPTIONS: Final = {
    "keywords": _WORD_OPTIONS,
    "words_file": _WORD_OPTIONS,
    "regex": ("label", "field", "negated_by", "window", "flags"),
    "threshold": ("label", "above", "at_least", "below", "at_most"),
    "equals": ("label", "field"),
    "all": ("label", "not"),
    "any": ("label", "not"),
    "column": ("mapping",),
    "probabilities": (),
    "llm": (),
}
"""The kinds of rules, and what each may have beside task, name and votes."""

COMPOSITES: Final = ("all", "any")
"""Kinds that are made of other rules, and vote the label of these where they name none."""


class Settings(BaseModel):
    """A section of the project file: no key beyond those declared, no value converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _read_files(value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"must be a path, a glob, or a list of them; got {value!r}")
    return tuple(names)


Files = Annotated[tuple[str, ...], PlainValidator(_read_files)]


class LimitSettings(Settings):
    """What one file may ask for; a key left out has the default of :class:`metalwork.data.Limits`."""

    record_bytes: PositiveInt | None = None
    array_bytes: PositiveInt | None = None
    columns: PositiveInt | None = None
    depth: PositiveInt | None = None


class DataSettings(Settings):
    """Where the records are and how they are read; paths start at the project file, or the data set's folder."""

    train: Files | None = None
    dev: Files | None = None
    test: Files | None = None
    records: Files | None = None
    split: Text | None = None
    dataset: Text | None = None
    python: Text | None = None
    label: Text = "label"
    id: Text | None = None
    types: dict[Text, Literal["float", "int", "bool", "str"]] = {}
    format: Literal["csv", "tsv", "jsonl", "json", "parquet", "arrow", "txt"] | None = None
    delimiter: Text | None = None
    quote: str | None = None
    encoding: Text | None = None
    limits: LimitSettings | None = None

    @property
    def reading(self) -> dict[str, Any]:
        """How files are to be read: the options of :func:`metalwork.data.open_records` that are given."""
        named = ("format", "delimiter", "quote", "encoding")
        found = {name: value for name in named if (value := getattr(self, name)) is not None}
        return found if self.limits is None else found | {"limits": self.limits.model_dump(exclude_none=True)}

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        files = [name for name in ("train", "dev", "test") if getattr(self, name) is not None]
        others = [name for name in ("records", "python") if getattr(self, name) is not None]
        if len(others) + bool(files) > 1:
            got = ", ".join([*files, *others])
            raise ValueError(f"must have train (with dev and test), records or python, one of them; got {got}")
        if not files and not others and self.dataset is None:
            raise ValueError("must say where the records are: have the key train, records, dataset or python")
        if self.python is not None and self.dataset is not None:
            raise ValueError("may have the key dataset beside files only; a loader in Python finds its own")
        if self.python is not None and self.reading:
            raise ValueError(
                f"may have the key {next(iter(self.reading))} beside files only; a loader in Python reads its own"
            )
        if files and self.train is None:
            raise ValueError(f"must have the key train beside {' and '.join(files)}")
        if files and self.split is not None:
            raise ValueError("may have the key split beside records, dataset or python only")
        if not files and self.python is None and self.split is None:
            raise ValueError("must have the key split: the column that says train, dev or test of each record")
        return self


class LLMSettings(Settings):
    """A language model that is asked about each record: the arguments of :func:`metalwork.llm`.

    A template is a file here, an example holds the fields of a record and its label, and paths start at the
    project's folder.
    """

    model: Text
    base_url: Text | None = None
    fields: Files = ("text",)
    descriptions: dict[Name, Text] = {}
    examples: list[dict[Text, Any]] = []
    template: Text | None = None
    logprobs: bool = False
    parameters: dict[Text, Any] = {}
    answer_tokens: PositiveInt | None = None
    api_key_env: Text | None = None
    concurrency: PositiveInt | None = None
    timeout: PositiveFloat | None = None
    retries: Annotated[int, Field(ge=0)] | None = None
    requests_per_minute: PositiveFloat | None = None
    tokens_per_minute: PositiveFloat | None = None
    max_calls: PositiveInt | None = None
    max_tokens: PositiveInt | None = None
    max_cost: PositiveFloat | None = None
    prices: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    cache: Text | None = None

    @field_validator("examples")
    @classmethod
    def _labelled(cls, examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not all("label" in example for example in examples):
            raise ValueError(
                "must have the key label in each example: what to answer, null for none of the labels"
            )
        return examples


class RuleSettings(Settings):
    """A labeling function written in the project file.

    Exactly one of the keys in ``RULE_OPTIONS`` says of which kind it is; the other keys are the arguments that the
    Python function of that kind takes. ``all`` and ``any`` name rules that must hold, ``not`` rules that must not.
    With ``votes: false`` a rule is but a part of others.
    """

    task: Annotated[str | tuple[str, ...] | None, PlainValidator(_read_task)]
    label: Name | None = None
    name: Text | None = None
    field: Text = "text"
    keywords: Annotated[list[Text], Field(min_length=1)] | None = None
    words_file: Text | None = None
    flags: Annotated[int, PlainValidator(_read_flags)] = re.IGNORECASE
    regex: Text | None = None  # stands below the flags, which its check needs
    column: Text | None = None
    probabilities: Annotated[dict[Text, Name], Field(min_length=1)] | None = None
    llm: LLMSettings | None = None
    threshold: Text | None = None
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    equals: Annotated[Any, PlainValidator(_read_values)] = None
    all: Annotated[list[Text], Field(min_length=1)] | None = None
    any: Annotated[list[Text], Field(min_length=1)] | None = None
    but_not: Annotated[list[Text] | None, Field(alias="not")] = None
    votes: bool = True
    mapping: dict[Any, Name | None] | None = None  # null: abstain
    negated_by: Annotated[bool | tuple[str, ...], PlainValidator(_read_negated_by)] = False
    window: PositiveInt | None = None
    ignore_case: bool = True
    whole_words: bool = True

    @property
    def kind(self) -> str:
        """Which of the kinds it is."""
        return next(kind for kind in RULE_OPTIONS if getattr(self, kind) is not None)

    @field_validator("regex")
    @classmethod
    def _compiles(cls, pattern: str | None, known: ValidationInfo) -> str | None:
        if pattern is not None and "flags" in known.data:
            try:
                re.compile(pattern, known.data["flags"])
            except (re.error, ValueError, OverflowError, RecursionError) as error:
                raise ValueError(f"must be a regular expression ({error})") from None
        return pattern

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [kind for kind in RULE_OPTIONS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"must have exactly one of the keys {', '.join(RULE_OPTIONS)}")
        known = RULE_OPTIONS[kinds[0]]
        if not isinstance(self.task, str) and self.llm is None:
            raise ValueError(f"must have one task beside {kinds[0]}; only a language model (llm) has several")
        if "label" in known and self.label is None and kinds[0] not in COMPOSITES:
            raise ValueError(f"must have the key label beside {kinds[0]}: the label it votes for")
        if "label" not in known and self.label is not None:
            raise ValueError(f"must not have the key label beside {kinds[0]}, which says the labels itself")
        options = {option for own in RULE_OPTIONS.values() for option in own}
        if not self.votes and self.name is None:
            raise ValueError("must have the key name beside votes: false, by which other rules name it")
        given = {"not" if key == "but_not" else key for key in self.model_fields_set}
        for option in sorted((given & options) - set(known)):
            homes = ", ".join(kind for kind, own in RULE_OPTIONS.items() if option in own)
            raise ValueError(f"may have the key {option} beside {homes} only")
        return self


def _read_memory(value: Any) -> Any:
    """An amount of memory as it is written."""
    try:
        read_bytes("max_memory", value)
    except ConfigError:
        raise ValueError(f"must be a number of bytes, or a text such as '2 GB'; got {value!r}") from None
    return value


class CrowdSettings(Settings):
    """A table with one row an answer: a labeling function a worker. The keys are ``from_crowd``'s arguments."""

    file: Text
    task: Name | None
    field: Text = "id"
    record: Text = "record"
    worker: Text = "worker"
    label: Text = "label"
    labels: dict[Any, Name | None] | None = None


def _none_yet(value: Any) -> Any:
    """A list that is still empty in the file: ``rules:`` and nothing below."""
    return [] if value is None else value


class LFSettings(Settings):
    """Labeling functions: a Python file in the project's folder, rules written here, crowds, or several.

    A project may have none yet: its records can be looked at and labelled, and rules can be suggested.
    """

    python: Text | None = None
    rules: Annotated[list[RuleSettings], BeforeValidator(_none_yet)] = []
    crowds: Annotated[list[CrowdSettings], BeforeValidator(_none_yet)] = []
    backend: Literal["serial", "processes", "ray"] | None = None
    n_jobs: PositiveInt | None = None
    max_error_rate: Annotated[float, Field(ge=0, le=1)] = 0.01
    max_seconds: PositiveFloat | None = 60.0
    max_memory: Annotated[int | str, PlainValidator(_read_memory)] | None = None
    on_failure: Literal["stop", "continue"] = "stop"
    cache: bool = True


class LabelModelSettings(Settings):
    """Which label model, whether it may use dev labels and the records' features, and its own options."""

    name: Literal["hierarchical", "log-linear", "soft-vote", "hard-vote"] = "hierarchical"
    use_dev: bool = True
    features: bool = False
    class_prior: dict[Name, float] | None = None
    options: dict[str, Any] = {}

    @model_validator(mode="after")
    def _movable(self) -> Self:
        if self.features and self.name == "hard-vote":
            raise ValueError("may have features: true beside other names only; nothing moves a hard-vote")
        return self


Columns = Annotated[list[Text], Field(min_length=1)]


FEATURE_KINDS: Final = ("text", "columns", "categories", "dates", "embeddings", "static", "fine_tuned", "images")
"""Keys of which each makes features."""

_BESIDE: Final = {
    "missing": ("columns",),
    "encoder": ("embeddings", "fine_tuned"),
    "vectors": ("static",),
    "max_tokens": ("fine_tuned",),
} | dict.fromkeys(("image_folder", "image_size", "backbone", "weights"), ("images",))
"""Keys that say more of others, beside one of which they must stand."""


class FeatureSettings(Settings):
    """What the end model reads: a featurizer a key, one or several."""

    text: Text | None = None
    words: Literal["counts", "tf-idf", "hashed"] = "counts"
    min_df: PositiveInt = 2
    max_features: PositiveInt | None = None
    tokenizer: Literal["words", "chars"] = "words"
    ngrams: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] = [1, 1]
    columns: Columns | None = None
    missing: Literal["refuse", "median"] = "refuse"
    categories: Columns | None = None
    dates: Columns | None = None
    embeddings: Text | None = None
    encoder: Text | None = None
    static: Text | None = None
    vectors: Text | None = None
    fine_tuned: Text | None = None
    max_tokens: PositiveInt = 128
    images: Text | None = None
    image_folder: Text | None = None
    image_size: PositiveInt | Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] | None = None
    backbone: Text = "small"
    weights: Text | None = None
    votes: bool = False

    def within(self, folder: Path) -> Self:
        """With paths that start at ``folder``; an encoder that is no folder there is a name."""
        found = {}
        for key in ("vectors", "weights"):
            if (path := getattr(self, key)) is not None:
                found[key] = str(folder / path)
        if self.images is not None:
            found["image_folder"] = str(folder / (self.image_folder or ""))
        if self.encoder is not None and (folder / self.encoder).is_dir():
            found["encoder"] = str(folder / self.encoder)
        return self.model_copy(update=found)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if all(getattr(self, kind) is None for kind in FEATURE_KINDS):
            raise ValueError(f"must have the key {', '.join(FEATURE_KINDS)}, or several")
        if self.ngrams[0] > self.ngrams[1]:
            raise ValueError(f"must have ngrams from the least to the most, e.g. [1, 2]; got {self.ngrams}")
        given = self.model_fields_set
        of_text = given & {"words", "min_df", "max_features", "tokenizer", "ngrams"}
        if self.text is None and of_text:
            raise ValueError(f"may have the key {min(of_text)} beside text only")
        if self.words == "hashed" and "min_df" in given:
            raise ValueError("may not have the key min_df beside words: hashed, which keeps no words")
        for key, beside in _BESIDE.items():
            if key in given and all(getattr(self, kind) is None for kind in beside):
                raise ValueError(f"may have the key {key} beside {' or '.join(beside)} only")
        if self.static is not None and self.vectors is None:
            raise ValueError("must have the key vectors beside static: the file with the vectors of words")
        return self


NO_END_MODEL: Final = "none"


class EndModelSettings(Settings):
    """The network; a key left out takes the end model's own default. ``none``: labels are all that is wanted."""

    architecture: Literal["tree", "hier", "levels", "flat", "single", "linear", "none"] = "tree"
    hidden_sizes: list[PositiveInt] | None = None
    max_epochs: PositiveInt | None = None
    batch_size: PositiveInt | None = None
    lr: PositiveFloat | None = None
    use_dev: bool = True
    options: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _written_short(cls, given: Any) -> Any:
        return {"architecture": given} if given == NO_END_MODEL else given

    @model_validator(mode="after")
    def _nothing_of_none(self) -> Self:
        others = self.model_fields_set - {"architecture"}
        if self.is_none and others:
            raise ValueError(f"may have no other key beside architecture: none; got {min(others)}")
        return self

    @property
    def is_none(self) -> bool:
        """Whether no end model is trained."""
        return self.architecture == NO_END_MODEL

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
    """Where run folders go, the format of the tables in them, and how many records a shard of a result has."""

    folder: Text = "runs"
    format: Literal["csv", "parquet"] = "csv"
    shard_rows: PositiveInt = 50_000


class TuneSettings(Settings):
    """Settings that are tried beside those of ``label_model`` and ``end_model``, each saying what it changes."""

    label_models: list[LabelModelSettings] | None = None
    end_models: list[EndModelSettings] | None = None
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    trials: PositiveInt | None = None

    @model_validator(mode="after")
    def _some_model(self) -> Self:
        if any(model.is_none for model in self.end_models or ()):
            raise ValueError("may not try end_models without an end model (none)")
        return self


def _switched(given: Any) -> Any:
    """``true`` stands for the defaults, ``false`` for not at all."""
    return ({} if given else None) if isinstance(given, bool) else given


class ProjectSettings(Settings):
    """A whole project file."""

    name: Text | None = None
    task_schema: Annotated[Any, Field(alias="schema")]
    data: DataSettings
    lfs: Annotated[LFSettings, BeforeValidator(lambda value: {} if value is None else value)] = LFSettings()
    label_model: LabelModelSettings = LabelModelSettings()
    features: FeatureSettings
    end_model: EndModelSettings = EndModelSettings()
    tune: Annotated[TuneSettings | None, BeforeValidator(_switched)] = None
    output: OutputSettings = OutputSettings()
    random_state: Annotated[int, Field(ge=0)] = 0
