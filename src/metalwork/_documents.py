"""YAML and JSON documents that remember where each value stood, so that errors can say file:line:column."""

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import ConstructorError, DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

from metalwork.errors import ConfigError

Key = str | int
_MOST_VALUES = 1_000_000


@dataclass(frozen=True)
class Document:
    """A parsed file: plain ``value`` (dicts, lists, scalars) and the position of everything in it."""

    path: Path
    value: Any
    _tree: Any

    def locate(self, keys: Sequence[Key] = ()) -> str:
        """``file:line:column`` (from 1) of the value under ``keys``, or of its nearest located parent.

        ``file`` alone where no position is known: JSON that no YAML reader could follow.
        """
        if self._tree is None:
            return str(self.path)
        node, line, column = self._tree, 0, 0
        for key in keys:
            try:
                if isinstance(node, CommentedMap):
                    line, column = node.lc.key(key)
                elif isinstance(node, CommentedSeq):
                    line, column = node.lc.item(key)
                node = node[key]
            except (KeyError, IndexError, TypeError, AttributeError):
                break
        return f"{self.path}:{line + 1}:{column + 1}"


def load_document(path: str | os.PathLike[str], *, text: str | None = None) -> Document:
    """Read a ``.json`` file, or any other as YAML 1.2; one clear ``ConfigError`` when it cannot be.

    ``text`` is what the file is to say, where it does not say so yet.
    """
    source = Path(path)
    text = _read_text(source) if text is None else text
    if source.suffix.lower() == ".json":
        return _load_json(source, text)
    try:
        tree = _yaml().load(text)
    except DuplicateKeyError as error:
        raise _twice(source, error) from None
    except YAMLError as error:
        raise ConfigError(f"{_mark(source, error)}: not valid YAML: {_problem(error)}.") from None
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply to be read.") from None
    except (TypeError, ValueError, AttributeError) as error:  # ruamel.yaml on a tag that does not fit its value
        raise ConfigError(f"{source}: not valid YAML: {error}.") from None
    return Document(source, _copied(source, tree, tree), CommentedMap() if tree is None else tree)


def _load_json(source: Path, text: str) -> Document:
    """YAML tells the positions, as far as it can (a key of 1025 characters is no YAML); JSON the values."""
    try:
        tree = _yaml().load(text.replace("\t", " "))  # the same columns; YAML reads no tabs as white space
    except DuplicateKeyError as error:
        raise _twice(source, error) from None
    except (YAMLError, RecursionError, ValueError):
        tree = None
    try:
        value = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{source}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}.") from None
    except ValueError as error:
        raise ConfigError(f"{source}: not valid JSON: {error}.") from None
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply to be read.") from None
    return Document(source, _copied(source, tree, value), tree)


def _read_text(source: Path) -> str:
    try:
        return source.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{source}: there is no such file.") from None
    except IsADirectoryError:
        raise ConfigError(f"{source}: a file is needed here, but this is a folder.") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: must be UTF-8 text; byte {error.start} is not. Save it as UTF-8.") from None
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read ({error.strerror}).") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"the key {key[:80]!r} stands twice")
        seen[key] = value
    return seen


def _no_number(literal: str) -> NoReturn:
    raise ValueError(f"{literal} is no JSON number")


class _Constructor(RoundTripConstructor):
    """ruamel.yaml's, but what it cannot construct is an error with a position."""

    def construct_mapping(self, node: Any, maptyp: Any, deep: bool = False) -> Any:  # type: ignore[override]
        for key, _ in node.value if isinstance(node, MappingNode) else ():
            if not isinstance(key, ScalarNode):
                raise ConstructorError(None, None, "a key must be text or a number", key.start_mark)
        return super().construct_mapping(node, maptyp, deep)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        if node in self.recursive_objects and node not in self.constructed_objects:  # else it would be None
            raise ConstructorError(None, None, "a value contains itself; write it out", node.start_mark)
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise ConstructorError(None, None, str(error), node.start_mark) from None


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.Constructor = _Constructor
    yaml.version = (1, 2)
    return yaml


def _twice(source: Path, error: DuplicateKeyError) -> ConfigError:
    return ConfigError(f"{_mark(source, error)}: a key stands twice ({_problem(error)}). Keep one.")


def _mark(source: Path, error: YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"{source}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(source)


def _problem(error: YAMLError) -> str:
    problem = error.problem if isinstance(error, MarkedYAMLError) else None
    return str(problem or error).strip().splitlines()[0].rstrip(".")


def _copied(source: Path, tree: Any, value: Any) -> Any:
    try:
        return _Copier(source, tree).copy(value)
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply to be read.") from None


class _Copier:
    """Copies a document into dicts, lists and scalars; what has no place there is an error with a position."""

    def __init__(self, source: Path, tree: Any) -> None:
        self._document = Document(source, None, tree)
        self._left = _MOST_VALUES

    def copy(self, node: Any, keys: tuple[Key, ...] = (), above: frozenset[int] = frozenset()) -> Any:
        self._left -= 1
        if self._left < 0:
            self._fault(keys, f"more than {_MOST_VALUES:,} values (a YAML alias of aliases?). Write less")
        if id(node) in above:
            self._fault(keys, "a value contains itself (a YAML alias to its own parent). Write it out")
        below = above | {id(node)}
        if isinstance(node, Mapping):
            return {self._text(key, keys): self.copy(node[key], (*keys, key), below) for key in node}
        if isinstance(node, list):
            return [self.copy(value, (*keys, i), below) for i, value in enumerate(node)]
        if isinstance(node, str):
            return self._text(node, keys)
        if isinstance(node, bool | datetime.date) or node is None:
            return node
        if isinstance(node, int):
            return int(node)
        if isinstance(node, float):
            return float(node)
        return self._fault(keys, f"must be text, a number, a list or a mapping; got {type(node).__name__}")

    def _text(self, value: Any, keys: tuple[Key, ...]) -> Any:
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                self._fault(keys, f"the text {str(value)[:80]!r} holds half of a surrogate pair. Write it whole")
        return str(value) if isinstance(value, str) else value

    def _fault(self, keys: tuple[Key, ...], text: str) -> NoReturn:
        raise ConfigError(f"{self._document.locate(keys)}: {text}.")
