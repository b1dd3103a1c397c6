"""Reading a project file: every fault at once, each with file:line:column."""

import difflib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from metalwork._documents import Document, Key, load_document
from metalwork.data import find_files
from metalwork.errors import ConfigError, MetalworkError
from metalwork.pipeline._faults import Fault, dotted, list_faults, placed, prior_faults
from metalwork.pipeline._rules import make_rule, make_rules, rule_names
from metalwork.pipeline._settings import COMPOSITES, ProjectSettings, RuleSettings
from metalwork.schema import TaskSchema, unknown_name
from metalwork.votes import Space, read_space


@dataclass(frozen=True)
class Project:
    """A project file that has been read and checked; nothing it names has been opened or run yet."""

    path: Path
    settings: ProjectSettings
    space: Space
    """What labeling functions vote on: a tree, or label vectors."""
    locate: Callable[[Sequence[Key]], str]
    """``file:line:column`` of a key."""
    faults: tuple[Fault, ...] = ()
    """Rules and a class prior that do not fit the schema; no job is made of a project that has any."""

    @property
    def schema(self) -> TaskSchema:
        """The tree whose end labels records have."""
        return self.space.schema

    @property
    def faulty_rules(self) -> frozenset[Any]:
        """Positions of the rules that have a fault."""
        return frozenset(place[2] for place, _ in self.faults if place[:2] == ("lfs", "rules"))

    @property
    def rule_names(self) -> list[str]:
        """The name of each rule; ``ConfigError`` that lists them where rules or class prior have faults."""
        if self.faults:
            lines = [placed(fault, self.locate) for fault in self.faults]
            raise ConfigError(list_faults(f"The project file {self.path.name}", lines))
        return rule_names(self.settings.lfs.rules, self.folder)

    def check_distinct(self, names: Sequence[str]) -> None:
        """``ConfigError`` where two labeling functions have one name."""
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError(
                f"Labeling functions must have distinct names; got twice in {self.path.name}: "
                f"{', '.join(twice)}. Give one of each another name."
            )

    @property
    def folder(self) -> Path:
        """The folder the file lies in; every path in it is relative to this one."""
        return self.path.parent

    @property
    def name(self) -> str:
        """The project's name: as written, else its folder's."""
        return self.settings.name or self.folder.resolve().name

    @property
    def output(self) -> Path:
        """The folder that holds the run folders."""
        return self.folder / self.settings.output.folder

    @property
    def code(self) -> tuple[Path, ...]:
        """The project's own Python files that it names: these are run."""
        named = (self.settings.data.python, self.settings.lfs.python)
        return tuple(dict.fromkeys(self.folder / python for python in named if python is not None))


def load_project(path: str | os.PathLike[str], *, records: bool = True, text: str | None = None) -> Project:
    """Read a project file, and check what must be right before anything that it names can be opened or run.

    Without ``records`` it may be apart from its files of records, as in the folder of a run. ``text`` is what the
    file is to say, where it does not say so yet.

    Raises
    ------
    ConfigError
        Listing every fault with its file:line:column: unknown keys (with the nearest known one), wrong values,
        a schema that is neither one tree nor label vectors, files that are not there. Tasks and labels that are
        not in the schema are listed with them, or else by :meth:`Job.of_project`, with what is wrong with the
        records.
    """
    document = load_document(path, text=text)
    if not isinstance(document.value, dict):
        raise ConfigError(f"{document.locate()}: a project file must be a mapping; got {document.value!r}.")
    faults: list[str] = []
    space = _read_space(document, faults)
    settings = _read_settings(document, faults)
    of_names: list[Fault] = []
    if settings is not None:
        faults.extend(_file_faults(document, settings, records))
        if space is not None:
            of_names.extend(_name_faults(document.path.parent, settings, space))
    if faults or settings is None or space is None:
        lines = [*faults, *(placed(fault, document.locate) for fault in of_names)]
        raise ConfigError(list_faults(f"The project file {document.path.name}", lines))
    return Project(document.path, settings, space, document.locate, tuple(of_names))


def _read_space(document: Document, faults: list[str]) -> Space | None:
    value = document.value.get("schema")
    if value is None:
        return None  # the settings report the missing key
    base: tuple[Key, ...] = ("schema",)
    if isinstance(value, str):
        try:
            document = load_document(document.path.parent / value)
        except ConfigError as error:
            faults.append(f"{document.locate(base)}: schema: {error}")
            return None
        value, base = document.value, ()
    space, found = read_space(value, lambda keys: document.locate((*base, *keys)))
    faults.extend(found)
    return space


def _read_settings(document: Document, faults: list[str]) -> ProjectSettings | None:
    try:
        return ProjectSettings.model_validate(document.value)
    except ValidationError as error:
        for entry in error.errors(include_url=False):
            place = tuple(key for key in entry["loc"] if key != "[key]")
            faults.append(f"{document.locate(place)}: {describe_fault(place, dict(entry))}")
        return None


def describe_fault(place: tuple[Key, ...], entry: dict[str, Any]) -> str:
    """One fault of pydantic's in the words of this package."""
    where, kind = dotted(place), entry["type"]
    if kind == "missing":
        return f"{where} must be given. Add it."
    if kind == "extra_forbidden":
        known = _keys_at(place[:-1])
        section = dotted(place[:-1]) or "the project file"
        return unknown_name(f"key of {section}", place[-1], known)
    if kind == "value_error":
        return f"{where} {entry['ctx']['error']}."
    rule = entry["msg"].removeprefix("Input should ").removeprefix("Value error, ")
    if kind in ("model_type", "dict_type"):
        rule = "be a mapping"
    return f"{where} must {rule}; got {entry['input']!r}."


def _keys_at(place: Sequence[Key]) -> list[str]:
    """The keys that the section at ``place`` may have."""
    section: type[BaseModel] = ProjectSettings
    for key in place:
        if isinstance(key, str):
            section = next(_sections(section.model_fields[key].annotation))
    return [field.alias or name for name, field in section.model_fields.items()]


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _sections(argument)


def _file_faults(document: Document, settings: ProjectSettings, records: bool) -> Iterator[str]:
    folder = document.path.parent
    for place, name in _named_files(settings) if records else ():
        if not find_files(folder, name):
            yield (
                f"{document.locate(place)}: {dotted(place)} must be a file or a glob that matches one; "
                f"got {name!r}. Paths start at the project file's folder.{_near_file(folder, name)}"
            )
    yield from _code_faults(document, ("data", "python"), settings.data.python)
    yield from _code_faults(document, ("lfs", "python"), settings.lfs.python)


def _named_files(settings: ProjectSettings) -> Iterator[tuple[tuple[Key, ...], str]]:
    """The place and name of each data file; those of a public data set are looked for when it is opened."""
    if settings.data.dataset is not None:
        return
    for key in ("train", "dev", "test", "records"):
        named = getattr(settings.data, key) or ()
        for i, name in enumerate(named):
            yield ("data", key, i) if len(named) > 1 else ("data", key), name


def _code_faults(document: Document, place: tuple[Key, ...], python: str | None) -> Iterator[str]:
    if python is None:
        return
    folder = document.path.parent
    at, key = document.locate(place), dotted(place)
    target = (folder / python).resolve()
    if not target.is_relative_to(folder.resolve()):
        yield f"{at}: {key} must lie in the project's folder, because it is run; got {python!r}. Copy it there."
    elif not target.is_file():
        yield f"{at}: {key} must be a file; there is none at {python!r}.{_near_file(folder, python)}"


def _near_file(folder: Path, name: str) -> str:
    parent = (folder / name).parent
    siblings = [entry.name for entry in parent.iterdir()] if parent.is_dir() else []
    close = difflib.get_close_matches(Path(name).name, siblings, n=1)
    return f" Did you mean {str(Path(name).with_name(close[0]))!r}?" if close else ""


def _name_faults(folder: Path, settings: ProjectSettings, space: Space) -> Iterator[Fault]:
    """Rules and a class prior that do not fit the schema."""
    faulty: list[int] = []
    for i, rule in enumerate(settings.lfs.rules):
        for key, text in rule_faults(rule, space, folder):
            place: tuple[Key, ...] = ("lfs", "rules", i, *key)
            faulty.append(i)
            yield place, f"{dotted(place)}: {text}"
    composites = [i for i, rule in enumerate(settings.lfs.rules) if rule.kind in COMPOSITES]
    if composites and not faulty:
        try:
            make_rules(settings.lfs.rules, folder)
        except MetalworkError as error:
            place = ("lfs", "rules", composites[0])
            yield place, f"{dotted(place)}: {error}"
    if (prior := settings.label_model.class_prior) is not None:
        yield from prior_faults(prior, space.schema)


def rule_faults(rule: RuleSettings, space: Space, folder: Path) -> Iterator[tuple[tuple[Key, ...], str]]:
    tasks = (rule.task,) if isinstance(rule.task, str) else rule.task or ()
    if wrong := [task for task in tasks if task not in space.tasks]:
        yield ("task",), unknown_name("task", wrong[0], space.tasks)
        return
    labels = space.labels(tasks[0]) if tasks else ()
    if rule.label is not None and rule.label not in labels:
        yield ("label",), unknown_name(f"label of task {rule.task!r}", rule.label, labels)
    for key, named in (("mapping", rule.mapping), ("probabilities", rule.probabilities)):
        for value, label in (named or {}).items():
            if label is not None and label not in labels:
                yield (key, value), unknown_name(f"label of task {rule.task!r}", label, labels)
    if rule.kind in COMPOSITES:
        return
    try:
        made: Any = make_rule(rule, folder)
        if rule.llm is not None:
            made.check(space)
    except MetalworkError as error:
        yield (rule.kind,), str(error)
