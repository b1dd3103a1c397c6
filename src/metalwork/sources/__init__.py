"""Weak sources beyond rules: models, examples, tables, crowds and LFs written for other packages."""

from metalwork._public import offer
from metalwork.sources._model import from_model
from metalwork.sources._similar import prototypes, zero_shot
from metalwork.sources._snorkel import from_snorkel

__all__ = ["from_model", "from_snorkel", "prototypes", "zero_shot"]

offer(__name__, globals())
