"""The end model (paper, section 4): a multi-task network compiled from the task schema.

Plans need no torch; it is imported when :class:`EndModel` is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from metalwork._public import offer, on_first_use
from metalwork.end_models.plan import HeadPlan, LayerPlan, Plan, compile_plan
from metalwork.errors import MissingExtraError

if TYPE_CHECKING:
    from metalwork.end_models._explaining import FeatureEffect
    from metalwork.end_models._onnx import OnnxCheck
    from metalwork.end_models._watching import TrainingProgress
    from metalwork.end_models.flat import FlatClassifier
    from metalwork.end_models.loggers import MLflowLogger, TensorBoardLogger
    from metalwork.end_models.losses import head_targets, known_targets, noise_aware_loss
    from metalwork.end_models.model import EndModel
    from metalwork.end_models.network import EndNetwork, InputLinear, SparseRows, compile_network

_HOMES = {
    "EndModel": "model",
    "EndNetwork": "network",
    "FeatureEffect": "_explaining",
    "FlatClassifier": "flat",
    "InputLinear": "network",
    "MLflowLogger": "loggers",
    "OnnxCheck": "_onnx",
    "SparseRows": "network",
    "TensorBoardLogger": "loggers",
    "TrainingProgress": "_watching",
    "compile_network": "network",
    "head_targets": "losses",
    "known_targets": "losses",
    "noise_aware_loss": "losses",
}

__all__ = [
    "EndModel",
    "EndNetwork",
    "FeatureEffect",
    "FlatClassifier",
    "HeadPlan",
    "InputLinear",
    "LayerPlan",
    "MLflowLogger",
    "OnnxCheck",
    "Plan",
    "SparseRows",
    "TensorBoardLogger",
    "TrainingProgress",
    "compile_network",
    "compile_plan",
    "head_targets",
    "known_targets",
    "noise_aware_loss",
]


def _need_torch() -> None:
    try:
        import_module("torch")
    except ImportError:
        raise MissingExtraError("torch", "train", "The end model") from None


offer(__name__, globals())
__getattr__ = on_first_use(__name__, _HOMES, globals(), _need_torch)


def __dir__() -> list[str]:
    return sorted(__all__)
