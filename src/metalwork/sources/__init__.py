"""Weak sources beyond rules: models, examples, tables, crowds and LFs written for other packages."""

from typing import TYPE_CHECKING

from metalwork._public import offer, on_first_use
from metalwork.encoders import encode_texts
from metalwork.sources._docs import from_skweak, spacy_entities, spacy_patterns
from metalwork.sources._model import from_model
from metalwork.sources._similar import prototypes, zero_shot
from metalwork.sources._snorkel import from_snorkel
from metalwork.sources._table import from_crowd, from_table

if TYPE_CHECKING:
    from metalwork.sources._llm import DryRun, LanguageModelFunction, llm

_HOMES = {"DryRun": "_llm", "LanguageModelFunction": "_llm", "llm": "_llm"}

__all__ = [
    "DryRun",
    "LanguageModelFunction",
    "encode_texts",
    "from_crowd",
    "from_model",
    "from_skweak",
    "from_snorkel",
    "from_table",
    "llm",
    "prototypes",
    "spacy_entities",
    "spacy_patterns",
    "zero_shot",
]

offer(__name__, globals())
__getattr__ = on_first_use(__name__, _HOMES, globals())


def __dir__() -> list[str]:
    return sorted(__all__)
