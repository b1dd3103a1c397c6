"""The ``data`` commands."""

from rich.text import Text

from metalwork.cli._progress import step
from metalwork.cli._show import out, show_rows
from metalwork.data import fetch, list_datasets


def show_datasets() -> None:
    """One line a data set: what it is, its terms, where it lies."""
    rows = []
    for entry in list_datasets():
        where = str(entry.path) if entry.path is not None else "not here"
        if entry.path is None and entry.info.downloadable:
            where = f"not here; metalwork data fetch {entry.info.name}"
        rows.append([entry.info.name, entry.info.description, entry.info.licence, where])
    console = out()
    show_rows(console, "Data sets", ["name", "records", "licence", "where"], rows)
    console.print("\nThe environment variable METALWORK_DATA names a folder to look in first.")


def fetch_dataset(name: str) -> None:
    """Download one data set."""
    with step(f"Fetching {name}"):
        path = fetch(name)
    out().print(Text(str(path)), soft_wrap=True)
