"""The ``lf`` commands."""

from pathlib import Path

from rich.text import Text

from metalwork.cli._show import out, show_rows
from metalwork.cli._skeletons import add_skeleton, kinds
from metalwork.pipeline import load_project


def show_kinds() -> None:
    """One line a kind of labeling function."""
    show_rows(
        out(), "Kinds of labeling functions", ["kind", "what it does"], [[*pair] for pair in kinds().items()]
    )


def write_skeleton(path: Path, kind: str, name: str | None, task: str | None, field: str | None) -> None:
    """Append a skeleton, and say where it stands and what to do next."""
    written = add_skeleton(load_project(path), kind, name, task, field)
    lines = [f"{written.path}:{written.line}: {written.name}"]
    if written.listed:
        lines.append("The file has a list LABELING_FUNCTIONS: put it there.")
    out().print(Text("\n".join([*lines, f"Change it, then run: metalwork apply {path}"])), soft_wrap=True)
