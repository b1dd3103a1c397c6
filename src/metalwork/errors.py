"""Every error metalwork raises on purpose, in one tree.

::

    MetalworkError
    ├── SchemaError          a task schema that is not one tree (lists every fault)
    ├── VotesError           a label matrix or label that does not fit its schema
    ├── DataError            a file or table that cannot be read as records
    ├── LabelingError        a labeling function that is misdeclared, or fails on records
    ├── ConfigError          a project file or argument with a wrong value, or of the wrong kind
    │   └── CheckpointError  a checkpoint of another fit, or a damaged one
    ├── ChangedError         a file that somebody else has changed since it was read, so that it is not written
    ├── NotFittedError       a model used before ``fit``
    └── MissingExtraError    an optional dependency that is not installed

Messages read ``{what} must be {rule}; got {value} at {where}. {what to do}.``
"""

import sys
from collections.abc import Sequence
from typing import Any, Self

from metalwork._public import offer


class MetalworkError(Exception):
    """Base of every deliberate error: the message is written for the user, and the CLI prints it alone."""


class SchemaError(MetalworkError, ValueError):
    """A task schema with faults; ``faults`` holds one line for each."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(f"The task schema has {count}:\n" + "\n".join(f"  - {fault}" for fault in faults))

    def __reduce__(self) -> tuple[Any, ...]:
        return SchemaError, (self.faults,)


class VotesError(MetalworkError, ValueError):
    """A label matrix, a gold label or a probability that does not fit its schema."""


class DataError(MetalworkError, ValueError):
    """A file or table that cannot be read as records."""


class LabelingError(MetalworkError, ValueError):
    """A labeling function that is misdeclared, or that fails on records."""


class ConfigError(MetalworkError, ValueError):
    """A project file or argument with a wrong value, or of the wrong kind."""


class CheckpointError(ConfigError):
    """A checkpoint of another fit (other records, arguments or schema), or a damaged one."""


class ChangedError(MetalworkError, ValueError):
    """A file that somebody else has changed since it was read, so that it is not written."""


class NotFittedError(MetalworkError, ValueError, AttributeError):
    """A model used before ``fit``; where scikit-learn is in use, its ``NotFittedError`` catches it, too."""

    def __new__(cls, *args: Any) -> Self:
        theirs = getattr(sys.modules.get("sklearn.exceptions"), "NotFittedError", None)
        if cls is NotFittedError and theirs is not None:
            both: Any = type(cls.__name__, (cls, theirs), {"__module__": cls.__module__, "__doc__": cls.__doc__})
            return super().__new__(both, *args)  # type: ignore[no-any-return]
        return super().__new__(cls, *args)

    def __reduce__(self) -> tuple[Any, ...]:
        return NotFittedError, self.args


class MissingExtraError(MetalworkError, ImportError):
    """An optional dependency that is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self._given = (package, extra, purpose)
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed. "
            f"Install it with: pip install 'metalwork[{extra}]'."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return MissingExtraError, self._given


class MetalworkWarning(UserWarning):
    """A result that is usable but deserves a look."""


offer(__name__, globals())
