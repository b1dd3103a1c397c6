"""What a run tells whoever drives it: a command line, a notebook, a page."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from metalwork.errors import MetalworkWarning


@dataclass(frozen=True)
class StepStarted:
    """A step has begun."""

    step: str


@dataclass(frozen=True)
class LFProgress:
    """On which share of the records so far a labeling function has voted, and on how many it has failed."""

    name: str
    coverage: float
    n_errors: int


@dataclass(frozen=True)
class Progress:
    """How many units (records, steps) of a step's work are done, and of how many (None where not known).

    While labeling functions run, ``lfs`` says how each does; while a network trains, ``note`` says how that goes.
    """

    step: str
    unit: str
    done: int
    total: int | None
    lfs: tuple[LFProgress, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Warned:
    """A step found something that deserves a look; the text is also given as a ``MetalworkWarning``."""

    step: str
    text: str


@dataclass(frozen=True)
class StepFinished:
    """A step is done, and kept where the run has a folder."""

    step: str
    seconds: float


Event = StepStarted | Progress | Warned | StepFinished
OnEvent = Callable[[Event], None]


@contextmanager
def noting_warnings(tell: Callable[[str], None]) -> Iterator[list[str]]:
    """Collect the texts of metalwork's own warnings, each told once, and pass all warnings on."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MetalworkWarning)
        yield texts
    for warning in caught:
        if issubclass(warning.category, MetalworkWarning):
            if str(warning.message) in texts:  # of another split
                continue
            texts.append(str(warning.message))
            tell(texts[-1])
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
