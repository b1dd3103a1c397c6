"""What a text says, whatever way it is encoded: one normalisation, words, sentences."""

from metalwork._public import offer
from metalwork.text._ends import sentence_ends
from metalwork.text._lexicon import Found, Lexicon
from metalwork.text._normal import fold_case, is_ascii, normalise, normalised
from metalwork.text._phrases import any_phrase_pattern, compared_phrases, one_of
from metalwork.text._runs import Runs, ascii_runs, unicode_runs
from metalwork.text._sentences import Sentences
from metalwork.text._tokens import characters_of, words_of

__all__ = [
    "Found",
    "Lexicon",
    "Runs",
    "Sentences",
    "any_phrase_pattern",
    "ascii_runs",
    "characters_of",
    "compared_phrases",
    "fold_case",
    "is_ascii",
    "normalise",
    "normalised",
    "one_of",
    "sentence_ends",
    "unicode_runs",
    "words_of",
]

offer(__name__, globals())
