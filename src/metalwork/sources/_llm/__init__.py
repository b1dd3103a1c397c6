"""Language models as labeling functions, at any OpenAI-compatible endpoint."""

from metalwork.sources._llm._dry_run import DryRun, LanguageModelFunction
from metalwork.sources._llm._function import llm

__all__ = ["DryRun", "LanguageModelFunction", "llm"]
