"""The digits: what is seen of a picture, and labeling functions that name it."""

import sys

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import MissingExtraError
from metalwork.examples import load_example
from metalwork.labeling import apply
from tests.unit.examples.parts import functions, part, schema

records = part("digits", "records")
describe, LOOPS, PIXELS, REGIONS = records.describe, records.LOOPS, records.PIXELS, records.REGIONS
LABELING_FUNCTIONS, SCHEMA = functions("digits"), schema("digits")

ZERO = "..####.. .##..##. .##..##. .##..##. .##..##. .##..##. .##..##. ..####.."
ONE = "...##... ...##... ...##... ...##... ...##... ...##... ...##... ...##..."
SEVEN = "..#####. ..#####. .....##. ....###. ..#####. ...##... ...##... ...##..."
EIGHT = "..####.. ..#..#.. ..#..#.. ..####.. ..#..#.. ..#..#.. ..#..#.. ..####.."


def _draw(*pictures: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([[[float(pixel == "#") for pixel in row] for row in picture.split()] for picture in pictures])


def test_enclosed_blanks_are_counted_by_half() -> None:
    frame = describe(_draw(ZERO, ONE, SEVEN, EIGHT))
    assert frame.select(LOOPS).rows() == [(1, 6, 6), (0, 0, 0), (0, 0, 0), (2, 4, 6)]


def test_regions_are_means_of_two_by_two_pixels() -> None:
    frame = describe(_draw(SEVEN))
    seen = dict(zip(REGIONS, frame.select(REGIONS).row(0), strict=True))
    assert (seen["top_left"], seen["top_centre"], seen["top_right"]) == (0.5, 1.0, 1.0)
    assert (seen["upper_left"], seen["upper_right"], seen["lower_left"], seen["bottom_right"]) == (
        0.0,
        1.0,
        0.25,
        0.0,
    )


def test_features_are_the_pixels() -> None:
    pictures = _draw(ZERO, SEVEN)
    np.testing.assert_array_equal(describe(pictures).select(PIXELS).to_numpy(), pictures.reshape(2, 64))
    assert load_example("digits").features.columns == list(PIXELS)


def test_no_pictures_are_no_rows() -> None:
    assert describe(np.zeros((0, 8, 8))).shape == (0, len(PIXELS) + len(REGIONS) + len(LOOPS))


def test_splits_are_fixed_and_apart() -> None:
    frames, again = records.load(), records.load()
    assert {split: frame.height for split, frame in frames.items()} == {"train": 1000, "dev": 50, "test": 747}
    assert frames["train"].equals(again["train"])
    pixels = [frame.select(PIXELS).to_numpy() for frame in frames.values()]
    assert (pixels[0].min(), pixels[0].max()) == (0.0, 1.0)
    assert len(np.unique(np.concatenate(pixels), axis=0)) == 1797


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match=r"^The digits data set needs the package 'scikit-learn'"):
        records.load()


def test_every_label_has_several_functions_with_names_of_their_own() -> None:
    names = [lf.name for lf in LABELING_FUNCTIONS]
    assert len(set(names)) == len(names)
    for task in SCHEMA.tasks:
        for label in SCHEMA.labels(task):
            assert sum(lf.task == task and lf.name.startswith(f"{label}: ") for lf in LABELING_FUNCTIONS) >= 3


@pytest.mark.parametrize(("picture", "digit"), [(ZERO, "0"), (ONE, "1"), (SEVEN, "7"), (EIGHT, "8")])
def test_functions_agree_on_a_clear_picture(picture: str, digit: str) -> None:
    votes = apply(LABELING_FUNCTIONS, describe(_draw(picture)), SCHEMA)
    predicted = mw.MajorityVote(SCHEMA, mode="hard").fit(votes).predict(votes)
    assert SCHEMA.end_names(predicted) == [digit]


def test_functions_do_on_dev_what_they_were_written_for() -> None:
    job = load_example("digits")
    votes = apply(job.labeling_functions, job.split("dev").source, SCHEMA)
    assert not votes.errors.any()
    model = mw.MajorityVote(SCHEMA, mode="soft").fit(votes)
    assert model.score(votes, job.known_labels("dev")) >= 0.75
