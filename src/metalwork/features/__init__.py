"""From records to the arrays that end models read: one featurizer a file."""

from metalwork.features._words import WordCounts

__all__ = ["WordCounts"]
