"""What a text says, whatever way it is encoded: one normalisation, words, sentences."""

from metalwork._public import offer
from metalwork.text._normal import fold_case, is_ascii, normalise, normalised
from metalwork.text._phrases import any_phrase_pattern, one_of
from metalwork.text._sentences import Sentences
from metalwork.text._tokens import characters_of, words_of

__all__ = [
    "Sentences",
    "any_phrase_pattern",
    "characters_of",
    "fold_case",
    "is_ascii",
    "normalise",
    "normalised",
    "one_of",
    "words_of",
]

offer(__name__, globals())
