"""What is counted in texts: words, characters, what a function returns; alone, or in runs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from metalwork._checks import check_count
from metalwork.errors import ConfigError
from metalwork.text import characters_of, fold_case, normalise, words_of

Tokenizer = Callable[[str], Iterable[str]]
_TOKENIZERS: dict[str, Tokenizer] = {"words": words_of, "chars": characters_of}


@dataclass(frozen=True)
class Tokens:
    """How texts become tokens.

    Attributes
    ----------
    tokenizer : {"words", "chars"} or callable
    ngrams : (int, int)
        Runs of this many tokens, from the least to the most.
    """

    tokenizer: str | Tokenizer
    ngrams: tuple[int, int]

    def check(self) -> None:
        """Raise ``ConfigError`` where it is no tokenizer, or no pair of sizes."""
        if not callable(self.tokenizer) and self.tokenizer not in _TOKENIZERS:
            raise ConfigError(f"tokenizer must be 'words', 'chars' or a function; got {self.tokenizer!r}.")
        if not isinstance(self.ngrams, Sequence) or isinstance(self.ngrams, str) or len(self.ngrams) != 2:
            raise ConfigError(f"ngrams must be a pair (least, most); got {self.ngrams!r}.")
        least, most = (check_count(f"ngrams[{i}]", n) for i, n in enumerate(self.ngrams))
        if least > most:
            raise ConfigError(f"ngrams must be a pair (least, most); got {self.ngrams!r}.")

    def prepare(self, texts: list[str]) -> list[str]:
        """Texts as they are read; a function of one's own is given them as they are written."""
        if not isinstance(self.tokenizer, str):
            return texts
        return fold_case(normalise(pl.Series(texts, dtype=pl.String))).to_list()

    def of(self, text: str) -> Iterable[str]:
        """The tokens of a prepared text, or runs of them."""
        tokenizer = _TOKENIZERS[self.tokenizer] if isinstance(self.tokenizer, str) else self.tokenizer
        found = tokenizer(text)
        least, most = self.ngrams
        if least == most == 1:
            return found
        return _ngrams(list(found), least, most, "" if self.tokenizer == "chars" else " ")


def check_saved(tokenizer: Any) -> None:
    """Raise ``ConfigError`` for a function: files hold none."""
    if not isinstance(tokenizer, str):
        raise ConfigError(
            "tokenizer must be 'words' or 'chars' in featurizers that are saved; a file holds no functions. "
            "Fit it anew from the training texts, or save it with cloudpickle where you trust the file."
        )


def check_field(field: Any) -> None:
    """Raise ``ConfigError`` for what names no column."""
    if field is not None and (not isinstance(field, str) or not field):
        raise ConfigError(f"field must be the name of a column; got {field!r}.")


def _ngrams(tokens: list[str], least: int, most: int, joint: str) -> Iterator[str]:
    for size in range(least, most + 1):
        yield from map(joint.join, zip(*(tokens[start:] for start in range(size)), strict=False))
