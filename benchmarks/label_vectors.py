"""Task graphs by enumeration: what the label model costs over 64 to 4,096 feasible label vectors.

    python benchmarks/label_vectors.py                       # 64, 256, 1,024 and 4,096 vectors, 10,000 records
    python benchmarks/label_vectors.py --bits 6 --rows 100000

As many tasks of two labels as it takes, all combinations feasible. 24 LFs, each votes on three records in ten and
is right on eight in ten of these. Each size runs in a process of its own; memory is its highest resident size,
the interpreter and its libraries included.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

import metalwork as mw

_LFS, _COVERAGE, _ACCURACY = 24, 0.3, 0.8
_COLUMNS = ("vectors", "rows", "fit CPU s", "predict CPU s", "peak MB", "accuracy of a task", "of the hard vote")


def work(n_tasks: int, n_points: int) -> dict[str, float]:
    """CPU seconds, memory and accuracy in this process."""
    vectors = mw.FeasibleLabels.where({f"t{i}": ["a", "b"] for i in range(n_tasks)}, lambda vector: True)
    rng = np.random.default_rng(0)
    truth = vectors.states[rng.integers(0, len(vectors), n_points)]
    answered = [j % n_tasks for j in range(_LFS)]
    votes = np.where(rng.random((n_points, _LFS)) < _ACCURACY, truth[:, answered], 1 - truth[:, answered])
    codes = np.where(rng.random((n_points, _LFS)) < _COVERAGE, votes, mw.ABSTAIN)
    matrix = vectors.votes(codes, [f"t{t}" for t in answered])
    start = time.process_time()
    model = mw.HierarchicalLabelModel(vectors.schema).fit(matrix)
    fitted = time.process_time()
    probs = model.predict_proba(matrix)
    predicted = time.process_time()
    found = np.stack([vectors.marginal(probs, f"t{t}").argmax(axis=1) for t in range(n_tasks)], axis=1)
    tally = np.stack(
        [np.where(codes >= 0, 2 * codes - 1, 0)[:, np.equal(answered, t)].sum(axis=1) for t in range(n_tasks)],
        axis=1,
    )
    hard = np.where(tally == 0, rng.integers(0, 2, tally.shape), tally > 0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = (len(vectors), n_points, fitted - start, predicted - fitted, peak)
    return dict(
        zip(_COLUMNS, (*figures, float(np.mean(found == truth)), float(np.mean(hard == truth))), strict=True)
    )


def main() -> None:
    """Run each size in a process of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bits", type=int, nargs="+", default=[6, 8, 10, 12], help="tasks of two labels")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker is not None:
        print(json.dumps(work(options.worker, options.rows)))
        return
    print("| " + " | ".join(_COLUMNS) + " |\n|" + "---|" * len(_COLUMNS))
    for n_tasks in options.bits:
        command = [sys.executable, __file__, "--rows", str(options.rows), "--worker", str(n_tasks)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        figures = json.loads(done.stdout)
        shown = [f"{value:,.0f}" if value >= 20 else f"{value:.3g}" for value in figures.values()]
        print("| " + " | ".join(shown) + " |", flush=True)


if __name__ == "__main__":
    main()
