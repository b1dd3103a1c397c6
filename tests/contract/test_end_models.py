"""What every end model keeps, whatever its architecture and tree."""

from pathlib import Path

import numpy as np
import pytest
import torch

from metalwork import EndModel, TaskSchema
from tests.unit.end_models.samples import FLAT, TRIAGE, UNEVEN, Words, chain, words

SCHEMAS = {"triage": TRIAGE, "uneven": UNEVEN, "flat": FLAT, "chain": chain(5)}


@pytest.fixture(scope="module", params=["hier", "flat", "single", "linear"])
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=list(SCHEMAS))
def schema(request: pytest.FixtureRequest) -> TaskSchema:
    return SCHEMAS[request.param]


@pytest.fixture(scope="module")
def data(schema: TaskSchema) -> Words:
    return words(schema, 240)


def build(schema: TaskSchema, architecture: str, random_state: int = 0, max_epochs: int = 25) -> EndModel:
    return EndModel(
        schema, architecture, (64, 32), random_state=random_state, max_epochs=max_epochs, batch_size=16, lr=2e-3
    )


@pytest.fixture(scope="module")
def fitted(schema: TaskSchema, architecture: str, data: Words) -> EndModel:
    return build(schema, architecture).fit(data.counts, data.probs)


def test_it_learns(fitted: EndModel, schema: TaskSchema) -> None:
    unseen = words(schema, 200, seed=1)
    assert fitted.score(unseen.counts, unseen.labels) > 0.85  # chance is 0.14 to 0.5


def test_rows_sum_to_one_and_agree_with_predict(fitted: EndModel, data: Words) -> None:
    probs = fitted.predict_proba(data.counts)
    np.testing.assert_allclose(probs.end.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    assert (probs.end >= 0).all()
    assert fitted.predict(data.counts).tolist() == probs.end.argmax(axis=1).tolist()


def test_names_and_codes_score_alike(fitted: EndModel, schema: TaskSchema, data: Words) -> None:
    names = schema.end_names(data.labels)
    assert fitted.score(data.counts, names) == fitted.score(data.counts, data.labels)


def test_the_same_seed_gives_the_same_bits(
    fitted: EndModel, schema: TaskSchema, architecture: str, data: Words
) -> None:
    again = build(schema, architecture).fit(data.counts, data.probs)
    assert np.array_equal(again.predict_proba(data.counts).end, fitted.predict_proba(data.counts).end)
    assert [r["loss"] for r in again.history_] == [r["loss"] for r in fitted.history_]
    other = build(schema, architecture, random_state=1).fit(data.counts, data.probs)
    # a linear model has one optimum, which no seed moves
    assert (architecture == "linear") == np.array_equal(
        other.predict_proba(data.counts).end, fitted.predict_proba(data.counts).end
    )


def test_nothing_outside_changes(schema: TaskSchema, architecture: str, data: Words) -> None:
    torch_state, numpy_state, threads = torch.get_rng_state(), np.random.get_state(), torch.get_num_threads()  # noqa: NPY002
    counts, sure = data.counts.toarray(), data.probs.end.copy()
    torch.set_num_threads(2)
    try:
        model = build(schema, architecture, max_epochs=1).fit(data.counts, data.probs)
        model.predict(data.counts)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert str(np.random.get_state()) == str(numpy_state)  # noqa: NPY002
    assert np.array_equal(data.counts.toarray(), counts)
    assert np.array_equal(data.probs.end, sure)


def test_dense_and_sparse_counts_predict_alike(fitted: EndModel, data: Words) -> None:
    dense, sparse = fitted.predict_proba(data.counts.toarray()).end, fitted.predict_proba(data.counts).end
    np.testing.assert_allclose(dense, sparse, atol=1e-5)


def test_a_row_is_predicted_alone_as_among_others(fitted: EndModel, data: Words) -> None:
    alone = [fitted.predict_proba(data.counts[[i]]).end[0] for i in range(5)]
    np.testing.assert_allclose(alone, fitted.predict_proba(data.counts).end[:5], atol=1e-6)


def test_no_rows_give_no_predictions(fitted: EndModel, data: Words) -> None:
    assert fitted.predict(data.counts[:0]).shape == (0,)


def test_a_stored_model_predicts_the_same_bits(fitted: EndModel, data: Words, tmp_path: Path) -> None:
    fitted.save(tmp_path / "end.safetensors")
    loaded = EndModel.load(tmp_path / "end.safetensors")
    assert np.array_equal(loaded.predict_proba(data.counts).end, fitted.predict_proba(data.counts).end)
    assert loaded.plan_ == fitted.plan_
    assert loaded.history_ == [{k: v for k, v in r.items() if k != "seconds"} for r in fitted.history_]
    assert repr(loaded) == repr(fitted)
    assert loaded.get_params() == fitted.get_params()


def test_one_record_is_enough(schema: TaskSchema, architecture: str, data: Words) -> None:
    model = build(schema, architecture, max_epochs=1).fit(data.counts[:1], data.probs.rows(slice(0, 1)))
    assert model.predict(data.counts[:1]).shape == (1,)
