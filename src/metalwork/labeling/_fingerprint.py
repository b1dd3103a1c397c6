"""What a labeling function is: a digest that is equal wherever the same one would give the same votes."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from metalwork.labeling._code_digest import CodeDigests
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._origins import PYTHON, own_version
from metalwork.labeling._preprocess import Preprocessor
from metalwork.labeling._reads import Functions
from metalwork.labeling._returns import Spaces
from metalwork.labeling._values_digest import digest_of
from metalwork.votes import TaskForest

_FORMAT: Final = "1"


@dataclass(frozen=True)
class Fingerprint:
    """What a labeling function is.

    Attributes
    ----------
    digest : bytes
        Of its code and all that the code refers to, its options, and what the schema says of its task.
    blind : tuple of str
        Why the digest does not say all; empty where it does.
    functions : Functions
        The user's own functions in it.
    files : tuple of str
        Files that texts and paths in it name, from here or from where its functions were written.
    """

    digest: bytes
    blind: tuple[str, ...]
    functions: Functions
    files: tuple[str, ...]


class LFDigests(CodeDigests):
    """Digests labeling functions by what they do; their names do not count."""

    def _by_type(self) -> list[Any]:
        return [
            (LabelingFunction, self._labeling_function),
            (Preprocessor, self._preprocessor),
            *super()._by_type(),
        ]

    def _labeling_function(self, lf: LabelingFunction) -> Iterable[bytes | str]:
        kinds = [kind and kind.__name__ for kind in lf.kinds]
        return (self.of((lf.task, lf.fields, tuple(kinds))), self.of(lf.function))

    def _preprocessor(self, made: Preprocessor) -> Iterable[bytes | str]:
        kinds = [kind and kind.__name__ for kind in made.kinds]
        return (self.of((made.fields, tuple(kinds), made.batch)), self.of(made.function))

    def fingerprint(self, thing: LabelingFunction | Preprocessor, space: Spaces, *read: Any) -> Fingerprint:
        """The fingerprint of an LF that votes on ``space``, and depends on ``read`` beside columns."""
        seen = self.root(thing, *read)
        asked = repr([_asked(lf, space) for lf in (thing, *read) if isinstance(lf, LabelingFunction)])
        digest = digest_of(_FORMAT, PYTHON, pl.__version__, own_version(), asked, seen.digest)
        folders = {"", *(os.path.dirname(code.co_filename) for code in seen.codes.values())}
        paths = {os.path.join(folder, name) for name in seen.names for folder in folders}
        files = tuple(path for path in sorted(paths) if _is_file(path))
        return Fingerprint(digest, tuple(seen.blind), Functions(seen.codes.values()), files)


def _asked(lf: LabelingFunction, space: Spaces) -> list[Any]:
    """What the schema says to an LF: the labels of its task in their order, or the whole tree."""
    tasks = space.tasks if lf.task is None else (lf.task,)
    found: list[Any] = [(task, tuple(space.labels(task))) for task in tasks if task in space.tasks]
    if lf.task is None and not isinstance(space, TaskForest):
        found.append(space.to_dict())
    return found


def _is_file(path: str) -> bool:
    try:
        return os.path.isfile(path)
    except (OSError, ValueError):
        return False


def functions_digest(functions: Sequence[LabelingFunction], space: Spaces) -> str:
    """Digest of labeling functions and their names, also where not all of them can be seen."""
    digests = LFDigests()
    parts = [(lf.name, digests.fingerprint(lf, space).digest.hex()) for lf in functions]
    return digest_of(repr(parts)).hex()
