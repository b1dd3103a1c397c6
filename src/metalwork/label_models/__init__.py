"""Label models: from a label matrix to probabilistic labels."""

from metalwork.label_models._base import LabelModel
from metalwork.label_models._loglinear import LogLinearLabelModel
from metalwork.label_models._majority import MajorityVote

__all__ = ["LabelModel", "LogLinearLabelModel", "MajorityVote"]
