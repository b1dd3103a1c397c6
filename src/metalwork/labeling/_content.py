"""Digests of columns by their values: the same however they lie in memory."""

import hashlib
from typing import Final

import numpy as np
import polars as pl

_BLOCK: Final = 2000  # rows joined at a time: they stay in the processor's cache
_NULL: Final = np.uint32(0xFFFF_FFFF)


def content_digest(column: pl.Series) -> bytes | None:
    """Digest of a column's type and values; None where polars does not say what they are."""
    kind = column.dtype
    total = hashlib.sha256(f"{kind!r} {len(column)}".encode("utf-8", "backslashreplace"))
    if kind in (pl.Categorical, pl.Enum):
        column, kind = column.cast(pl.String), pl.String()
    if kind == pl.String:
        _add_text(total, column)
    elif kind == pl.Null:
        pass
    elif (kind.is_numeric() and not kind.is_decimal()) or kind.is_temporal() or kind == pl.Boolean:
        plain = column.to_physical()
        total.update(plain.is_null().to_numpy().tobytes())
        total.update(plain.fill_null(False if kind == pl.Boolean else 0).to_numpy().tobytes())
    else:
        return None
    return total.digest()[:20]


def _add_text(total: "hashlib._Hash", column: pl.Series) -> None:
    lengths = column.str.len_bytes().fill_null(int(_NULL)).to_numpy()
    total.update(lengths.astype("<u4").tobytes())
    for start in range(0, len(column), _BLOCK):
        total.update("".join(filter(None, column.slice(start, _BLOCK).to_list())).encode())
