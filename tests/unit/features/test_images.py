"""Pictures: arrays, paths and bytes, read through a convolutional network that is trained with the end model."""

import io
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from torch import nn

import metalwork as mw
from metalwork.errors import ConfigError, DataError, MissingExtraError
from metalwork.features import Combined, Featurizer, NumericColumns

PIXELS, DIGITS = load_digits(return_X_y=True)
PICTURES = PIXELS.reshape(-1, 8, 8)
SCHEMA = mw.TaskSchema.flat([str(digit) for digit in range(10)])
SHAPES = mw.TaskSchema.flat(["bar", "dot"])


def shapes(size: int = 12, colours: bool = True) -> tuple[Any, list[str]]:
    """Bars and dots anywhere in pictures of noise."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 60, (40, size, size, 3), dtype=np.uint8)
    for row, picture in enumerate(pictures):
        top, left = rng.integers(1, size - 5, 2)
        picture[top : top + 2, left : left + 2] = 255
        if row % 2 == 0:
            picture[top : top + 2, left : left + 5] = 255
    return pictures if colours else pictures[..., 0], ["bar", "dot"] * 20


def as_png(array: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def test_digits_are_read_better_than_from_flat_pixels() -> None:
    order = np.random.default_rng(0).permutation(len(DIGITS))
    train, test = order[:600], order[1050:]
    flat = mw.EndModel(SCHEMA).fit(PIXELS[train], DIGITS[train]).score(PIXELS[test], DIGITS[test])
    model = mw.EndModel(SCHEMA, featurizer=mw.Images()).fit(PICTURES[train], DIGITS[train])
    assert model.score(PICTURES[test], DIGITS[test]) > max(flat, 0.97)


@pytest.mark.parametrize("colours", [True, False], ids=["colours", "greys"])
def test_arrays_paths_and_bytes_are_one_thing(colours: bool, tmp_path: Path) -> None:
    pictures, labels = shapes(colours=colours)
    names = [f"{row}.png" for row in range(len(pictures))]
    for name, picture in zip(names, pictures, strict=True):
        (tmp_path / name).write_bytes(as_png(picture))
    model = mw.EndModel(SHAPES, featurizer=mw.Images(folder=tmp_path), max_epochs=2).fit(pictures, labels)
    expected = model.predict_proba(pictures).end
    packed = [as_png(picture) for picture in pictures]
    frame = pl.DataFrame({"picture": packed})
    for records in (
        list(pictures),
        names,
        [tmp_path / name for name in names],
        packed,
        frame,
        pd.DataFrame({"picture": packed}),
        pl.DataFrame({"file": names}),
        [{"a": {"bytes": content, "path": None}} for content in packed],
        [{"a": {"bytes": None, "path": name}} for name in names],
        pl.DataFrame({"a": [picture.tolist() for picture in pictures]}),
    ):
        assert np.array_equal(model.predict_proba(records).end, expected)
    again = mw.EndModel(SHAPES, featurizer=mw.Images("picture"), max_epochs=2)
    again.fit_parts([(frame[:9], labels[:9]), (frame[9:], labels[9:])])
    assert np.array_equal(again.predict_proba(frame).end, expected)


def test_a_saved_model_takes_pictures(tmp_path: Path) -> None:
    pictures, labels = shapes()
    model = mw.EndModel(SHAPES, featurizer=mw.Images(), max_epochs=30, lr=3e-3).fit(pictures, labels)
    assert model.score(pictures, labels) == 1.0
    model.save(tmp_path / "m")
    loaded = mw.EndModel.load(tmp_path / "m")
    assert np.array_equal(loaded.predict_proba(pictures).end, model.predict_proba(pictures).end)
    assert vars(loaded.featurizer_)["shape_"] == (12, 12, 3)
    pytest.importorskip("onnxscript")
    assert loaded.export_onnx(tmp_path / "m.onnx", pictures).difference < 1e-5


def test_they_stand_beside_numbers_and_words() -> None:
    pictures, labels = shapes()
    records = pl.DataFrame(
        {"p": [as_png(p) for p in pictures], "n": [float(i % 2) for i in range(40)], "t": ["a b", "c d"] * 20}
    )
    for beside in (NumericColumns(["n"]), mw.WordCounts(min_df=1, tokenizer="chars", field="t")):
        both = Combined([mw.Images("p"), beside])
        model = mw.EndModel(SHAPES, "tree", featurizer=both, max_epochs=40).fit(records, labels)
        assert model.score(records, labels) == 1.0
        moved = records.with_columns(p=pl.Series([as_png(pictures[0])] * 40))
        first, second = model.predict_proba(moved[:2]).end
        assert abs(first - second).max() > 1e-4  # one picture, another number or word beside it


def test_files_are_brought_to_a_size() -> None:
    small, large = (as_png(np.full((n, n), 9, np.uint8)) for n in (4, 8))
    assert mw.Images(size=(5, 6)).fit([small, large]).shape_ == (5, 6, 1)
    assert mw.Images(size=5).fit_transform([small, large]).shape == (2, 25)
    with pytest.raises(
        DataError, match=r"^images must have the shape of the first one, \(4, 4, 1\); got \(8, 8, 1\) at"
    ):
        mw.Images().fit([small, large])


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (
            ["nothing.png"],
            "images must be pictures that can be opened; got 'nothing.png' at row 0: there is no such ",
        ),
        ([b"GIF"], "images must be pictures that can be opened; got 3 bytes at row 0: it cannot be read as one."),
        (
            [None],
            "images must be paths, bytes, or arrays (height, width) or (height, width, n_channels) with 1 to 4",
        ),
        (
            np.ones((3, 4)),
            "images must be paths, bytes, or arrays (height, width) or (height, width, n_channels) wit",
        ),
        (
            np.ones((1, 3, 4, 9)),
            "images must be paths, bytes, or arrays (height, width) or (height, width, n_channe",
        ),
        (
            np.full((2, 3, 4), np.nan),
            "images must be of finite numbers; got NaN or infinity at row 0. Drop the reco",
        ),
        ([], "images must be at least one; got none."),
    ],
)
def test_what_is_no_picture_is_refused(records: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        mw.Images().fit(records)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": (1, 2, 3)}, "size must be a number of pixels, or a pair (height, width); got (1, 2, 3)."),
        ({"size": 0}, "size must be a whole number of at least 1; got 0."),
        ({"backbone": 3}, "backbone must be 'small' or a classifier of torchvision; got 3."),
        ({"weights": "w"}, "weights must go with a backbone of torchvision; 'small' has none. Leave them out."),
        ({"folder": 3}, "folder must be a path; got 3."),
        ({"field": 3}, "field must be the name of a column; got 3."),
    ],
)
def test_arguments_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        mw.Images(**options).fit(PICTURES[:2])
    assert str(caught.value) == message


def test_several_columns_want_a_name() -> None:
    with pytest.raises(
        ConfigError, match=r"^field of Images must name the column of pictures of records that have"
    ):
        mw.Images().fit(pl.DataFrame({"a": ["x"], "b": ["y"]}))


def test_damaged_state_is_refused() -> None:
    header, arrays = mw.Images().fit(PICTURES[:9]).pack()
    assert np.array_equal(
        Featurizer.unpack(header, arrays).transform(PICTURES), mw.Images().fit(PICTURES[:9]).transform(PICTURES)
    )
    for damage in ({"shape": [8, 8]}, {"shape": [8, 8, 9]}, {"shape": [0, 8, 1]}, {"size": [0, 1]}, {"folder": 3}):
        with pytest.raises((DataError, ConfigError)):
            Featurizer.unpack(header | {"facts": header["facts"] | damage}, arrays)
    for name, array in (("mean", np.array([np.nan])), ("deviation", np.zeros(1)), ("deviation", np.ones(2))):
        with pytest.raises(DataError):
            Featurizer.unpack(header, arrays | {name: array})


class Backbone(nn.Module):
    """A classifier as torchvision has them."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(4, 1000)

    def forward(self, pictures: Any) -> Any:
        return self.fc(self.body(pictures).relu().mean(dim=(2, 3)))


@pytest.fixture
def torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in: the real one is as large as torch, and not installed for tests."""
    models = types.ModuleType("torchvision.models")

    def get_model(name: str, weights: None) -> nn.Module:
        if name != "tiny":
            raise ValueError(f"Unknown model {name}")
        return Backbone()

    vars(models).update(get_model=get_model, list_models=lambda module: ["tiny"])
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)


@pytest.mark.usefixtures("torchvision")
@pytest.mark.parametrize("colours", [True, False], ids=["colours", "greys"])
def test_a_backbone_loses_its_last_layer_and_starts_from_a_file(colours: bool, tmp_path: Path) -> None:
    pictures, labels = shapes(colours=colours)
    given = Backbone()
    save_file(given.state_dict(), tmp_path / "w.safetensors")
    images = mw.Images(backbone="tiny", weights=tmp_path / "w.safetensors")
    module: Any = images.fit(pictures).module()
    assert torch.equal(module.network.body.weight, given.body.weight)
    assert module(torch.from_numpy(images.transform(pictures))).shape == (40, 4)
    model = mw.EndModel(SHAPES, featurizer=images, max_epochs=3).fit(pictures, labels)
    model.save(tmp_path / "m")
    (tmp_path / "w.safetensors").unlink()
    loaded = mw.EndModel.load(tmp_path / "m")
    assert np.array_equal(loaded.predict_proba(pictures).end, model.predict_proba(pictures).end)
    with pytest.raises(
        ConfigError, match=r"^weights must be a file of safetensors on this machine; .*there is no such"
    ):
        images.module()


@pytest.mark.usefixtures("torchvision")
def test_backbones_that_are_not_there_are_named(tmp_path: Path) -> None:
    images = mw.Images(backbone="tinny").fit(PICTURES[:2])
    with pytest.raises(ConfigError, match=r"^backbone must be 'small' or a .* got 'tinny'. Known: tiny\.$"):
        images.module()
    save_file({"fc.weight": torch.zeros(2)}, tmp_path / "w")
    images.set_params(backbone="tiny", weights=str(tmp_path / "w"))
    with pytest.raises(
        ConfigError, match=r"^weights must be those of the backbone; '.*w' has another body\.weight\.$"
    ):
        images.module()
    (tmp_path / "w").write_bytes(b"nothing")
    with pytest.raises(
        ConfigError, match=r"^weights must be a file of safetensors on this machine; .*something else"
    ):
        images.module()


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    images = mw.Images(backbone="resnet18").fit(PICTURES[:2])
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(MissingExtraError, match=r"torchvision.*metalwork\[images\]"):
        images.module()
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"pillow.*metalwork\[images\]"):
        mw.Images().fit(["a.png"])
