"""Amounts of memory: as people write them, and as the machine has them."""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from metalwork._names import is_whole
from metalwork.errors import ConfigError

_UNITS: Final = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_WRITTEN: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(|[kmg]i?b)\s*", re.IGNORECASE)
_SHARE: Final = 0.75


def read_bytes(name: str, value: Any) -> int:
    """A number of bytes, or a text such as ``"2 GB"``, as bytes."""
    found = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    amount = value if is_whole(value) else 0
    if found is not None:
        amount = int(float(found[1]) * _UNITS[found[2].lower()])
    if amount < 1:
        raise ConfigError(f"{name} must be a number of bytes, or a text such as '2 GB'; got {value!r}.")
    return int(amount)


def fair_share(n_workers: int) -> int | None:
    """Bytes that each of so many workers may use, so that all fit into the machine; None where it is unknown."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    with suppress(ValueError, OSError):  # "max", or another system
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return int(total * _SHARE) // n_workers
