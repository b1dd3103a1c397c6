"""The ``demo`` command: the main job on real data, by the same code as ``run``."""

from pathlib import Path

from rich.text import Text

from metalwork.cli._run import run_all
from metalwork.cli._show import out
from metalwork.data import find_data
from metalwork.errors import DataError
from metalwork.examples import load_example
from metalwork.pipeline import new_run


def run_demo(folder: Path, offline: bool) -> None:
    """Run the whole pipeline on OpenI, or on digits where OpenI cannot be had."""
    name = "openi" if _has_openi(offline) else "digits"
    run_all(load_example(name), new_run(folder))


def _has_openi(offline: bool) -> bool:
    try:
        find_data("openi", download=not offline)
    except DataError as error:
        out().print(Text(f"{error}\n\nSo this demo takes scikit-learn's bundled handwritten digits instead.\n"))
        return False
    out().print(
        Text(
            "Triage of chest X-ray reports, the paper's own task: 2,630 reports without labels, "
            "50 labeled ones that the rules were written from, and 378 to test on.\n"
        )
    )
    return True
