"""The manifest of a run folder: what is in it, what each file must be, and that it itself is unchanged."""

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Any, Final

from metalwork import __version__
from metalwork._files import atomic_write
from metalwork.errors import DataError

FORMAT: Final = "metalwork run 3"

_OLD: Final = ("metalwork run 1", "metalwork run 2")


def read_manifest(path: Path) -> dict[str, Any] | None:
    """The manifest at ``path``; None where there is none.

    Raises
    ------
    DataError
        When the file is something else, or not byte for byte what :func:`write_manifest` wrote.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        manifest = json.loads(content)
    except ValueError:
        manifest = None
    remedy = "Remove the run's folder and start it again, or name another run with --run."
    if isinstance(manifest, dict) and (found := manifest.get("format")) in _OLD:
        raise DataError(f"{path}: must be a {FORMAT!r} file; got {found!r}, of an older metalwork. {remedy}")
    if not _is_manifest(manifest):
        raise DataError(f"{path}: must be a {FORMAT!r} file; it is damaged or something else. {remedy}")
    manifest.pop("sha256", None)
    if _render(manifest) != content:
        raise DataError(f"{path}: must be as metalwork wrote it; it has changed since. {remedy}")
    return dict(manifest)


def write_manifest(path: Path, manifest: dict[str, Any]) -> None:
    """Write ``manifest`` with a digest of itself, whole or not at all."""
    with atomic_write(path) as stream:
        stream.write(_render(manifest | {"format": FORMAT, "metalwork": __version__}))


def describe(path: Path) -> dict[str, Any]:
    """Size and digest of a file."""
    return {"bytes": path.stat().st_size, "sha256": file_digest(path)}


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _render(manifest: dict[str, Any]) -> bytes:
    digest = hashlib.sha256(_to_json(manifest)).hexdigest()
    return _to_json(manifest | {"sha256": digest}) + b"\n"


def _to_json(manifest: dict[str, Any]) -> bytes:
    # half a surrogate pair, as in a file name that is no text, becomes its own escape
    return json.dumps(manifest, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _is_manifest(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("format") != FORMAT or not isinstance(value.get("steps"), dict):
        return False
    files = [step.get("files") if isinstance(step, dict) else None for step in value["steps"].values()]
    return all(map(are_files, files))


def are_files(named: Any) -> bool:
    """Whether these are files of a run folder by name, each with its size and digest."""
    return isinstance(named, dict) and all(_is_inside(name) and _is_entry(entry) for name, entry in named.items())


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("bytes"), int) and isinstance(entry.get("sha256"), str)
