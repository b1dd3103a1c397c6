"""The estimator: dev selection, weights, input modules, scikit-learn's ways, and refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import torch
from sklearn.base import clone
from torch import Tensor, nn

from metalwork import EndModel, TaskProbabilities
from metalwork.end_models._choice import EpochChoice
from metalwork.errors import ConfigError, DataError, NotFittedError, VotesError
from tests.unit.end_models.samples import FLAT, TRIAGE, words

DATA = words(TRIAGE)


def small(**arguments: Any) -> EndModel:
    options: dict[str, Any] = {"hidden_sizes": (8, 4), "max_epochs": 2, "batch_size": 32} | arguments
    return EndModel(TRIAGE, **options)


class Lengths(nn.Module):
    """A text encoder of sorts: counts of four letters, weighted."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, texts: list[str]) -> Tensor:
        return torch.tensor([[float(text.count(c)) for c in "abcd"] for text in texts]) * self.scale


TEXTS = [letter * 3 + "x" * (i % 4) for i in range(10) for letter in "abcd"]
TEXT_PROBS = TaskProbabilities.from_labels([0, 1, 2, 3] * 10, TRIAGE)


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    dev = words(TRIAGE, 40, seed=3)
    model = small(max_epochs=30, lr=0.05).fit(DATA.counts, DATA.probs, dev=(dev.counts, dev.labels))
    model.network_.power = 1.0
    found = model.predict_proba(dev.counts).end[np.arange(40), dev.labels]
    kept = model.history_[model.best_epoch_ - 1]
    assert -np.log(found).mean() == pytest.approx(kept["dev_loss"], rel=1e-6)


def test_the_last_epoch_that_dev_cannot_tell_from_the_best_is_best() -> None:
    network = small(max_epochs=1).fit(DATA.counts, DATA.probs).network_
    choice, losses = EpochChoice(), np.ones(40)
    wrong = [20, 4, 7, 12]  # of 40: two standard errors from 4 are about 4, so epoch 3 is as good, and 4 is not
    for epoch, count in enumerate(wrong, start=1):
        choice.offer(epoch, losses / epoch, (np.arange(40) < count).astype(float), network)
    assert (choice.epoch, choice.least_epoch) == (3, 4)


def test_patience_stops_early() -> None:
    dev = words(TRIAGE, 40, seed=3)
    model = small(max_epochs=60, lr=0.05, patience=2).fit(DATA.counts, DATA.probs, (dev.counts, dev.labels))
    losses = [record["dev_loss"] for record in model.history_]
    assert len(losses) == 1 + int(np.argmin(losses)) + 2 < 60


def test_without_dev_the_last_epoch_stays() -> None:
    model = small(max_epochs=3).fit(DATA.counts, DATA.probs)
    assert model.best_epoch_ == 3
    assert [set(record) for record in model.history_] == [{"epoch", "loss", "seconds"}] * 3


@pytest.mark.parametrize(("n_points", "epochs"), [(120, 150), (3000, 20)])
def test_epochs_are_20_or_make_300_steps_by_default(n_points: int, epochs: int) -> None:
    data = words(FLAT, n_points)
    model = EndModel(FLAT, hidden_sizes=(2,)).fit(data.counts, data.probs)
    assert len(model.history_) == epochs


def test_callbacks_see_every_epoch() -> None:
    seen: list[dict[str, Any]] = []
    model = small().fit(DATA.counts, DATA.probs, callbacks=[seen.append])
    assert seen == model.history_


@pytest.mark.parametrize("kind", ["sparse", "dense", "frame", "records"])
def test_a_weight_of_0_leaves_a_record_out_altogether(kind: str) -> None:
    rng = np.random.default_rng(0)
    X: Any = rng.normal(size=(60, 5)).astype(np.float32)
    labels, weights = rng.integers(0, 4, 60), (rng.random(60) < 0.55).astype(float)
    kept = np.flatnonzero(weights)
    X[weights == 0] = np.nan  # as is what they hold
    alone: Any = X[kept]
    module = Lengths() if kind == "records" else None
    if kind == "sparse":
        X, alone = sp.csr_array(X), sp.csr_array(alone)
    elif kind == "frame":
        X, alone = (pl.DataFrame(array, schema=list("abcde")) for array in (X, alone))
    elif kind == "records":
        X = [TEXTS[i % 40] for i in range(60)]
        alone = [X[i] for i in kept]
    probs = TaskProbabilities.from_labels(labels, TRIAGE)
    model = EndModel(TRIAGE, hidden_sizes=(4, 3), batch_size=16, max_epochs=75, input_module=module)
    weighted = model.fit(X, probs, sample_weight=weights)
    found, history, seen = weighted.predict_proba(alone).end, weighted.history_, weighted.n_features_in_
    again = clone(model).fit(alone, probs.rows(kept))
    assert np.array_equal(found, again.predict_proba(alone).end)
    assert [r["loss"] for r in history] == [r["loss"] for r in again.history_]
    assert seen == again.n_features_in_


def test_a_number_that_is_not_finite_is_named_where_it_stands() -> None:
    X, weights = np.ones((4, 2)), np.array([1, 0, 0, 1])
    X[2], X[3, 1] = np.nan, np.inf
    model = EndModel(FLAT)
    with pytest.raises(
        DataError, match=r"^X must be finite as 32-bit floats; got inf at row 3, column 1\. Fill in"
    ):
        model.fit(X, [0, 1, 0, 1], sample_weight=weights)
    with pytest.raises(DataError, match=r"got inf at row 3, column 'b'\. Fill in"):
        model.fit(pd.DataFrame(X, columns=["a", "b"]), [0, 1, 0, 1], sample_weight=weights)


def test_weights_shift_predictions() -> None:
    urgent = DATA.labels == 0
    model = small(max_epochs=10)
    plain = model.fit(DATA.counts, DATA.probs).predict_proba(DATA.counts).end[:, 0].mean()
    heavy = model.fit(DATA.counts, DATA.probs, sample_weight=1 + 20.0 * urgent).predict_proba(DATA.counts)
    assert heavy.end[:, 0].mean() > plain


def test_an_input_module_reads_records_and_is_trained_as_a_copy(tmp_path: Path) -> None:
    module = Lengths()
    model = small(input_module=module, max_epochs=60, lr=0.03).fit(TEXTS, TEXT_PROBS)
    assert model.plan_.n_features == 4
    assert model.n_features_in_ is None
    assert model.score(TEXTS, [0, 1, 2, 3] * 10) == 1.0
    assert module.scale.tolist() == [1, 1, 1, 1]
    assert model.input_module is module
    model.save(tmp_path / "end")
    loaded = EndModel.load(tmp_path / "end", input_module=Lengths())
    assert np.array_equal(loaded.predict_proba(TEXTS).end, model.predict_proba(TEXTS).end)


def test_an_input_module_reads_arrays_and_tensors() -> None:
    images = torch.randn(40, 2, 3, generator=torch.Generator().manual_seed(0))
    for X in (images, images.numpy()):
        model = small(input_module=nn.Sequential(nn.Flatten(), nn.Linear(6, 5))).fit(X, TEXT_PROBS)
        assert model.plan_.n_features == 5
        assert model.predict(X).shape == (40,)
    sparse = small(input_module=nn.Linear(DATA.counts.shape[1], 5)).fit(DATA.counts, DATA.probs)
    assert sparse.plan_.n_features == 5


def test_own_layers_and_heads_are_needed_again(tmp_path: Path) -> None:
    model = small(intermediate_module=nn.Linear, head_module=nn.Linear).fit(DATA.counts, DATA.probs)
    model.save(tmp_path / "end")
    with pytest.raises(ConfigError) as caught:
        EndModel.load(tmp_path / "end", head_module=nn.Linear)
    assert str(caught.value) == (
        f"{tmp_path / 'end'}: the model was fitted with an intermediate_module of its own, and files hold no "
        "code. Pass it: EndModel.load(path, intermediate_module=...)."
    )
    loaded = EndModel.load(tmp_path / "end", intermediate_module=nn.Linear, head_module=nn.Linear)
    assert np.array_equal(loaded.predict(DATA.counts), model.predict(DATA.counts))
    with pytest.raises(
        ConfigError, match=r"the model was fitted without an input_module\. Leave input_module out\.$"
    ):
        EndModel.load(tmp_path / "end", nn.Identity(), nn.Linear, nn.Linear)


def test_scikit_learns_ways() -> None:
    sizes = [8, 4]
    model = small(hidden_sizes=sizes)
    assert model.get_params()["hidden_sizes"] is sizes
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(lr=0.5).lr == 0.5
    assert repr(model) == "EndModel(schema, hidden_sizes=[8, 4], max_epochs=2, lr=0.5, batch_size=32)"
    with pytest.raises(ConfigError, match=r"^'lrr' is no argument of EndModel\. Did you mean 'lr'\?$"):
        model.set_params(lrr=1)
    assert model.fit(DATA.counts, DATA.probs) is model


def test_no_seed_draws_a_new_one_each_time() -> None:
    model = small(random_state=None, max_epochs=1)
    first, second = (model.fit(DATA.counts, DATA.probs).predict_proba(DATA.counts).end for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"architecture": "deep"},
            "architecture must be one of 'tree', 'hier', 'levels', 'flat', 'single', 'linear'; got 'deep'.",
        ),
        ({"balance_levels": 1}, "balance_levels must be a bool; got int."),
        ({"scaling": "log"}, "scaling must be one of 'auto', 'counts', 'rows', 'standard', 'none'; got 'log'."),
        ({"device": "tpu"}, "device must be one of 'cpu', 'cuda', 'auto'; got 'tpu'."),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1; got 0."),
        ({"batch_size": None}, "batch_size must be a whole number of at least 1; got None."),
        ({"max_epochs": 2.5}, "max_epochs must be a whole number of at least 1; got 2.5."),
        ({"n_threads": True}, "n_threads must be a whole number from 1 to 1,024; got True."),
        ({"random_state": -1}, "random_state must be a whole number of at least 0; got -1."),
        ({"lr": 0}, "lr must be a finite number above 0; got 0."),
        ({"lr": float("nan")}, "lr must be a finite number above 0; got nan."),
        ({"weight_decay": -1}, "weight_decay must be a finite number of at least 0; got -1."),
        ({"input_dropout": 1}, "input_dropout must be a number in [0, 1); got 1."),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        small(**arguments).fit(DATA.counts, DATA.probs)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (DATA.counts[:5], DATA.probs),
            DataError,
            "probs must have one entry a row of X (5); got 120.",
        ),
        (
            (DATA.counts, words(FLAT).probs),
            VotesError,
            "probs must have the model's schema; it differs. Fit both models on one schema.",
        ),
        (
            (DATA.counts, DATA.probs.end[:, :3]),
            VotesError,
            "end must have shape (n_points, 4); got (120, 3).",
        ),
        (
            (DATA.counts, None),
            ConfigError,
            "probs must be TaskProbabilities or known labels; got NoneType. Use a label model's "
            "predict_proba, or labels by name or code.",
        ),
        (
            (DATA.counts, [None] * 120),
            VotesError,
            "probs must hold a known label for at least one record of weight above 0; got none.",
        ),
        (
            (DATA.counts, DATA.probs, (DATA.counts[:2], [None, ""])),
            VotesError,
            "y of dev must hold at least one known label; got none.",
        ),
        (
            (DATA.counts, DATA.probs, DATA.counts[:4]),
            ConfigError,
            "dev must be a pair (X_dev, y_dev); got csr_array.",
        ),
        (
            (DATA.counts, DATA.probs, None, ["a"] * 120),
            ConfigError,
            "sample_weight must hold numbers; got list.",
        ),
        (
            (DATA.counts[:0], DATA.probs.rows(slice(0, 0))),
            VotesError,
            "probs must hold at least one record; got none.",
        ),
        (
            (DATA.counts, DATA.probs, (DATA.counts[:4], [0, 1, 2])),
            DataError,
            "y of dev must have one entry a row of X (4); got 3.",
        ),
        (
            (DATA.counts, DATA.probs, (DATA.counts[:2, :9], [0, 1])),
            DataError,
            "X of dev must have 52 columns, as the X of fit; got 9 columns. Make the features the same way.",
        ),
        (
            (DATA.counts, DATA.probs, (DATA.counts[:2], ["Urgent", "urgent"])),
            VotesError,
            "Row 1: 'urgent' is no label. Did you mean 'Urgent'?",
        ),
        (
            (DATA.counts, DATA.probs, None, np.ones(7)),
            DataError,
            "sample_weight must have one weight a row of X (120); got shape (7,).",
        ),
        (
            (DATA.counts, DATA.probs, None, np.r_[np.ones(119), -1]),
            DataError,
            "sample_weight must be finite and at least 0; got -1.0 at row 119.",
        ),
        (
            (DATA.counts, DATA.probs, None, np.zeros(120)),
            DataError,
            "sample_weight must be above 0 for at least one record; got 0 for all.",
        ),
        (
            (np.ones((120, 2, 2)), DATA.probs),
            DataError,
            "X must have shape (n_points, n_features); it has more dimensions. Pass input_module.",
        ),
    ],
)
def test_what_does_not_fit_is_refused(arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        small().fit(*arguments)
    assert str(caught.value) == message


def test_predicting_with_other_features_or_before_fit_is_refused() -> None:
    with pytest.raises(
        NotFittedError, match=r"^EndModel must be fitted before it predicts or is saved\. Call fit"
    ):
        small().predict(DATA.counts)
    model = small().fit(DATA.counts, DATA.probs)
    with pytest.raises(DataError) as caught:
        model.predict(DATA.counts[:, :50])
    assert str(caught.value) == (
        "X must have 52 columns, as the X of fit; got 50 columns. Make the features the same way."
    )
    with pytest.raises(DataError, match=r"^y must have one entry a row of X \(120\); got 2\.$"):
        model.score(DATA.counts, [0, 1])


def test_an_input_module_must_put_out_a_matrix() -> None:
    with pytest.raises(ConfigError) as caught:
        small(input_module=nn.Flatten(0)).fit(torch.ones(40, 3), TEXT_PROBS)
    assert str(caught.value) == (
        "input_module must return a float tensor (n_rows, D_0); got a torch.float32 tensor (6,) for 2 rows. "
        "Reshape its output."
    )


def test_a_loss_that_explodes_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^The training loss must stay finite; got .* at epoch \d+\. Lower lr"):
        small(lr=1e30, max_epochs=5, scaling="none").fit(DATA.counts, DATA.probs)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(
        ConfigError, match=r"^device must be one that torch can use; got 'cuda', which it cannot\."
    ):
        small(device="cuda").fit(DATA.counts, DATA.probs)
    assert small(device="auto").fit(DATA.counts, DATA.probs).network_.heads[0].weight.device.type == "cpu"
