"""Handwritten digits, 8 x 8 pixels: a small demonstration that needs neither a download nor text.

The root task asks whether the strokes close a loop; the two tasks below it name the digit. Labeling functions look
at twelve regions of a picture and at the blanks that its strokes enclose. They are written from 50 development
pictures and from how digits are drawn.

The pictures come with scikit-learn (UCI, "Optical Recognition of Handwritten Digits"; Alpaydin and Kaynak, 1998).
"""

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import ndimage

from metalwork.errors import MissingExtraError
from metalwork.experiments._dataset import Dataset
from metalwork.labeling import LabelingFunction, from_callable
from metalwork.schema import TaskSchema

__all__ = ["LABELING_FUNCTIONS", "LOOPS", "PIXELS", "REGIONS", "SCHEMA", "features", "load"]

Floats = npt.NDArray[np.float64]

SCHEMA: Final = TaskSchema.from_dict(
    {
        "task": "outline",
        "labels": [
            {"Loop": {"task": "loop", "labels": ["0", "6", "8", "9"]}},
            {"Open": {"task": "stroke", "labels": ["1", "2", "3", "4", "5", "7"]}},
        ],
    }
)

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

_SIGHTS: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("outline", "Loop"): {
        "enclosed blank": "upper_loop + lower_loop > 1",
        "closed foot": "bottom_centre > .5 and lower_left > .3 and lower_right > .35",
        "round head": "top_centre > .4 and top_right > .15 and upper_left > .3 and upper_right > .4",
        "two sides": "upper_left + lower_left > .6 and upper_right + lower_right > .6 and lower_centre < .4",
        "swollen foot": "bottom_right > .3 and lower_right > .35 and lower_left > .3",
        "tail": "upper_right > .45 and lower_left < .25 and bottom_right > .2",
    },
    ("outline", "Open"): {
        "no enclosed blank": "loops < 1",
        "upright": "upper_centre > .75 and lower_centre > .75",
        "blank left": "upper_left < .3 and lower_left < .25 and upper_right < .4",
        "blank right": "upper_right < .3 and lower_right < .2",
        "base line": "bottom_left > .3 and bottom_right > .2 and lower_right < .2",
        "bare foot": "bottom_left < .2 and bottom_right < .15",
        "bar": "lower_left > .4 and lower_centre > .4 and top_right < .15 and bottom_right < .35",
        "flag": "upper_left > .4 and upper_right < .3 and lower_left < .25",
    },
    ("loop", "0"): {
        "hollow": "upper_centre < .3 and lower_centre < .15",
        "long loop": "loops < 2 and upper_loop > 1 and lower_loop > 1",
        "both sides": "upper_left > .35 and lower_left > .35 and upper_right > .3 and lower_right > .35",
    },
    ("loop", "6"): {
        "low loop": "lower_loop > 0 and upper_loop < 1",
        "blank upper right": "upper_right < .2 and top_right < .1",
        "heavy foot": "bottom_right > .5 and lower_right > .35 and lower_left > .3",
    },
    ("loop", "8"): {
        "two loops": "loops > 1",
        "crossing": "upper_centre > .4 and lower_centre > .5 and top_right > .25 and bottom_right > .05",
        "waist": "lower_left + lower_right < .7 and lower_centre > .5 and top_right > .25 and bottom_right > .05",
    },
    ("loop", "9"): {
        "high loop": "upper_loop > 0 and lower_loop < 1",
        "blank lower left": "lower_left < .2 and lower_centre < .5",
        "heavy head": "upper_right > .5 and upper_centre > .4 and lower_left < .25",
    },
    ("stroke", "1"): {
        "upright": "top_centre > .6 and upper_centre > .7 and lower_centre > .7 and bottom_centre > .6",
        "narrow": "upper_left < .3 and top_right + upper_right < .5 and lower_right + bottom_right < .3",
        "full middle": "upper_centre > .8 and lower_centre > .8",
    },
    ("stroke", "2"): {
        "base line": "bottom_left + bottom_centre + bottom_right > 1.6 and lower_right < .2",
        "blank above the base": "lower_right < .1 and bottom_right > .2",
        "descending": "bottom_left > .3 and lower_centre > .4 and upper_left < .5 and lower_right < .15",
    },
    ("stroke", "3"): {
        "blank left": "upper_left < .3 and lower_left < .2 and top_left > .3",
        "three bars": "top_centre > .5 and upper_centre > .4 and upper_left < .35 and lower_left < .15",
        "open bows": "lower_right > .3 and lower_left < .15 and upper_left < .3",
    },
    ("stroke", "4"): {
        "no roof": "top_left < .25 and top_right < .15 and bottom_right < .35 and lower_left > .25",
        "cross bar": "lower_left > .4 and lower_centre > .4 and lower_right > .2",
        "bare foot": "bottom_left < .25 and bottom_centre > .5 and upper_left > .25 and lower_left > .25",
    },
    ("stroke", "5"): {
        "flag": "upper_left > .5 and upper_right < .3 and lower_left < .25",
        "roof and wall": "top_left > .25 and top_centre > .5 and upper_left > .5",
        "blank lower left": "lower_left < .25 and upper_left > .4 and bottom_left > .2",
    },
    ("stroke", "7"): {
        "roof": "top_right > .3 and top_centre > .6 and upper_left < .4 and bottom_right < .1",
        "slope": "top_right > .2 and upper_right > .3 and lower_centre > .3 and bottom_right < .05",
        "wide above": "top_right + upper_right > .8 and bottom_left + bottom_right < .35",
    },
}
"""What each LF must see, by (task, label) and then by name: sums of columns, each compared with a number."""

_CONDITION: Final = re.compile(r"([a-z_]+(?: \+ [a-z_]+)*) ([<>]) (\d*\.?\d+)")


def _make_function(task: str, label: str, name: str, sight: str) -> LabelingFunction:
    conditions = [_read_condition(text) for text in sight.split(" and ")]
    columns = tuple(dict.fromkeys(column for terms, _, _ in conditions for column in terms))

    def look(*values: float) -> str | None:
        seen = dict(zip(columns, values, strict=True))
        holds = (sign * (sum(seen[term] for term in terms) - limit) > 0 for terms, sign, limit in conditions)
        return label if all(holds) else None

    look.__doc__ = sight
    return from_callable(look, task, columns, f"{label}: {name}")


def _read_condition(text: str) -> tuple[tuple[str, ...], int, float]:
    """The columns to add up, 1 for "above" or -1 for "below", and the number to compare with."""
    found = _CONDITION.fullmatch(text)
    assert found is not None, text
    return tuple(found[1].split(" + ")), 1 if found[2] == ">" else -1, float(found[3])


LABELING_FUNCTIONS: Final = tuple(
    _make_function(task, label, name, sight)
    for (task, label), sights in _SIGHTS.items()
    for name, sight in sights.items()
)


def load(path: None = None) -> Dataset:
    """Draw 1,000 pictures for training, 50 for development and 747 for the test, by a fixed seed.

    Parameters
    ----------
    path : None
        Nothing: the pictures come with scikit-learn. All data sets load alike.

    Returns
    -------
    Dataset
        Frames have the columns ``PIXELS``, ``REGIONS`` and ``LOOPS``, and no text.

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
    frame = describe(pixels.reshape(-1, 8, 8) / pixels.max())
    labels = SCHEMA.end_codes(map(str, digits))
    train, dev, test = np.split(order, [_N_TRAIN, _N_TRAIN + _N_DEV])
    return Dataset(
        name="digits",
        schema=SCHEMA,
        train=frame[train],
        dev=frame[dev],
        test=frame[test],
        dev_labels=labels[dev],
        test_labels=labels[test],
        train_labels=labels[train],
    )


def features(frame: pl.DataFrame) -> Floats:
    """float array (n_points, 64): the ink of each pixel, in [0, 1], for an end model."""
    return frame.select(PIXELS).to_numpy()


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
