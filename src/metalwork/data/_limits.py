"""How much of a file is taken before it is called a mistake, or an attack."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from metalwork.errors import ConfigError
from metalwork.schema import unknown_name


@dataclass(frozen=True)
class Limits:
    """What one file may ask for; an error names the limit that is passed.

    Attributes
    ----------
    record_bytes : int
        Size of one record after unpacking: a row of CSV, a line of JSON, a text file. An open quote ends here,
        and a small file that unpacks to gigabytes.
    array_bytes : int
        Size after unpacking of a file that holds one JSON array, which is read whole.
    columns : int
        Columns of a table, or different keys of objects.
    depth : int
        How deep lists and objects of JSON are nested in each other.
    """

    record_bytes: int = 64 << 20
    array_bytes: int = 256 << 20
    columns: int = 100_000
    depth: int = 100


def check_limits(limits: Any) -> Limits:
    """The limits, with the defaults for those not given; ``ConfigError`` names what is none."""
    if isinstance(limits, Limits):
        limits = asdict(limits)
    if limits is None:
        return Limits()
    if not isinstance(limits, Mapping):
        raise ConfigError(f"limits must be a dict such as {{'record_bytes': 100_000_000}}; got {limits!r}.")
    known = [field.name for field in fields(Limits)]
    for name, value in limits.items():
        if name not in known:
            raise ConfigError(unknown_name("limit", str(name), known))
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f"limits[{name!r}] must be a whole number from 1; got {value!r}.")
    return Limits(**limits)
