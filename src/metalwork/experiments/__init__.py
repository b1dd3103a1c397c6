"""The paper's experiments, on the projects in :mod:`metalwork.examples`, and its architectures beside controls.

Nothing is imported until it is used.
"""

from typing import TYPE_CHECKING

from metalwork._public import on_first_use

if TYPE_CHECKING:
    from metalwork.experiments._architectures import compare_architectures
    from metalwork.experiments._arms import hidden_gold
    from metalwork.experiments._paper import PAPER, PaperFigure, paper_figure
    from metalwork.experiments._protocol import EXPERIMENTS, reproduce, run_experiment
    from metalwork.experiments._tables import Results, Row, Table
    from metalwork.experiments._trees import TREES

_HOMES = {
    "EXPERIMENTS": "_protocol",
    "PAPER": "_paper",
    "PaperFigure": "_paper",
    "Results": "_tables",
    "Row": "_tables",
    "TREES": "_trees",
    "Table": "_tables",
    "compare_architectures": "_architectures",
    "hidden_gold": "_arms",
    "paper_figure": "_paper",
    "reproduce": "_protocol",
    "run_experiment": "_protocol",
}

__all__ = [
    "EXPERIMENTS",
    "PAPER",
    "TREES",
    "PaperFigure",
    "Results",
    "Row",
    "Table",
    "compare_architectures",
    "hidden_gold",
    "paper_figure",
    "reproduce",
    "run_experiment",
]


__getattr__ = on_first_use(__name__, _HOMES, globals())


def __dir__() -> list[str]:
    return sorted(__all__)
