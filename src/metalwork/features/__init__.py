"""From records to the arrays that end models read: one featurizer a file."""

from metalwork._public import offer
from metalwork.features._categories import Categories
from metalwork.features._combined import Combined
from metalwork.features._dates import Dates
from metalwork.features._featurizer import Block, Featurizer, Learner
from metalwork.features._finetuned import FineTuned
from metalwork.features._hashed import HashedWords
from metalwork.features._images import Images
from metalwork.features._numbers import NumericColumns
from metalwork.features._sentences import SentenceEmbeddings
from metalwork.features._static import StaticEmbeddings
from metalwork.features._tfidf import TfIdf
from metalwork.features._words import WordCounts

__all__ = [
    "Block",
    "Categories",
    "Combined",
    "Dates",
    "Featurizer",
    "FineTuned",
    "HashedWords",
    "Images",
    "Learner",
    "NumericColumns",
    "SentenceEmbeddings",
    "StaticEmbeddings",
    "TfIdf",
    "WordCounts",
]

offer(__name__, globals())
