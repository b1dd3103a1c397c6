"""From records to the arrays that end models read: one featurizer a file."""

from metalwork._public import offer
from metalwork.features._words import WordCounts

__all__ = ["WordCounts"]

offer(__name__, globals())
