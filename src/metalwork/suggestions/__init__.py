"""What to do next on a run: words that could become labeling functions, records to label, things to fix."""

from metalwork._public import offer
from metalwork.suggestions._fix import Fix
from metalwork.suggestions._suggest_fixes import suggest_fixes
from metalwork.suggestions._suggest_to_label import LabelSuggestion, suggest_to_label
from metalwork.suggestions._suggest_words import suggest_words
from metalwork.suggestions._word_suggestion import WordSuggestion

__all__ = ["Fix", "LabelSuggestion", "WordSuggestion", "suggest_fixes", "suggest_to_label", "suggest_words"]

offer(__name__, globals())
