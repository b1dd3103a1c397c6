"""What a run tells whoever drives it: a command line, a notebook, a page."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class StepStarted:
    """A step has begun."""

    step: str


@dataclass(frozen=True)
class Progress:
    """How many units (records, epochs) of a step's work are done, and of how many (None where not known)."""

    step: str
    unit: str
    done: int
    total: int | None


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
