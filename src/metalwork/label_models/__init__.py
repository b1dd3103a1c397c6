"""Label models: from a label matrix to probabilistic labels."""

from metalwork.label_models._base import LabelModel

__all__ = ["LabelModel"]
