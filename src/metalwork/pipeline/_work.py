"""A step at work: each file that it writes is kept whole, and not written again after a kill."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from metalwork._files import atomic_write
from metalwork.pipeline._folder import RunFolder
from metalwork.pipeline._journal import Journal
from metalwork.pipeline._manifest import describe

Recorded = dict[str, Any]


class Work:
    """What a step writes into a folder; without a folder, nothing.

    What an earlier attempt at the step has kept is taken up, where all that it read is as it was. The step's old
    results, and those of later steps, are withdrawn once the first new file is there.

    Parameters
    ----------
    folder : RunFolder, optional
        Held for writing.
    step : str
    inputs : callable
        What the step reads, as known so far.
    same : callable
        Whether what an earlier attempt read is as it was then.
    """

    def __init__(
        self,
        folder: RunFolder | None,
        step: str,
        inputs: Callable[[], Recorded] = dict,
        same: Callable[[Recorded], bool] = lambda _: True,
    ) -> None:
        self._folder, self._step, self._inputs = folder, step, inputs
        self._journal = Journal(Path()) if folder is None else folder.journal
        self._files: dict[str, dict[str, Any]] = {}
        self._entries: list[dict[str, Any]] = []
        self._begun = folder is None
        self._known: Recorded = {}
        if folder is not None:
            self._take_up(folder, same)

    @property
    def code(self) -> tuple[str, ...]:
        """The files that the project's code had read when an earlier attempt ended."""
        return tuple(self._known.get("code", ()))

    def entries(self, group: str) -> list[dict[str, Any]]:
        """The facts of what was kept under ``group`` by an earlier attempt, in their order."""
        return [entry["facts"] for entry in self._entries if entry["group"] == group]

    def has(self, name: str) -> bool:
        """Whether this file is there, of this attempt or an earlier one."""
        return name in self._files

    def keep(self, files: Mapping[str, bytes], group: str = "", **facts: Any) -> None:
        """Write files, and keep account of them and of ``facts``: a kill from now on loses none of it."""
        if (folder := self._folder) is None:
            return
        self.begin()
        written = {name: write_file(folder.place(name), content) for name, content in files.items()}
        self.note(written, group, **facts)

    def note(self, entries: Mapping[str, dict[str, Any]], group: str = "", **facts: Any) -> None:
        """Keep account of files that :func:`write_file` has written, and of ``facts``."""
        line = {"files": dict(entries), "group": group, "facts": facts}
        if (known := self._inputs()) != self._known:
            line["inputs"] = self._known = known
        self._journal.append(line)
        self._add(entries)

    def write(self, name: str, write: Callable[[IO[bytes]], object]) -> None:
        """Write one file by ``write(stream)``; a kill before the step is committed loses it."""
        if self._folder is None:
            return
        self.begin()
        with atomic_write(self._folder.place(name)) as stream:
            write(stream)
        self._add({name: describe(self._folder.path / name)})

    def write_by(self, name: str, save: Callable[[Path], object]) -> None:
        """As :meth:`write`, by ``save(path)``, which puts the file there whole or not at all."""
        if self._folder is None:
            return
        self.begin()
        save(self._folder.place(name))
        self._add({name: describe(self._folder.path / name)})

    def aside(self, name: str) -> Path | None:
        """Where to keep something until the step is done, which is no result of it; None without a folder."""
        return None if self._folder is None else self._folder.place(name)

    def commit(self, facts: Recorded, others: Iterable[str] = ()) -> None:
        """Make all that was written the step's results, with files ``others`` that lie there already."""
        if self._folder is None:
            return
        self.begin()
        described = {name: describe(self._folder.path / name) for name in others}
        self._folder.commit(self._step, facts, self._files | described)

    def begin(self) -> None:
        """Withdraw the step's old results, before a first new file is written."""
        if self._begun or (folder := self._folder) is None:
            return
        folder.withdraw(self._step)
        folder.pending = dict(self._files)
        if not self._entries:
            folder.discard(self._journal.read()[1:])
            self._known = self._inputs()
            self._journal.start({"step": self._step, "inputs": self._known})
        self._begun = True

    def _take_up(self, folder: RunFolder, same: Callable[[Recorded], bool]) -> None:
        head, *lines = self._journal.read() or [{}]
        if head.get("step") != self._step or not lines:
            return
        known = [line["inputs"] for line in (head, *lines) if "inputs" in line][-1]
        if not same(known) or not all(_is_there(folder.path, line["files"]) for line in lines):
            return
        self._entries, self._known = lines, known
        for line in lines:
            self._add(line["files"])

    def _add(self, entries: Mapping[str, dict[str, Any]]) -> None:
        self._files |= entries
        if self._folder is not None:
            self._folder.pending |= entries


def write_file(path: Path, content: bytes) -> dict[str, Any]:
    """Write a file whole or not at all; its size and digest, as the manifest has them."""
    with atomic_write(path) as stream:
        stream.write(content)
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _is_there(folder: Path, files: Mapping[str, dict[str, Any]]) -> bool:
    return all((folder / n).is_file() and (folder / n).stat().st_size == e["bytes"] for n, e in files.items())
