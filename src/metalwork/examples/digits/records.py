"""Handwritten digits, 8 x 8 pixels, as they come with scikit-learn: a set that needs neither a download nor text.

UCI, "Optical Recognition of Handwritten Digits"; Alpaydin and Kaynak, 1998.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import ndimage

from metalwork.errors import MissingExtraError

Floats = npt.NDArray[np.float64]

PIXELS: Final = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))
"""Columns of the pixels' ink, in [0, 1], from the top left."""

REGIONS: Final = tuple(
    f"{row}_{column}" for row in ("top", "upper", "lower", "bottom") for column in ("left", "centre", "right")
)
"""Columns of the mean ink, in [0, 1], of two by two pixels; the outermost pixel columns are left out."""

LOOPS: Final = ("loops", "upper_loop", "lower_loop")
"""Columns that count enclosed blanks, and their pixels in the upper and lower half."""

_STROKE: Final = 6 / 16
_N_TRAIN: Final = 1000
_N_DEV: Final = 50
_SEED: Final = 0


def load() -> dict[str, pl.DataFrame]:
    """Draw 1,000 pictures for training, 50 for development and 747 for the test, by a fixed seed.

    Returns
    -------
    dict of split to frame
        With the columns ``PIXELS``, ``REGIONS``, ``LOOPS`` and ``label``, and no text.

    Raises
    ------
    MissingExtraError
        When scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtraError("scikit-learn", "train", "The digits data set") from None
    pixels, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(_SEED).permutation(len(digits))
    labels = pl.Series("label", map(str, digits), dtype=pl.String)
    frame = describe(pixels.reshape(-1, 8, 8) / pixels.max()).with_columns(labels)
    parts = np.split(order, [_N_TRAIN, _N_TRAIN + _N_DEV])
    return {split: frame[rows] for split, rows in zip(("train", "dev", "test"), parts, strict=True)}


def describe(pictures: Floats) -> pl.DataFrame:
    """The columns ``PIXELS``, ``REGIONS`` and ``LOOPS`` of pictures (n_points, 8, 8) with ink in [0, 1]."""
    regions = pictures[:, :, 1:7].reshape(-1, 4, 2, 3, 2).mean(axis=(2, 4))
    numbers = np.hstack([pictures.reshape(-1, 64), regions.reshape(-1, 12)])
    loops = np.array([_count_loops(picture) for picture in pictures], dtype=np.int64).reshape(-1, 3)
    return pl.DataFrame(numbers, schema=[*PIXELS, *REGIONS]).hstack(pl.DataFrame(loops, schema=list(LOOPS)))


def _count_loops(picture: Floats) -> tuple[int, int, int]:
    """How many blanks strokes enclose, and how many of their pixels lie in the upper and in the lower half."""
    blanks, found = ndimage.label(np.pad(picture < _STROKE, 1, constant_values=True))
    inside = ((blanks > 0) & (blanks != blanks[0, 0]))[1:-1, 1:-1]
    return found - 1, int(inside[:4].sum()), int(inside[4:].sum())
