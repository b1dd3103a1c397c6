"""The end model's training loop beside a bare hand-written PyTorch loop, on the same network and batches.

    python benchmarks/end_model.py             # word counts over 6,000, 40,000 and 100,000 words, dense features
    python benchmarks/end_model.py --rows 11314 --words 34000 --length 220 --epochs 1   # newsgroups

Both loops start from the same weights, see the same batches in the same order and use the same optimiser on one
thread; they take turns, and the ratio is of the medians. The bare loop knows no weights, no history, no learning
rate schedule, no dev set and no device. The figure to hold is 1.1.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from copy import deepcopy

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

import metalwork as mw
from metalwork.end_models._inputs import DenseInputs, Inputs, SparseInputs
from metalwork.end_models._optimisation import Optimisation, Schedule
from metalwork.end_models._tasks import InMemory
from metalwork.end_models._training import Trainer, threads
from metalwork.end_models.losses import head_targets
from metalwork.end_models.network import EndNetwork, SparseRows, compile_network
from metalwork.end_models.plan import compile_plan

LR, BATCH_SIZE, WEIGHT_DECAY, SEED = 1e-3, 64, 0.01, 0

SCHEMA = mw.TaskSchema.from_dict(
    {
        "task": "triage",
        "labels": [
            {"Acute": {"task": "acute", "labels": ["Urgent", "Emergent"]}},
            {"Non-acute": {"task": "non_acute", "labels": ["Normal", "Non-urgent"]}},
        ],
    }
)


def bare_loop_on_sparse(network: EndNetwork, matrix: sp.csr_array, targets: Tensor, epochs: int) -> float:
    """What one would write by hand for sparse rows; returns the last epoch's mean loss."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=LR, weight_decay=WEIGHT_DECAY, fused=True)
    order = torch.Generator().manual_seed(SEED)
    network.train()
    for _ in range(epochs):
        total, shuffled = 0.0, torch.randperm(matrix.shape[0], generator=order)
        for rows in shuffled.split(BATCH_SIZE):
            batch = matrix[rows.numpy()]
            tensors = [torch.from_numpy(part) for part in (batch.indices, batch.indptr, batch.data)]
            outputs = network(SparseRows(*tensors, matrix.shape[1]))  # type: ignore[arg-type]
            loss = -(targets[rows] * torch.cat(outputs, dim=1)).sum() / len(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
    return total / matrix.shape[0]


def bare_loop_on_dense(network: EndNetwork, matrix: Tensor, targets: Tensor, epochs: int) -> float:
    """What one would write by hand for dense rows; returns the last epoch's mean loss."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=LR, weight_decay=WEIGHT_DECAY, fused=True)
    order = torch.Generator().manual_seed(SEED)
    network.train()
    for _ in range(epochs):
        total, shuffled = 0.0, torch.randperm(len(matrix), generator=order)
        for rows in shuffled.split(BATCH_SIZE):
            outputs = network(matrix[rows])
            loss = -(targets[rows] * torch.cat(outputs, dim=1)).sum() / len(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
    return total / len(matrix)


def our_loop(network: EndNetwork, inputs: Inputs, targets: Tensor, epochs: int) -> float:
    """The loop that ``EndModel.fit`` runs; returns the last epoch's mean loss."""
    how = Optimisation(Schedule(LR), weight_decay=WEIGHT_DECAY)
    trainer = Trainer(network, InMemory(inputs, targets, None), how, BATCH_SIZE, epochs, SEED)
    trainer.fit(None, None, ())
    return float(trainer.history[-1]["loss"])


def compare(name: str, inputs: Inputs, n_features: int, epochs: int, repeats: int) -> float:
    """Run both loops in turn and print a line; returns ours / bare."""
    rng = np.random.default_rng(SEED)
    probs = mw.TaskProbabilities(rng.dirichlet(np.ones(SCHEMA.n_end_labels), len(inputs)), SCHEMA)
    torch.manual_seed(SEED)
    plan = compile_plan(SCHEMA, "hier", n_features)
    start, targets = compile_network(plan, SCHEMA), head_targets(plan, probs)

    def bare(network: EndNetwork) -> float:
        if isinstance(inputs, SparseInputs):
            return bare_loop_on_sparse(network, inputs.matrix, targets, epochs)
        assert isinstance(inputs, DenseInputs)
        return bare_loop_on_dense(network, torch.from_numpy(inputs.array), targets, epochs)

    loops: dict[str, Callable[[EndNetwork], float]] = {
        "bare": bare,
        "ours": lambda network: our_loop(network, inputs, targets, epochs),
    }
    seconds: dict[str, list[float]] = {"bare": [], "ours": []}
    for repeat in range(repeats + 1):  # the first is to warm up
        for which in ("bare", "ours") if repeat % 2 else ("ours", "bare"):
            network = deepcopy(start)
            before = time.process_time()
            loops[which](network)
            if repeat:
                seconds[which].append(time.process_time() - before)
    medians = {which: statistics.median(times) for which, times in seconds.items()}
    ratio = medians["ours"] / medians["bare"]
    print(f"{name:<28} bare {medians['bare']:7.3f} s   ours {medians['ours']:7.3f} s   ratio {ratio:.3f}")
    return ratio


def word_counts(n_points: int, n_words: int, length: int, rng: np.random.Generator) -> sp.csr_array:
    """Counts of texts of ``length`` words, whose frequencies fall as 1 / rank."""
    shares = 1.0 / np.arange(1, n_words + 1)
    words = rng.choice(n_words, n_points * length, p=shares / shares.sum()).astype(np.int32)
    starts = np.arange(0, n_points * length + 1, length, dtype=np.int32)
    counts = sp.csr_array((np.ones(len(words), np.float32), words, starts), shape=(n_points, n_words))
    counts.sum_duplicates()
    return counts


def main() -> None:
    """Print machine facts and one line a kind of input."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_630)
    parser.add_argument("--length", type=int, default=60, help="words of a text")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--words", type=int, nargs="*", default=[6_000, 40_000, 100_000])
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} cores, 1 thread, "
        f"{platform.machine()}; {options.rows:,} rows, {options.epochs} epochs, batches of {BATCH_SIZE}, "
        f"median CPU seconds of {options.repeats} runs each"
    )
    rng = np.random.default_rng(SEED)
    dense = rng.standard_normal((options.rows, 384), dtype=np.float32)
    with threads(1):
        for n_words in options.words:
            inputs = SparseInputs(word_counts(options.rows, n_words, options.length, rng))
            compare(f"sparse, {n_words:,} features", inputs, n_words, options.epochs, options.repeats)
        compare("dense, 384 features", DenseInputs(dense), 384, options.epochs, options.repeats)


if __name__ == "__main__":
    main()
