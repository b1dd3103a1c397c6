"""The paper's experiments: data sets, labeling functions, protocol and tables.

The data sets are modules of their own: ``openi``, ``rcv1``, ``reuters``. Nothing is imported until it is used.
"""

from typing import TYPE_CHECKING

from metalwork._public import on_first_use

if TYPE_CHECKING:
    from metalwork.experiments._arms import Settings
    from metalwork.experiments._dataset import Dataset
    from metalwork.experiments._paper import PAPER, PaperFigure, paper_figure
    from metalwork.experiments._protocol import EXPERIMENTS, reproduce, run_experiment
    from metalwork.experiments._tables import Results, Row, Table

_HOMES = {
    "Dataset": "_dataset",
    "EXPERIMENTS": "_protocol",
    "PAPER": "_paper",
    "PaperFigure": "_paper",
    "Results": "_tables",
    "Row": "_tables",
    "Settings": "_arms",
    "Table": "_tables",
    "paper_figure": "_paper",
    "reproduce": "_protocol",
    "run_experiment": "_protocol",
}

__all__ = [  # noqa: RUF022 (a plain sort, so that a test can pin it)
    "Dataset",
    "EXPERIMENTS",
    "PAPER",
    "PaperFigure",
    "Results",
    "Row",
    "Settings",
    "Table",
    "paper_figure",
    "reproduce",
    "run_experiment",
]


__getattr__ = on_first_use(__name__, _HOMES, globals())


def __dir__() -> list[str]:
    return sorted(__all__)
