"""Do suspect dev labels turn out to be wrong? A tenth of them is altered, and looked for.

    python benchmarks/suspect_labels.py                # openi reuters, three draws each

Each altered label becomes another one, drawn at random; label model and network are fitted with the altered
labels, as they would be. ``run.records(suspect=True)`` is compared with its control: all records that the network
labels otherwise. The test split is left out.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np

import metalwork as mw
from metalwork import examples
from metalwork.pipeline import Job, load_project


def altered(name: str, seed: int) -> tuple[mw.Run, set[int]]:
    """A run of an example whose dev labels are partly wrong, and on which rows."""
    job = Job.of_project(load_project(Path(examples.__file__).parent / name / "project.yaml"))
    train, dev = job.split("train"), job.split("dev")
    rng, labels = np.random.default_rng(seed), job.schema.end_of(job.known_labels("dev"))
    wrong = (rng.random(len(labels)) < 0.1) & (labels >= 0)
    labels[wrong] += rng.integers(1, job.schema.n_end_labels, wrong.sum())
    labels[wrong] %= job.schema.n_end_labels
    run = mw.Run.of(
        job.space,
        job.labeling_functions,
        train=train.records,
        dev=(dev.records, [None if code < 0 else job.schema.end_labels[code] for code in labels]),
        features=job.features,
        label_model=job.label_model,
        end_model=job.end_model,
    )
    return run.evaluate(), set(np.flatnonzero(wrong).tolist())


def main() -> None:
    """Print a line an example: altered labels, those found and those named in vain, of all draws together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["openi", "reuters"])
    warnings.simplefilter("ignore")
    print(f"{'example':10s} {'altered':>7s} {'suspect: found, in vain':>26s} {'control: found, in vain':>26s}")
    for name in parser.parse_args().names:
        counts = np.zeros(5, int)
        for seed in range(3):
            run, wrong = altered(name, seed)
            page = run.records(split="dev", known=True, limit=100_000)
            differs = {record.row for record in page.records if record.end_predicted != record.known}
            suspect = {record.row for record in run.records(suspect=True, limit=100_000).records}
            counts += [len(wrong), *(len(f & w) for f in (suspect, differs) for w in (wrong, f - wrong))]
        print(
            f"{name:10s} {counts[0]:7d} {counts[1]:20d}, {counts[2]:4d} {counts[3]:20d}, {counts[4]:4d}",
            flush=True,
        )


if __name__ == "__main__":
    main()
