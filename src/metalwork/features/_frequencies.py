"""In how many texts each word stands, of more texts and words than fit in memory."""

import heapq
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby
from operator import itemgetter
from typing import IO, Any, Final

_MOST_IN_MEMORY: Final = 250_000  # words with their numbers: some 50 MB
_Entry = tuple[str, int, int]


class Frequencies:
    """Counts of words by part: the number of texts that hold one, and how often it stands in all of them.

    Beyond so many words they are written, sorted, to a temporary file, and merged at the end: rare words, most of
    which are dropped then, would else take memory without bound.
    """

    def __init__(self, most_in_memory: int = _MOST_IN_MEMORY) -> None:
        self.n_texts = 0
        self._most = most_in_memory
        self._found: dict[str, tuple[int, int]] = {}
        self._runs: list[IO[Any]] = []
        self._open = ExitStack()

    def add(self, n_texts: int, words: Iterable[str], in_texts: Iterable[int], totals: Iterable[int]) -> None:
        """Add ``words``, each once, the number of these texts that hold each, and how often each stands there."""
        self.n_texts += n_texts
        found = self._found
        for word, n, total in zip(words, in_texts, totals, strict=True):
            before = found.get(word)
            found[word] = (n, total) if before is None else (before[0] + n, before[1] + total)
        if len(found) > self._most:
            file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (merged closes it)
            self._runs.append(self._open.enter_context(file))
            self._runs[-1].writelines(json.dumps(entry) + "\n" for entry in self._in_order())
            self._found = {}

    def merged(self) -> Iterator[_Entry]:
        """Every word in order, with the number of texts that hold it and its total; to be called once."""
        with self._open:
            runs = [_entries(run) for run in self._runs]
            for word, same in groupby(heapq.merge(*runs, self._in_order()), itemgetter(0)):
                entries = list(same)
                yield word, sum(n for _, n, _ in entries), sum(total for _, _, total in entries)

    def _in_order(self) -> Iterator[_Entry]:
        return ((word, *self._found[word]) for word in sorted(self._found))


def _entries(run: IO[Any]) -> Iterator[_Entry]:
    run.seek(0)
    for line in run:
        word, n, total = json.loads(line)
        yield word, n, total
