"""Label model on sparse votes: 1,000,000 rows, 2,000 LFs of 0.5 % coverage, in memory as a scipy CSR matrix.

    python benchmarks/label_model_sparse.py
    python benchmarks/label_model_sparse.py --rows 100000

3 tasks, 4 end labels; an LF votes five times as often on rows that its task applies to. The matrix is simulated in
the same process, which is not timed. Memory is the highest resident size during fit and predict, less the size
just before, the probabilities included.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from label_model import SCENARIOS, _resident
from scipy import sparse

import metalwork as mw
from metalwork.label_models import SparseVotes

_N_LFS, _COVERAGE = 2_000, 0.005
_COLUMNS = ("rows", "votes", "matrix MB", "fit s", "predict s", "total s", "CPU s", "MB above", "accuracy %")


def simulate(schema: mw.TaskSchema, n_points: int) -> tuple[SparseVotes, np.ndarray]:
    """Votes and gold end labels; where its task applies an LF is right in 50 to 90 % of its votes."""
    rng = np.random.default_rng(0)
    gold = rng.integers(schema.n_end_labels, size=n_points)
    task = rng.permutation(np.arange(_N_LFS) % schema.n_tasks)
    skill = rng.uniform(0.5, 0.9, _N_LFS)
    tries = rng.permutation(np.repeat(np.arange(n_points, dtype=np.int32), round(_N_LFS * _COVERAGE * 5 / 3)))
    lf = rng.integers(_N_LFS, size=len(tries), dtype=np.int32)
    truth = schema.task_codes[gold[tries], task[lf]]
    kept = (truth >= 0) | (rng.random(len(tries)) < 0.2)
    row, lf, truth = tries[kept], lf[kept], truth[kept]
    right = (truth >= 0) & (rng.random(len(row)) < skill[lf])
    codes = np.where(right, truth, rng.integers(2, size=len(row))).astype(np.int8) + np.int8(1)
    cell = row.astype(np.int64) * _N_LFS + lf
    first = np.unique(cell, return_index=True)[1]
    matrix = sparse.csr_array((codes[first], (row[first], lf[first])), shape=(n_points, _N_LFS))
    return SparseVotes(matrix, schema, [schema.tasks[t] for t in task]), gold


def main() -> None:
    """Print one Markdown row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    schema = SCENARIOS["tree"].schema()
    votes, gold = simulate(schema, options.rows)
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before, cpu, start = _resident("VmRSS"), time.process_time(), time.perf_counter()
    model = mw.HierarchicalLabelModel(schema).fit_parts(votes)
    fitted = time.perf_counter()
    end = np.concatenate([model.predict_proba(part).end for part in votes])
    done, cpu = time.perf_counter(), time.process_time() - cpu
    matrix = votes.matrix
    size = (matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes) / 1e6
    seconds = [f"{value:.1f}" for value in (fitted - start, done - fitted, done - start, cpu)]
    print("| " + " | ".join(_COLUMNS) + " |\n|" + "---|" * len(_COLUMNS))
    cells = [f"{options.rows:,}", f"{matrix.nnz:,}", f"{size:,.0f}", *seconds]
    cells += [f"{_resident('VmHWM') - before:,.0f}", f"{100 * (end.argmax(axis=1) == gold).mean():.1f}"]
    print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
