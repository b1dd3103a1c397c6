"""The compiled network against sums written out by hand."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from metalwork.end_models import EndNetwork, InputLinear, SparseRows, compile_network, compile_plan
from metalwork.end_models._inputs import SparseInputs
from metalwork.schema import TaskSchema
from tests.unit.end_models.samples import FLAT, TRIAGE, UNEVEN, chain


def build(schema: TaskSchema, architecture: str = "hier") -> EndNetwork:
    torch.manual_seed(0)
    return compile_network(compile_plan(schema, architecture, 6, (5, 4)), schema).eval()


def rows(n_rows: int = 3) -> Tensor:
    return torch.randn(n_rows, 6, generator=torch.Generator().manual_seed(1))


def test_children_feed_parents_and_the_root_sits_on_top() -> None:
    network, x = build(TRIAGE), rows()
    first, second = network.layers
    low = first(x)
    acute, other = network.heads[1](low), network.heads[2](low)
    top = torch.cat([second(low), acute.softmax(1), other.softmax(1)], dim=1)
    expected = [network.heads[0](top), acute, other]
    for output, logits in zip(network(x), expected, strict=True):
        torch.testing.assert_close(output, logits.log_softmax(1))


def test_the_root_loss_reaches_the_childrens_heads_in_hier_alone() -> None:
    for architecture, reached in [("hier", True), ("flat", False)]:
        network = build(TRIAGE, architecture)
        network(rows())[0][:, 0].sum().backward()
        assert (network.heads[1].weight.grad is not None) is reached


@pytest.mark.parametrize("schema", [TRIAGE, UNEVEN, FLAT, chain(5)], ids=["triage", "uneven", "flat", "chain"])
@pytest.mark.parametrize("architecture", ["hier", "flat"])
def test_an_end_label_has_the_product_of_its_paths_probabilities(schema: TaskSchema, architecture: str) -> None:
    network = build(schema, architecture)
    with torch.no_grad():
        outputs = network(rows())
        found = network.end_log_proba(outputs).exp().numpy()
    heads = {head.task: output.exp().numpy() for head, output in zip(network.plan.heads, outputs, strict=True)}
    expected = np.ones_like(found)
    for end, codes in enumerate(schema.task_codes):
        for task, code in zip(schema.tasks, codes, strict=True):
            if code >= 0:
                expected[:, end] *= heads[task][:, code]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)


def test_single_puts_out_end_labels_themselves() -> None:
    network = build(UNEVEN, "single")
    outputs = network(rows())
    assert torch.equal(network.end_log_proba(outputs), outputs[0])


def sparse_and_dense() -> tuple[SparseRows, Tensor]:
    matrix = sp.csr_array(np.array([[0, 2, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 4]], dtype=np.float32))
    batch = SparseInputs(matrix).batch(np.arange(3))
    return batch, torch.from_numpy(matrix.toarray())


def test_sparse_rows_give_what_dense_rows_give() -> None:
    sparse, dense = sparse_and_dense()
    assert torch.equal(sparse.dense(), dense)
    layer = InputLinear(6, 4)
    torch.testing.assert_close(layer(sparse), layer(dense))
    gradients = []
    for batch in (sparse, dense):
        layer.zero_grad()
        (layer(batch) ** 2).sum().backward()
        assert layer.weight.grad is not None
        gradients.append(layer.weight.grad.clone())
    torch.testing.assert_close(*gradients)


def test_input_dropout_leaves_words_out_in_training_alone() -> None:
    sparse, dense = sparse_and_dense()
    layer = InputLinear(6, 4, dropout=0.5)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = [layer(batch)[2] for batch in (sparse, dense) for _ in range(20)]
    assert len({tuple(row.tolist()) for row in drawn}) > 2
    layer.eval()
    torch.testing.assert_close(layer(sparse), layer(dense))
    assert torch.equal(layer(sparse), layer(sparse))


def test_every_module_can_be_replaced() -> None:
    made: list[tuple[str, int, int]] = []

    def layer(n_in: int, n_out: int) -> nn.Module:
        made.append(("layer", n_in, n_out))
        return nn.Sequential(nn.Linear(n_in, n_out), nn.Tanh())

    def head(n_in: int, n_out: int) -> nn.Module:
        made.append(("head", n_in, n_out))
        return nn.Linear(n_in, n_out, bias=False)

    plan = compile_plan(TRIAGE, "hier", 8, (5, 4))
    network = compile_network(plan, TRIAGE, nn.Linear(6, 8), layer, head)
    assert made == [("layer", 8, 5), ("layer", 5, 4), ("head", 8, 2), ("head", 5, 2), ("head", 5, 2)]
    sparse, dense = sparse_and_dense()
    torch.testing.assert_close(network(sparse), network(dense))


def test_a_replaced_first_layer_is_handed_dense_mini_batches() -> None:
    plan = compile_plan(FLAT, "hier", 6, (4,))
    network = compile_network(plan, FLAT, None, nn.Linear)
    sparse, dense = sparse_and_dense()
    torch.testing.assert_close(network(sparse), network(dense))
