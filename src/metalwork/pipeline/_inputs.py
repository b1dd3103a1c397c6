"""Digests of all that each step reads, so that what changed since can be named."""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from metalwork._files import atomic_write
from metalwork.errors import ConfigError
from metalwork.labeling import functions_digest
from metalwork.pipeline._fingerprint import frame_digest, settings_digest
from metalwork.pipeline._folder import RunFolder
from metalwork.pipeline._job import Job
from metalwork.pipeline._manifest import file_digest

COPIES: Final = "project"
"""The folder of a run with copies of the project's own files."""
_LARGEST_COPY = 10_000_000  # bytes
_NOT_OF_VOTES = {"label", "id", "train", "dev", "test", "records"}  # in the section data

Recorded = dict[str, Any]


class Inputs:
    """What the steps of a job read: record files, code, settings, and the results of earlier steps.

    Each file's digest is computed once: a job's records and functions stay what they were when it read them.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._home = None if job.project is None else job.project.folder.resolve()
        self._digests = job.digests
        self._records: dict[str, dict[str, str]] | None = None
        self._chosen: dict[str, dict[str, str]] = {}

    def read_records(self) -> dict[str, dict[str, str]]:
        """Digest of each file of records, by split and name; of the records where they lie in memory."""
        if self._records is not None:
            return self._records
        found: dict[str, dict[str, str]] = {}
        for split in self._job.splits:
            files = self._job.files.get(split, ())
            found[split] = {self._name(path): self._digest(path) for path in files}
            if not files and self._job.project is None:
                found[split] = {f"the {split} records": frame_digest(self._job.split(split).records)}
        self._records = found
        return found

    def of(self, step: str, folder: RunFolder, needs: tuple[str, ...]) -> Recorded:
        """What the manifest says of the inputs of a step that has just been done."""
        done = folder.manifest["steps"]
        found: Recorded = {"settings": self._settings(step), "steps": {s: _outputs(done[s]) for s in needs}}
        if step == "apply":
            found |= {"records": self.read_records(), "code": self._code()}
        return found

    def check(self, step: str, folder: RunFolder) -> None:
        """Raise ``ConfigError`` where something that a finished step read has changed since, naming it."""
        done = folder.manifest["steps"]
        changed = self.changed(step, done[step].get("inputs", {}), done)
        if changed:
            raise ConfigError(
                f"{' and '.join(changed)} changed since step {step!r}; run again: {folder.command(step)}."
            )

    def changed(self, step: str, recorded: Recorded, done: dict[str, Any]) -> list[str]:
        """What of the recorded inputs of a step is no more what it was; ``done`` are the steps of the manifest."""
        return list(dict.fromkeys(self._changed(step, recorded, done)))

    def _changed(self, step: str, recorded: Recorded, done: dict[str, Any]) -> Iterator[str]:
        if step == "apply":
            was, now = recorded.get("records", {}), self.read_records()
            for split in {**was, **now}:
                yield from _differing(was.get(split, {}), now.get(split, {}))
            code = dict(recorded.get("code", {}))
            known = {
                name: self._digest(self._path(name)) for name in code
            }  # also those that LFs opened as they ran
            yield from _differing(code, known | self._code())
        yield from _differing(recorded.get("settings", {}), self._settings(step))
        for earlier, outputs in recorded.get("steps", {}).items():
            if earlier not in done or _outputs(done[earlier]) != outputs:
                yield f"step {earlier!r}"

    def add_code(self, names: Iterable[str]) -> None:
        """Count in files that the code read in an earlier process, which nothing may open in this one."""
        for name in names:
            if self._job.code is not None:
                self._job.code.add(self._path(name))

    def _code(self) -> dict[str, str]:
        code = self._job.code
        return {} if code is None else {self._name(path): digest for path, digest in code.digests.items()}

    def _settings(self, step: str) -> dict[str, str]:
        if step not in self._chosen:
            self._chosen[step] = self._digested_settings(step)
        return self._chosen[step]

    def _digested_settings(self, step: str) -> dict[str, str]:
        job, project = self._job, self._job.project
        if step == "apply":
            found: dict[str, Any] = {"schema": job.space.to_dict()}
            if project is None:
                return _digested(found) | {
                    "the labeling functions": functions_digest(job.labeling_functions, job.space)
                }
            found["lfs"] = project.settings.lfs.model_dump(exclude={"backend", "n_jobs", "python", "cache"})
            found["data"] = project.settings.data.model_dump(exclude=_NOT_OF_VOTES)
            return _digested(found)
        if step == "fit":
            found = {"label_model": job.label_model.model_dump(), "random_state": job.random_state}
            if job.label_model.features:
                found["features"] = job.features.model_dump()
            if job.tune is not None:
                found |= {"tune": job.tune.model_dump(), "features": job.features.model_dump()}
                found["end_model"] = job.end_model.model_dump()
            if project is not None:
                data = project.settings.data
                found |= {"data.label": data.label, "data.id": data.id}
            else:
                found["the known labels"] = {s: _values(job.split(s).gold) for s in job.splits}
            return _digested(found)
        if step == "train":
            found = {"features": job.features.model_dump(), "end_model": job.end_model.model_dump()}
            return _digested(found | {"random_state": job.random_state})
        return {}

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            known = self._job.held.digests.get(os.path.realpath(path))  # as it was when it was read
            self._digests[path] = known or (file_digest(path) if path.is_file() else "")
        return self._digests[path]

    def _name(self, path: Path) -> str:
        """The path of a file in the project's folder relative to it, else the whole path."""
        whole = path.resolve()
        if self._home is not None and whole.is_relative_to(self._home):
            return whole.relative_to(self._home).as_posix()
        return str(whole)

    def _path(self, name: str) -> Path:
        return Path(name) if self._home is None else self._home / name

    def save_copies(self, folder: RunFolder) -> list[str]:
        """Copy the project's own files into the folder, but for those that are there already; returns their names.

        The project file, schema, code and look-up files are copied, up to 10 MB each; records are not.
        """
        project, written = self._job.project, []
        if project is None or self._home is None:
            return []
        wanted = {project.path: self._digest(project.path)}
        if isinstance(project.settings.task_schema, str):
            path = project.folder / project.settings.task_schema
            wanted[path] = self._digest(path)
        for path, digest in {**wanted, **(self._job.code.digests if self._job.code is not None else {})}.items():
            name = self._name(path)
            if os.path.isabs(name) or path.stat().st_size > _LARGEST_COPY:
                continue
            copy = f"{COPIES}/{name}"
            if copy in written or folder.holds(copy, digest):
                continue
            with path.open("rb") as source, atomic_write(folder.place(copy)) as target:
                shutil.copyfileobj(source, target)
            written.append(copy)
        return written


def _outputs(facts: dict[str, Any]) -> str:
    """Digest of the files of a step; copies of the project may go over to a later one."""
    return settings_digest({n: e["sha256"] for n, e in facts["files"].items() if not n.startswith(f"{COPIES}/")})


def _digested(values: dict[str, Any]) -> dict[str, str]:
    return {name: settings_digest(value) for name, value in values.items()}


def _differing(was: dict[str, str], now: dict[str, str]) -> Iterator[str]:
    yield from (name for name in {**was, **now} if was.get(name) != now.get(name))


def _values(labels: Any) -> Any:
    return None if labels is None else [str(value) for value in labels]
