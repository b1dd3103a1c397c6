"""Votes that were cast before: what an LF is and what it reads say whether they still hold."""

import json
import struct
import warnings
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from metalwork._opened import BY_VALUE
from metalwork.errors import MetalworkWarning
from metalwork.labeling._alphabets import Numbering, Outcome, Soft
from metalwork.labeling._chunk import Chunk, Values
from metalwork.labeling._fingerprint import LFDigests
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._inputs import Inputs
from metalwork.labeling._preprocess import Preprocessor
from metalwork.labeling._reads import Functions, file_digest
from metalwork.labeling._returns import Spaces
from metalwork.labeling._store import Entry, Store, default_store
from metalwork.labeling._stored_values import read_values, write_values
from metalwork.labeling._values_digest import digest_of
from metalwork.labeling._votes import Failures, Votes

Key = bytes
_LENGTH: Final = struct.Struct("<I")


@dataclass(frozen=True)
class Known:
    """What identifies the results of one LF: its digest, the columns it depends on, and its functions."""

    name: str
    digest: bytes
    columns: tuple[str, ...]
    functions: Functions


@dataclass(frozen=True)
class VotesCache:
    """Looks up and keeps the votes of LFs on chunks; it travels to the workers.

    Attributes
    ----------
    store : Store
    lfs : tuple of Known or None
        By LF; None for one whose votes are not kept.
    made : mapping of str to Known
        By output, the preprocessors whose outputs are kept.
    """

    store: Store
    lfs: tuple[Known | None, ...]
    made: Mapping[str, Known]
    unsteady: set[int] = field(default_factory=set, compare=False)
    """LFs that answered differently here when they were asked again."""

    def look_up(self, chunk: Chunk, opened: dict[str, tuple[str, ...]]) -> dict[int, Votes]:
        """By position, the votes of LFs that are known here; ``opened`` takes up the files that they read."""
        keys = self._keys(chunk)
        unchanged = _Unchanged()
        entries = self.store.get(list(keys.values()))
        found = {}
        for j, key in keys.items():
            if (entry := entries.get(key)) is not None and unchanged(entry.files):
                found[j] = _read_votes(entry.value)
                opened |= {path: (BY_VALUE,) for path, _ in json.loads(entry.files)}
        return found

    def keep(self, chunk: Chunk, votes: Mapping[int, Votes]) -> dict[int, str]:
        """Keep votes that were cast just now; returns why those of some LFs cannot be."""
        keys, entries, why = self._keys(chunk), list[Entry](), dict[int, str]()
        for j, own in votes.items():
            known = self.lfs[j]
            if own.differs is not None:
                self.unsteady.add(j)
            if known is None or j not in keys or j in self.unsteady:
                continue
            if (reason := known.functions.left()) is not None:
                why[j] = reason
            elif own.wrong is None and own.failures.lasting:
                files = json.dumps(known.functions.files_read())
                entries.append(Entry(keys[j], known.name, files, _write_votes(own)))
        self.store.put(entries)
        return why

    def recall(self, made: Preprocessor, chunk: Chunk) -> Values | None:
        """The outputs of a preprocessor that are known on these records."""
        key = self._key_of(made, chunk)
        entry = None if key is None else self.store.get([key]).get(key)
        return None if entry is None or not _Unchanged()(entry.files) else read_values(entry.value)

    def keep_output(self, made: Preprocessor, chunk: Chunk, values: Values) -> None:
        """Keep the outputs of a preprocessor that were made just now, where none failed."""
        key = self._key_of(made, chunk)
        if key is not None and not values[1]:
            known = self.made[made.output]
            if known.functions.left() is None:
                files = json.dumps(known.functions.files_read())
                self.store.put([Entry(key, known.name, files, write_values(made.output, values[0]))])

    def _key_of(self, made: Preprocessor, chunk: Chunk) -> Key | None:
        known = self.made.get(made.output)
        return None if known is None else key_on(chunk, known.digest, known.columns)

    def _keys(self, chunk: Chunk) -> dict[int, Key]:
        found = {}
        for j, known in enumerate(self.lfs):
            if known is not None and (key := key_on(chunk, known.digest, known.columns)) is not None:
                found[j] = key
        return found


def key_on(chunk: Chunk, digest: bytes, columns: Iterable[str]) -> Key | None:
    """The key of what something of this digest makes of some columns of a chunk; None where they have none."""
    parts = [chunk.digest(name) for name in columns]
    return None if None in parts else digest_of(digest, *(part for part in parts if part is not None))


class _Unchanged:
    """Whether files that results depend on are as they were; each file is looked at once."""

    def __init__(self) -> None:
        self._now: dict[str, str] = {}
        self._known: dict[str, bool] = {"[]": True}

    def __call__(self, files: str) -> bool:
        if files not in self._known:
            self._known[files] = all(self._digest(path) == digest for path, digest in json.loads(files))
        return self._known[files]

    def _digest(self, path: str) -> str:
        if path not in self._now:
            self._now[path] = file_digest(path)
        return self._now[path]


def votes_cache(
    store: Store | None, lfs: Sequence[LabelingFunction], inputs: Inputs, space: Spaces
) -> tuple[VotesCache | None, dict[str, str]]:
    """The cache of some LFs and their preprocessors, and by name why the results of others cannot be kept.

    Without a store, outputs of preprocessors that ask for it are kept in the default one.
    """
    asked = [made for made in inputs.preprocessors.values() if made.cache]
    if store is None and not asked:
        return None, {}
    finder = _Finder(lfs, inputs, space)
    known = tuple(finder.of_lf(j) if store is not None else None for j in range(len(lfs)))
    made = {part.output: found for part in asked if (found := finder.of_preprocessor(part)) is not None}
    return VotesCache(store or Store(default_store()), known, made), finder.why


class _Finder:
    """Finds what identifies LFs and preprocessors; ``why`` says what cannot be."""

    def __init__(self, lfs: Sequence[LabelingFunction], inputs: Inputs, space: Spaces) -> None:
        self._lfs, self._inputs, self._space = lfs, inputs, space
        self._digests = LFDigests()
        self.why: dict[str, str] = {}

    def of_lf(self, j: int) -> Known | None:
        lf = self._lfs[j]
        behind = [self._lfs[part] if isinstance(part, int) else part for part in self._inputs.behind[j]]
        if not all(part.cache for part in [lf, *behind] if isinstance(part, LabelingFunction)):
            return None
        return self._known(f"LF {lf.name!r}", lf.name, lf, behind, self._inputs.columns[j])

    def of_preprocessor(self, made: Preprocessor) -> Known | None:
        behind, columns = self._inputs.behind_preprocessor(made), self._inputs.of_preprocessors[made.output]
        return self._known(f"preprocessor {made.output!r}", made.output, made, behind, columns)

    def _known(
        self, what: str, name: str, thing: Any, behind: list[Any], columns: tuple[str, ...]
    ) -> Known | None:
        found = self._digests.fingerprint(thing, self._space, *behind)
        if found.blind:
            self.why[what] = found.blind[0]
            return None
        files = [part for path in found.files for part in (path, file_digest(path))]
        return Known(name, digest_of(found.digest, *files), columns, found.functions)


def warn_of_unkept(why: Mapping[str, str]) -> None:
    """Say, once each, whose results are not kept."""
    new = {what: reason for what, reason in why.items() if (what, reason) not in _said}
    _said.update(new.items())
    if new:
        named = "; ".join(f"{what}: {reason}" for what, reason in list(new.items())[:5])
        more = f"; and {len(new) - 5} more" if len(new) > 5 else ""
        warnings.warn(
            f"The results of what depends on more than can be seen are not kept in the cache. {named}{more}. "
            "It is run each time; say so with cache=False.",
            MetalworkWarning,
            stacklevel=3,
        )


_said: set[tuple[str, str]] = set()


def _write_votes(votes: Votes) -> bytes:
    kind = np.min_scalar_type(min(int(votes.codes.min(initial=0)), -1 - int(votes.codes.max(initial=0))))
    header = {
        "shape": votes.codes.shape,
        "kind": kind.str,
        "n_labels": [numbers.n_labels for numbers in votes.numbers],
        "others": [list(map(_plain, numbers.others)) for numbers in votes.numbers],
        "failures": [votes.failures.count, votes.failures.first],
    }
    text = json.dumps(header).encode()
    return _LENGTH.pack(len(text)) + text + zlib.compress(votes.codes.astype(kind).tobytes(), 1)


def _plain(outcome: Outcome) -> int | list[int]:
    return outcome.code if isinstance(outcome, Soft) else list(outcome)


def _read_votes(value: bytes) -> Votes:
    start = _LENGTH.size + _LENGTH.unpack_from(value)[0]
    header = json.loads(value[_LENGTH.size : start])
    codes = np.frombuffer(zlib.decompress(value[start:]), header["kind"]).reshape(header["shape"])
    numbers = [Numbering(n) for n in header["n_labels"]]
    for numbering, others in zip(numbers, header["others"], strict=True):
        for outcome in others:
            numbering.number(Soft(outcome) if isinstance(outcome, int) else tuple(outcome))
    count, first = header["failures"]
    return Votes(codes.astype(np.int32), numbers, Failures(count, [(row, reason) for row, reason in first]))
