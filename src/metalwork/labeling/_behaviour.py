"""Telling of what labeling functions do that is no failure, and that their author should know."""

import warnings
from collections.abc import Sequence

from metalwork.errors import MetalworkWarning
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._labeler import Part


class Behaviour:
    """What was told already: each thing once an LF."""

    def __init__(self) -> None:
        self._told: set[tuple[str, int]] = set()

    def warn(self, functions: Sequence[LabelingFunction], part: Part, start: int) -> None:
        """Warn of LFs that answered differently on a shard from call to call, and of those that printed there.

        ``start`` is the shard's first row in its file.
        """
        for j, row in part.differs.items():
            at = f"row {start + row} of {part.origin}" if part.origin else f"row {start + row}"
            self._tell(
                ("differs", j),
                f"LF {functions[j].name!r} answered differently when it was called again with the same record "
                f"({at}). Its votes will not be the same again: let it use no clock, network or random numbers, "
                "and nothing that it remembers.",
            )
        for j, printed in part.printed.items():
            beginning = " ".join(printed.first.split())
            self._tell(
                ("printed", j),
                f"LF {functions[j].name!r} printed {printed.n_chars:,} characters, which are not shown; they "
                f"begin with {beginning[:80]!r}. To see them, apply it in this process (backend='serial').",
            )

    def _tell(self, key: tuple[str, int], text: str) -> None:
        if key not in self._told:
            self._told.add(key)
            warnings.warn(text, MetalworkWarning, stacklevel=5)
