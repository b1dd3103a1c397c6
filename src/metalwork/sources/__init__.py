"""Weak sources beyond rules: models, examples, tables, crowds and LFs written for other packages."""

from metalwork._public import offer
from metalwork.sources._docs import from_skweak, spacy_entities, spacy_patterns
from metalwork.sources._model import from_model
from metalwork.sources._similar import prototypes, zero_shot
from metalwork.sources._snorkel import from_snorkel
from metalwork.sources._table import from_crowd, from_table

__all__ = [
    "from_crowd",
    "from_model",
    "from_skweak",
    "from_snorkel",
    "from_table",
    "prototypes",
    "spacy_entities",
    "spacy_patterns",
    "zero_shot",
]

offer(__name__, globals())
