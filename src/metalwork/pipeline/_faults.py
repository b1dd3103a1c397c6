"""Faults of a project: lines of text, each about a key of the project file."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from metalwork._documents import Key
from metalwork.schema import TaskSchema, unknown_name

Fault = tuple[tuple[Key, ...], str]
"""The key that a fault is about, and what to say."""

_SLACK: Final = 1e-6  # of a label model's own check


def list_faults(named: str, lines: Sequence[str]) -> str:
    """All faults of a thing in one message, by their place in the file where they have one."""
    lines = sorted(dict.fromkeys(lines), key=_position)
    count = "1 fault" if len(lines) == 1 else f"{len(lines)} faults"
    return f"{named} has {count}:\n" + "\n".join(f"  - {line}" for line in lines)


def _position(line: str) -> tuple[int, int]:
    found = re.match(r".*?:(\d+):(\d+): ", line)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def dotted(place: Sequence[Key]) -> str:
    """A key as it is spoken of: ``lfs.rules[0].task``."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
    return text.removeprefix(".")


def placed(fault: Fault, locate: Callable[[Sequence[Key]], str]) -> str:
    """A fault's line, with the place of its key."""
    return f"{locate(fault[0])}: {fault[1]}"


def prior_faults(prior: Mapping[str, float], schema: TaskSchema) -> Iterator[Fault]:
    """What is wrong with a class prior: names, shares, and their sum."""
    place: tuple[Key, ...] = ("label_model", "class_prior")
    for name in prior:
        if name not in schema.end_labels:
            yield (*place, name), f"{dotted(place)}: {unknown_name('end label', name, schema.end_labels)}"
    missing = [name for name in schema.end_labels if name not in prior]
    if missing:
        lacking = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        yield place, f"{dotted(place)} must have every end label; {lacking}. Add the share of each."
    outside = [name for name, share in prior.items() if not 0 <= share <= 1]
    for name in outside:
        yield (*place, name), f"{dotted((*place, name))} must be a share from 0 to 1; got {prior[name]!r}."
    total = math.fsum(prior.values())
    if not missing and not outside and abs(total - 1) > _SLACK:
        yield place, f"{dotted(place)} must sum to 1; it sums to {total:.6g}. Correct the shares."
