"""A wide first layer that is updated by rows: dense AdamW but for rounding."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import Tensor

from metalwork import EndModel
from metalwork.end_models import _touched
from metalwork.end_models._optimisation import Schedule
from metalwork.end_models._touched import TouchedRows
from metalwork.end_models.network import InputLinear, SparseRows
from tests.unit.end_models.samples import TRIAGE, words

N_WORDS, SIZE, N_STEPS = 300, 6, 60


def _batches(seed: int) -> list[tuple[SparseRows, Tensor]]:
    """Mini-batches of four records whose words have unequal frequencies, and what their sums should be."""
    rng = np.random.default_rng(seed)
    shares = 1.0 / np.arange(1, N_WORDS + 1)
    found = []
    for _ in range(N_STEPS):
        columns = rng.choice(N_WORDS, 24, p=shares / shares.sum())
        matrix = sp.csr_array((rng.normal(size=24), columns, np.arange(0, 25, 6)), shape=(4, N_WORDS))
        matrix.sum_duplicates()
        indices, offsets, values = (torch.from_numpy(p) for p in (matrix.indices, matrix.indptr, matrix.data))
        target = torch.from_numpy(rng.normal(size=(4, SIZE)))
        found.append((SparseRows(indices, offsets, values, N_WORDS), target))
    return found


def _layers() -> tuple[InputLinear, InputLinear]:
    torch.manual_seed(0)
    one = InputLinear(N_WORDS, SIZE).double()
    other = InputLinear(N_WORDS, SIZE).double()
    other.load_state_dict(one.state_dict())
    return one, other


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("settle_every", [7, 1024])
def test_rows_follow_dense_adamw(weight_decay: float, settle_every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_touched, "_SETTLE_EVERY", settle_every)
    monkeypatch.setattr(_touched, "EPS", 1e-14)  # how eps fades is the one thing that is left out
    dense, by_rows = _layers()
    optimizer = torch.optim.AdamW([dense.weight], lr=0.01, weight_decay=weight_decay, eps=1e-14)
    rows = TouchedRows(by_rows, weight_decay)
    schedule = Schedule(0.01, "linear", 0.1)
    for step, (batch, target) in enumerate(_batches(1)):
        lr = schedule.at(step, N_STEPS)
        optimizer.param_groups[0]["lr"] = lr
        optimizer.zero_grad()
        ((dense(batch) - target) ** 2).mean().backward()
        optimizer.step()
        ((by_rows(rows.take(batch)) - target) ** 2).mean().backward()
        rows.update(lr)
    assert not torch.allclose(by_rows.weight, dense.weight, atol=1e-6)  # rows that are behind
    rows.settle()
    torch.testing.assert_close(by_rows.weight, dense.weight, atol=1e-9, rtol=0)


def test_the_usual_eps_makes_no_difference_that_counts() -> None:
    dense, by_rows = _layers()
    optimizer = torch.optim.AdamW([dense.weight], lr=0.01, weight_decay=0.1)
    rows = TouchedRows(by_rows, 0.1)
    for batch, target in _batches(2):
        optimizer.zero_grad()
        ((dense(batch) - target) ** 2).mean().backward()
        optimizer.step()
        ((by_rows(rows.take(batch)) - target) ** 2).mean().backward()
        rows.update(0.01)
    rows.settle()
    apart = (by_rows.weight - dense.weight).detach().abs()
    assert float(apart.mean()) < 1e-6  # weights whose gradients are of the size of eps
    assert float(apart.max()) < 1e-3


def _fit(counts: Any, probs: Any, **options: Any) -> EndModel:
    return EndModel(TRIAGE, hidden_sizes=(16, 8), max_epochs=3, **options).fit(counts, probs)


def test_a_fit_by_rows_predicts_as_a_dense_one_and_is_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    data = words(TRIAGE, 400)
    dense = _fit(data.counts, data.probs)
    monkeypatch.setattr(_touched, "_LEAST_WEIGHTS", 0)
    taken: list[int] = []
    take = TouchedRows.take

    def counting(self: TouchedRows, rows: SparseRows) -> SparseRows:
        taken.append(len(rows.indices))
        return take(self, rows)

    monkeypatch.setattr(TouchedRows, "take", counting)
    by_rows, again = (_fit(data.counts, data.probs) for _ in range(2))
    assert len(taken) == 2 * 3 * 7
    np.testing.assert_allclose(
        by_rows.predict_proba(data.counts).end, dense.predict_proba(data.counts).end, atol=1e-4
    )
    for name, tensor in by_rows.network_.state_dict().items():
        assert torch.equal(tensor, again.network_.state_dict()[name])
    assert by_rows.network_.first_linear is not None
    assert by_rows.network_.first_linear.taken is None


def test_a_mini_batch_without_a_word_is_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_touched, "_LEAST_WEIGHTS", 0)
    data = words(TRIAGE, 40)
    model = _fit(sp.csr_array(data.counts.shape), data.probs)
    assert len(model.history_) == 3
