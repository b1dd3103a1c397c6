"""Distinct rows of a label matrix and how often each stands: votes repeat, so models need only these."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork._checks import IntArray

Int64Array = npt.NDArray[np.int64]
_ROOM = 1 << 62


class Patterns(NamedTuple):
    """``codes[inverse]`` is the matrix; ``weights`` say how often each row stands. Canonically ordered."""

    codes: IntArray
    weights: Int64Array
    inverse: Int64Array


def distinct_rows(codes: IntArray) -> Patterns:
    """Find the distinct rows of an int array (n_points, n_columns), -1 at least, in a canonical order.

    Columns are packed into one integer as digits; where they overflow, what is packed so far is replaced by
    its rank among the distinct values (at most n_points of them) and packing goes on.
    """
    n_points, n_columns = codes.shape
    key = np.zeros(n_points, np.int64)
    size = 1
    bases = codes.max(axis=0, initial=-1).astype(np.int64) + 2
    for j in range(n_columns):
        base = int(bases[j])
        if size * base >= _ROOM:
            key = np.unique(key, return_inverse=True)[1]
            size = n_points
        key *= base
        key += codes[:, j]
        key += 1
        size *= base
    _, first, inverse, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    return Patterns(codes[first], counts, inverse)
