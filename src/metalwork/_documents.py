"""YAML and JSON documents that remember where each value stood, so that errors can say file:line:column."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from metalwork.errors import ConfigError

Key = str | int


@dataclass(frozen=True)
class Document:
    """A parsed file: plain ``value`` (dicts, lists, scalars) and the position of everything in it."""

    path: Path
    value: Any
    _tree: Any

    def locate(self, keys: Sequence[Key] = ()) -> str:
        """``file:line:column`` (from 1) of the value under ``keys``, or of its nearest located parent."""
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


def load_document(path: str | os.PathLike[str]) -> Document:
    """Read a ``.json`` file, or any other as YAML 1.2; one clear ``ConfigError`` when it cannot be."""
    source = Path(path)
    text = _read_text(source)
    if source.suffix.lower() == ".json":
        _check_json(source, text)
        text = text.replace("\t", " ")  # the same columns; YAML reads no tabs as white space
    yaml = YAML(typ="rt")
    yaml.version = (1, 2)
    try:
        tree = yaml.load(text)
    except DuplicateKeyError as error:
        raise ConfigError(f"{_mark(source, error)}: a key stands twice ({_problem(error)}). Keep one.") from None
    except YAMLError as error:
        raise ConfigError(f"{_mark(source, error)}: not valid YAML: {_problem(error)}.") from None
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply to be read.") from None
    return Document(source, _plain(tree, source, frozenset()), tree)


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


def _check_json(source: Path, text: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{source}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}.") from None


def _mark(source: Path, error: YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"{source}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(source)


def _problem(error: YAMLError) -> str:
    problem = error.problem if isinstance(error, MarkedYAMLError) else None
    return str(problem or error).strip().splitlines()[0].rstrip(".")


def _plain(node: Any, source: Path, above: frozenset[int]) -> Any:
    """Copy the round-trip tree into dicts, lists and scalars; an alias to its own parent is a cycle."""
    if isinstance(node, (Mapping, list)) and id(node) in above:
        raise ConfigError(f"{source}: a value contains itself (a YAML alias to its own parent). Write it out.")
    below = above | {id(node)}
    if isinstance(node, Mapping):
        return {key: _plain(value, source, below) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value, source, below) for value in node]
    if isinstance(node, str):
        return str(node)
    if isinstance(node, bool) or node is None:
        return node
    if isinstance(node, int):
        return int(node)
    return float(node) if isinstance(node, float) else node
