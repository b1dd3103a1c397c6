"""Weak sources beyond rules: models, examples, tables, crowds and LFs written for other packages."""

from metalwork._public import offer
from metalwork.sources._model import from_model

__all__ = ["from_model"]

offer(__name__, globals())
