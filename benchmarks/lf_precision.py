"""How far to trust what the label model says of an LF's precision, on real matrices with gold labels.

    python benchmarks/lf_precision.py                  # trec youtube sms trec_fine clinc_tree
    python benchmarks/lf_precision.py trec openi

The label model is fitted without labels; its estimate of an LF's precision over all its votes is the mean
posterior probability that they are right. It is compared with gold, LF by LF, and so are the model's own
intervals. Last, how many known labels such an estimate is worth: were precisions drawn around it from a Beta
distribution of that strength, squared errors would be as large as they are (what sampling does to the gold figure
is taken off). Of LFs with at least 30 votes on records of known label; test records are left out.
"""

import argparse
import warnings
from collections.abc import Iterator

import numpy as np
from _matrices import TEST, Unavailable, WeakMatrix, load_all

import metalwork as mw

NAMES = ["trec", "youtube", "sms", "trec_fine", "clinc_tree"]
_LEAST = 30


def judged(matrix: WeakMatrix) -> Iterator[tuple[float, float, int, float, float]]:
    """Of each LF: precision by gold, as estimated, votes on known records, the ends of the model's interval."""
    votes = matrix.votes.rows(matrix.split != TEST)
    schema, known = votes.schema, votes.schema.known_codes(np.asarray(matrix.gold)[matrix.split != TEST])
    model = mw.HierarchicalLabelModel(schema).fit(votes)
    probs, intervals = model.predict_proba(votes), model.intervals(0.9)
    for j, task in enumerate(votes.tasks):
        rows = np.flatnonzero(votes.codes[:, j] >= 0)
        codes, truth = votes.codes[rows, j], known[rows, schema.task_index(task)]
        if votes.alphabets[j].plain and (n := int((truth != -1).sum())) >= _LEAST:
            joint = probs[task][rows]
            on = joint.sum(axis=1).mean()
            low, high = (on * getattr(intervals.accuracies[j], end) for end in ("low", "high"))
            right = (codes == truth)[truth != -1].mean()
            yield float(right), float(joint[np.arange(len(rows)), codes].mean()), n, low, high


def main() -> None:
    """Print a line a matrix, and what an estimate is worth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    warnings.simplefilter("ignore")
    spread = []
    print(f"{'matrix':12s} {'LFs':>4s} {'mean error':>10s} {'bias':>6s} {'in 90 % interval':>17s}")
    for name, matrix in load_all(parser.parse_args().names):
        if isinstance(matrix, Unavailable):
            print(f"{name:12s} {matrix}")
            continue
        gold, held, n, low, high = map(np.array, zip(*judged(matrix), strict=True))
        inside = ((gold >= low) & (gold <= high)).mean()
        error = f"{np.abs(held - gold).mean():10.3f} {(held - gold).mean():+6.3f}"
        print(f"{name:12s} {len(gold):4d} {error} {inside:17.0%}", flush=True)
        held = np.clip(held, 0.01, 0.99)
        spread.append(((gold - held) ** 2 - gold * (1 - gold) / n).mean() / (held * (1 - held)).mean())
    print(f"an estimate is worth {1 / np.mean(spread) - 1:.1f} known labels")


if __name__ == "__main__":
    main()
