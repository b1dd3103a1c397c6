"""The ``cache`` command."""

from pathlib import Path

from rich.text import Text

from metalwork.cli._show import out, show_rows
from metalwork.errors import ConfigError
from metalwork.labeling import Store, store_at

_SHOWN = 30


def show_cache(path: Path | None) -> None:
    """Size and number of entries, and whose they are."""
    found = _store(path).summary()
    console = out()
    entries = sum(count for _, count, _ in found.owners)
    where = f"{found.path}: {entries:,} entries, {_megabytes(found.size)} of at most {_megabytes(found.limit)}"
    console.print(Text(where), soft_wrap=True)
    if found.owners:
        rows = [[name, f"{count:,}", _megabytes(size)] for name, count, size in found.owners[:_SHOWN]]
        show_rows(console, "The most", ["labeling function or preprocessor", "entries", "size"], rows)
    if len(found.owners) > _SHOWN:
        console.print(f"and {len(found.owners) - _SHOWN:,} more")


def clear_cache(path: Path | None) -> None:
    """Remove all that is kept."""
    store = _store(path)
    if path is not None and path.exists() and not store.is_ours():
        raise ConfigError(f"{path} must be a store of votes; it is something else. Nothing was removed.")
    size = store.summary().size
    store.clear()
    out().print(Text(f"Removed {_megabytes(size)}: {store.path}"), soft_wrap=True)


def _store(path: Path | None) -> Store:
    store = store_at(True if path is None else path)
    assert store is not None, "a place was named"
    return store


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
