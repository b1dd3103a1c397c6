"""Finding data sets on this machine, and fetching those that have a public file."""

import hashlib
import http.client
import os
import tarfile
import tempfile
import urllib.request
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import platformdirs

from metalwork._files import atomic_write
from metalwork.data._registry import DATASETS, DataFile, DatasetInfo, dataset_info
from metalwork.errors import DataError, MetalworkWarning

_BLOCK = 1 << 20
_TIMEOUT = 30.0  # seconds without a byte


@dataclass(frozen=True)
class DatasetStatus:
    """A known data set, and where it lies on this machine (None: nowhere)."""

    info: DatasetInfo
    path: Path | None


def cache_folder() -> Path:
    """Where fetched data sets lie: ``METALWORK_CACHE``, or ``metalwork/data`` in the user's cache folder."""
    given = os.environ.get("METALWORK_CACHE")
    return Path(given).expanduser() if given else platformdirs.user_cache_path("metalwork") / "data"


def find_data(name: str, path: str | os.PathLike[str] | None = None, *, download: bool = True) -> Path:
    """The file of a data set, or its folder where the records are several files.

    Looks at ``path``, else in the folder that the environment variable ``METALWORK_DATA`` names, else in
    :func:`cache_folder`; else fetches it, where it has a public file.

    Parameters
    ----------
    name : str
        One that :func:`list_datasets` lists, such as ``"openi"``.
    path : path, optional
        The file itself, or a folder that holds it or ``<name>/<file>``.
    download : bool
        Whether it may be fetched.

    Raises
    ------
    DataError
        When it is nowhere, saying what to do.
    """
    info = dataset_info(name)
    if path is not None:
        found = _find_at(info, Path(path).expanduser())
        if found is None:
            raise DataError(f"{path}: must hold the data set {name!r}; {_files_text(info)} is not there.")
        return found
    found = _find_by_name(info)
    if found is not None:
        _warn_if_other(info, found)
        return found
    if download and info.downloadable:
        return fetch(name)
    raise DataError(f"The data set {name!r} is not on this machine. {_what_to_do(info)}")


def fetch(name: str) -> Path:
    """Download a data set into :func:`cache_folder` from its public origin, and check it.

    Raises
    ------
    DataError
        When it has no public file, cannot be reached, or is not what it was; nothing is kept then.
    """
    info = dataset_info(name)
    if not info.downloadable:
        raise DataError(f"The data set {name!r} has no public file to fetch. {_what_to_do(info)}")
    folder = cache_folder() / info.name
    for file in info.files:
        _download(info, file, folder / file.name)
    return folder if info.is_folder else folder / info.files[0].name


def list_datasets() -> list[DatasetStatus]:
    """Every known data set and where it lies on this machine; nothing is fetched."""
    return [DatasetStatus(info, _find_by_name(info)) for info in DATASETS]


def _find_by_name(info: DatasetInfo) -> Path | None:
    given = os.environ.get("METALWORK_DATA")
    roots = [Path(given).expanduser()] if given else []
    return next(
        (found for root in [*roots, cache_folder()] if (found := _in_folder(info, root / info.name))), None
    )


def _find_at(info: DatasetInfo, path: Path) -> Path | None:
    if path.is_file():
        return None if info.is_folder else path
    return _in_folder(info, path) or _in_folder(info, path / info.name)


def _in_folder(info: DatasetInfo, folder: Path) -> Path | None:
    """The records in ``folder``, when every file is there that cannot do without."""
    if info.is_folder:
        return folder if all((folder / file.name).is_file() for file in info.files) else None
    records = folder / info.files[0].name
    return records if records.is_file() else None


def _files_text(info: DatasetInfo) -> str:
    return " and ".join(f"{info.name}/{file.name}" for file in info.files)


def _what_to_do(info: DatasetInfo) -> str:
    ways = f"Set METALWORK_DATA to a folder that holds {_files_text(info)}"
    fetching = f", or run `metalwork data fetch {info.name}` where there is a network" if info.downloadable else ""
    return f"{ways}{fetching}. Origin: {info.origin}"


def _warn_if_other(info: DatasetInfo, found: Path) -> None:
    folder = found if info.is_folder else found.parent
    others = [f.name for f in info.files if (folder / f.name).is_file() and _digest(folder / f.name) != f.sha256]
    if others:
        warnings.warn(
            f"{folder}: {', '.join(others)} is not the version that the published figures come from.",
            MetalworkWarning,
            stacklevel=3,
        )


def _digest(path: Path) -> str:
    """SHA-256 of a file, or of the SGML files in an archive, in the order of their names; "" if damaged."""
    if path.suffix.lower() != ".gz":
        with path.open("rb") as stream:
            return _sha256(stream).hex()
    total = hashlib.sha256()
    try:
        for digest in _member_digests(path):
            total.update(digest)
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        return ""
    return total.hexdigest()


def _member_digests(path: Path) -> Iterator[bytes]:
    with tarfile.open(path) as archive:
        members = [member for member in archive if member.isfile() and member.name.endswith(".sgm")]
        digests = {}
        for member in members:
            stream = archive.extractfile(member)
            assert stream is not None, "a plain file can be extracted"
            digests[Path(member.name).name] = _sha256(stream)
    return iter([digests[name] for name in sorted(digests)])


def _sha256(stream: IO[bytes]) -> bytes:
    digest = hashlib.sha256()
    while block := stream.read(_BLOCK):
        digest.update(block)
    return digest.digest()


def _download(info: DatasetInfo, file: DataFile, target: Path) -> None:
    assert file.url is not None, "the caller checks that the data set is downloadable"
    with tempfile.TemporaryDirectory(prefix="metalwork-") as scratch:
        copy = Path(scratch) / file.name
        try:
            with urllib.request.urlopen(file.url, timeout=_TIMEOUT) as response, copy.open("wb") as stream:
                while block := response.read(_BLOCK):
                    stream.write(block)
        except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
            reason = getattr(error, "reason", None) or error
            raise DataError(f"{file.url}: cannot be fetched ({reason}). {_what_to_do(info)}") from None
        if _digest(copy) != file.sha256:
            raise DataError(f"{file.url}: must be the known version; its content differs. {_what_to_do(info)}")
        with atomic_write(target) as out, copy.open("rb") as stream:
            while block := stream.read(_BLOCK):
                out.write(block)
