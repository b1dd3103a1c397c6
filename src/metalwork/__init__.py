"""metalwork: weak supervision for hierarchies of classification tasks.

Nothing heavy is imported until it is used; torch only when an end model is.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from metalwork._checks import ABSTAIN, NOT_APPLICABLE
    from metalwork.analysis import evaluate, least_certain, lf_summary
    from metalwork.errors import MetalworkError
    from metalwork.features import WordCounts
    from metalwork.label_models import LogLinearLabelModel, MajorityVote
    from metalwork.probabilities import TaskProbabilities
    from metalwork.schema import TaskSchema
    from metalwork.votes import LabelMatrix

_HOMES = {
    "ABSTAIN": "_checks",
    "LabelMatrix": "votes",
    "LogLinearLabelModel": "label_models",
    "MajorityVote": "label_models",
    "MetalworkError": "errors",
    "NOT_APPLICABLE": "_checks",
    "TaskProbabilities": "probabilities",
    "TaskSchema": "schema",
    "WordCounts": "features",
    "evaluate": "analysis",
    "least_certain": "analysis",
    "lf_summary": "analysis",
}

__all__ = [  # noqa: RUF022 (a plain sort, so that a test can pin it)
    "ABSTAIN",
    "LabelMatrix",
    "LogLinearLabelModel",
    "MajorityVote",
    "MetalworkError",
    "NOT_APPLICABLE",
    "TaskProbabilities",
    "TaskSchema",
    "WordCounts",
    "evaluate",
    "least_certain",
    "lf_summary",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'metalwork' has no attribute {name!r}")
    value = getattr(import_module(f"metalwork.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
