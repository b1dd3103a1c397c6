"""What label models find where the truth is known: votes simulated from their assumptions and the paper's.

    python benchmarks/label_model_recovery.py                        # every table
    python benchmarks/label_model_recovery.py --tables intervals --seeds 200
    python benchmarks/label_model_recovery.py --quick                # a few data sets each, in seconds

Tables:

- ``oracle``: trees from the default model's assumptions, class prior unknown: how far below the best guess that
  anyone could make who knows all parameters.
- ``paper``: trees from the paper's assumptions (off its branch, an LF is uniform over its outputs).
- ``coarse``: ten end labels a branch. A vote for a branch is one vote, however many end labels lie below.
- ``rate``: error of the estimates against the number of records, and the slope in log-log (-0.5: as 1 / sqrt(n)).
- ``starts``: how often EM of independent LFs ends at likelier votes when it starts elsewhere, even at the
  truth, with LFs good and bad.
- ``intervals``: share of 95 % intervals that hold the truth.
- ``copies``: one LF repeated, exactly or with noise: what it does to confidence and accuracy.
- ``real`` (with ``--matrices FOLDER``, see ``_matrices``): intervals against gold labels, LFs in doubt, and how
  many of the three LFs of most votes are found once their votes are turned to the next label.

Every data set has its own random parameters. All models run at their default settings.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from _peers import metal, quiet

import metalwork as mw
from metalwork.inference import Tree, code_votes, covered, known_counts
from metalwork.label_models import LabelModel
from metalwork.label_models._e_step import e_step
from metalwork.label_models._em import Stopping, likelihood_em, plain_em
from metalwork.label_models._independent import independent_m_step
from metalwork.label_models._rules import initial_rules, rules_m_step

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.simulated import Simulated, simulate

Floats = npt.NDArray[np.float64]


def _branches(n_below: int) -> mw.TaskSchema:
    labels = [{a: {"task": a, "labels": [f"{a}{i}" for i in range(n_below)]}} for a in ("left", "right")]
    return mw.TaskSchema.from_dict({"task": "root", "labels": labels})


def _deep() -> mw.TaskSchema:
    below: Any = {"task": "t5", "labels": ["e5", "f5"]}
    for level in (4, 3, 2, 1):
        below = {"task": f"t{level}", "labels": [f"a{level}", {f"below{level}": below}]}
    return mw.TaskSchema.from_dict(below)


SCHEMAS = {
    "flat, 2 labels": mw.TaskSchema.flat(["a", "b"]),
    "flat, 4 labels": mw.TaskSchema.flat(["a", "b", "c", "d"]),
    "tree, 2 levels": _branches(2),
    "tree, 5 levels": _deep(),
}


def sample(schema: mw.TaskSchema, n_points: int, seed: int, **settings: Any) -> Simulated:
    """Votes of independent LFs and a class prior that nobody is told."""
    rng = np.random.default_rng(seed)
    return simulate(rng, schema, n_points, prior=rng.dirichlet(np.full(schema.n_end_labels, 5.0)), **settings)


def sample_paper(schema: mw.TaskSchema, n_points: int, seed: int) -> Simulated:
    """Votes from the paper's model, five LFs a task: theta_lab in (-1, 1), theta_acc in (0.3, 1.2)."""
    rng = np.random.default_rng(seed)
    tables, log_prior = [], np.zeros(schema.n_end_labels)
    for t, k in enumerate(schema.n_labels):
        for _ in range(5):
            lab, acc = rng.uniform(-1, 1), rng.uniform(0.3, 1.2)
            weights = np.ones((k + 1, k + 1))
            weights[:k, :k] = np.exp(lab - acc)
            weights[np.arange(k), np.arange(k)] = np.exp(lab + acc)
            total = weights.sum(axis=1, keepdims=True)
            tables.append(weights / total)
            log_prior += np.log(np.where(schema.task_codes[:, t] >= 0, total[0, 0], total[k, 0]))
    prior = np.exp(log_prior - log_prior.max())
    return simulate(rng, schema, n_points, prior=prior / prior.sum(), given=tables)


def hits(proba: Floats, y: npt.NDArray[np.int64]) -> float:
    """Accuracy in percent, a tie counting as a share of a hit."""
    top = proba >= proba.max(axis=1, keepdims=True) - 1e-12
    return 100 * float((top[np.arange(len(y)), y] / top.sum(axis=1)).mean())


def accuracy(model: LabelModel, found: Simulated) -> float:
    """Of a fresh model on the votes it was fitted to, in percent."""
    return hits(np.asarray(model.fit(found.votes).predict_proba(found.votes).end), found.y)


def row(*cells: Any) -> None:
    """Print one line of a table."""
    print("| " + " | ".join(f"{c:.1f}" if isinstance(c, float) else str(c) for c in cells) + " |", flush=True)


def head(*cells: str) -> None:
    """Print a table's head."""
    print()
    row(*cells)
    print("|---" * len(cells) + "|")


def table_oracle(seeds: int) -> None:
    """Gap to the oracle."""
    head("votes", "records", "oracle", "hard vote", "soft vote", "default", "gap", "worst gap")
    for name, schema in SCHEMAS.items():
        for n_points in (1_000, 10_000):
            scores = []
            for seed in range(seeds):
                found = sample(schema, n_points, seed)
                models = (
                    mw.MajorityVote(schema),
                    mw.MajorityVote(schema, mode="soft"),
                    mw.HierarchicalLabelModel(schema),
                )
                scores.append([100 * found.oracle, *(accuracy(model, found) for model in models)])
            oracle, hard, soft, ours = np.mean(scores, axis=0).tolist()
            worst = float(max(first - last for first, *_, last in scores))
            row(name, f"{n_points:,}", oracle, hard, soft, ours, oracle - ours, worst)


def _metal(found: Simulated) -> float:
    quiet(0)
    return hits(metal(found.votes, 0), found.y)


def contenders(with_metal: bool) -> dict[str, Callable[[Simulated], float]]:
    """The label models beside the oracle; says where snorkel-metal is missing."""
    found: dict[str, Callable[[Simulated], float]] = {
        "soft vote": lambda f: accuracy(mw.MajorityVote(f.votes.schema, mode="soft"), f),
        "log-linear": lambda f: accuracy(mw.LogLinearLabelModel(f.votes.schema), f),
        "default": lambda f: accuracy(mw.HierarchicalLabelModel(f.votes.schema), f),
    }
    if not with_metal or find_spec("metal") is None:
        print("\nsnorkel-metal: skipped, it is not installed" if with_metal else "")
        return found
    return found | {"snorkel-metal": _metal}


def _beside(names: dict[str, mw.TaskSchema], draw: Callable[..., Simulated], seeds: int, with_metal: bool) -> None:
    models = contenders(with_metal)
    head("votes", "records", "oracle", *models)
    for name, schema in names.items():
        for n_points in (1_000, 10_000):
            found = [draw(schema, n_points, seed) for seed in range(seeds)]
            means = [float(np.mean([model(f) for f in found])) for model in models.values()]
            row(name, f"{n_points:,}", float(np.mean([100 * f.oracle for f in found])), *means)


def table_paper(seeds: int, with_metal: bool = True) -> None:
    """The paper's assumptions."""
    _beside(SCHEMAS, sample_paper, seeds, with_metal)


def table_coarse(seeds: int, with_metal: bool = True) -> None:
    """Two branches of one, three and ten end labels; five LFs a task."""
    trees = {f"{n} end labels a branch": _branches(n) for n in (2, 5, 10)}
    _beside(trees, sample, seeds, with_metal)


def rate(schema: mw.TaskSchema, sizes: tuple[int, ...], seeds: int) -> tuple[Floats, Floats]:
    """RMSE of accuracies and of the class prior, one figure a size each, of independent LFs."""
    errors = np.empty((2, len(sizes)))
    for i, n_points in enumerate(sizes):
        squares: list[list[float]] = [[], []]
        for seed in range(seeds):
            found = sample(schema, n_points, seed)
            model = mw.HierarchicalLabelModel(schema, kind="independent").fit(found.votes)
            squares[0] += ((model.accuracies_ - found.accuracies) ** 2).tolist()
            squares[1] += ((model.class_prior_ - found.share) ** 2).tolist()
        errors[:, i] = [np.sqrt(np.mean(part)) for part in squares]
    return errors[0], errors[1]


def slope(sizes: tuple[int, ...], errors: Floats) -> float:
    """Of log error against log size."""
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])


def table_rate(seeds: int, most: int = 1_000_000) -> None:
    """RMSE against n."""
    sizes = tuple(10**p for p in range(3, 7) if 10**p <= most)
    head("votes", "RMSE of", *(f"{n:,}" for n in sizes), "slope")
    for name, schema in SCHEMAS.items():
        for what, errors in zip(("accuracies", "class prior"), rate(schema, sizes, seeds), strict=True):
            row(name, what, *(f"{e:.4f}" for e in errors), f"{slope(sizes, errors):.2f}")


def likelihoods(found: Simulated) -> list[float]:
    """Log likelihood of all votes where EM ends: from the fit of rules, first guesses, the truth."""
    votes, schema = found.votes, found.votes.schema
    model = mw.HierarchicalLabelModel(schema, kind="independent").fit(votes)
    assert model._counts is not None
    assert model._learned is not None
    tree, rows, priors = Tree.of(schema), model._counts.coded(), model._learned.priors
    n_points, voted_on = float(votes.n_points), covered(rows)
    rules, independent = (
        partial(rules_m_step, voted_on, priors=priors),
        partial(independent_m_step, rows, priors=priors),
    )
    usual, guessed = (
        plain_em(e_step(tree, voted_on), rules, initial_rules(voted_on, priors), Stopping(n_steps, 1e-6))
        for n_steps in (100, 1)
    )
    known = known_counts(code_votes(model._layout(), votes.codes), schema.task_codes[found.y], 1.0)
    true = usual._replace(**dict(zip(("tables", "log_prior"), independent(known), strict=True)))
    to_the_end = Stopping(1_000, 1e-4 / votes.n_points)
    fits = [
        likelihood_em(e_step(tree, rows), independent, f, to_the_end, n_points) for f in (usual, guessed, true)
    ]
    return [n_points * fit.log_likelihoods[-1] for fit in fits]


def table_starts(seeds: int) -> None:
    """Several starts of EM."""
    head("votes", "accuracies", "data sets", "likelier from first guesses", "likelier from the truth")
    for low, high in ((0.65, 0.9), (0.4, 0.9), (0.3, 0.95)):
        for name, schema in SCHEMAS.items():
            ends = [
                likelihoods(sample(schema, n_points, seed, accuracy=(low, high)))
                for n_points in (300, 1_000, 5_000)
                for seed in range(seeds)
            ]
            gains = np.array(ends)[:, 1:] - np.array(ends)[:, :1]
            row(name, f"{low} to {high}", len(ends), *(gains > 1.0).sum(axis=0).tolist())


def coverage(schema: mw.TaskSchema, n_points: int, seeds: int, kind: str) -> tuple[Floats, Floats]:
    """For each data set, the share of 95 % intervals that hold the truth: accuracies, class prior."""
    shares = np.empty((2, seeds))
    for seed in range(seeds):
        found = sample(schema, n_points, seed)
        intervals = mw.HierarchicalLabelModel(schema, kind=kind).fit(found.votes).intervals()
        pairs = ((intervals.accuracies, found.accuracies), (intervals.class_prior, found.share))
        for i, (parts, truth) in enumerate(pairs):
            shares[i, seed] = np.mean([p.low <= t <= p.high for p, t in zip(parts, truth, strict=True)])
    return shares[0], shares[1]


def table_intervals(seeds: int) -> None:
    """Coverage."""
    head("votes", "records", "kind", "accuracies: covered, %", "class prior: covered, %")
    for kind in ("independent", "rules"):
        for name, schema in SCHEMAS.items():
            for n_points in (1_000, 10_000):
                found = coverage(schema, n_points, seeds, kind)
                row(name, f"{n_points:,}", kind, *(100 * float(part.mean()) for part in found))


def with_copies(found: Simulated, n_copies: int, noise: float, seed: int = 0) -> mw.LabelMatrix:
    """The first LF again, ``n_copies`` times; of a copy's votes ``noise`` are drawn anew, abstains being kept."""
    rng = np.random.default_rng(seed)
    votes, columns = found.votes, []
    for _ in range(n_copies):
        copy = votes.codes[:, 0].copy()
        anew = (copy >= 0) & (rng.random(len(copy)) < noise)
        copy[anew] = rng.integers(len(votes.schema.labels(votes.tasks[0])), size=int(anew.sum()))
        columns.append(copy)
    codes = np.column_stack([votes.codes, *columns])
    return mw.LabelMatrix(codes, votes.schema, [*votes.tasks, *[votes.tasks[0]] * n_copies])


def table_copies(seeds: int) -> None:
    """Copies of one LF."""
    head(
        "votes", "copies", "drawn anew, %", "accuracy", "mean confidence", "confidence - accuracy", "dependent",
        "counted once",
    )  # fmt: skip
    for name in ("flat, 2 labels", "tree, 2 levels"):
        for n_copies, noise in ((0, 0.0), (1, 0.0), (2, 0.0), (5, 0.0), (5, 0.1), (5, 0.3), (5, 0.6)):
            figures = []
            for seed in range(seeds):
                found = sample(SCHEMAS[name], 5_000, seed)
                votes = with_copies(found, n_copies, noise, seed)
                model = mw.HierarchicalLabelModel(votes.schema).fit(votes)
                end = np.asarray(model.predict_proba(votes).end)
                pairs = n_copies * (n_copies + 1) / 2
                named = [len(model.diagnose().dependent), len(model.repeated_)]
                figures.append(
                    [hits(end, found.y), 100 * end.max(axis=1).mean(), *(n / max(pairs, 1) for n in named)]
                )
            score, confidence, dependent, once = np.mean(figures, axis=0).tolist()
            shares = [f"{share:.0%}" if n_copies else "-" for share in (dependent, once)]
            row(name, n_copies, f"{100 * noise:.0f}", score, confidence, confidence - score, *shares)


def _gold_accuracies(votes: mw.LabelMatrix, gold: npt.NDArray[np.int64]) -> Floats:
    """Of each LF's votes where its task applies, the share that is right; NaN under 30 of them."""
    found = np.full(votes.n_lfs, np.nan)
    for j, task in enumerate(votes.tasks):
        label = np.where(gold >= 0, votes.schema.task_codes[gold, votes.schema.task_index(task)], -2)
        on = (votes.codes[:, j] >= 0) & (label >= 0)
        if on.sum() >= 30:
            found[j] = (votes.codes[on, j] == label[on]).mean()
    return found


def _turned(votes: mw.LabelMatrix, j: int) -> mw.LabelMatrix:
    codes = votes.codes.astype(np.int64)
    voted = codes[:, j] >= 0
    codes[voted, j] = (codes[voted, j] + 1) % len(votes.schema.labels(votes.tasks[j]))
    return mw.LabelMatrix(codes, votes.schema, votes.tasks, votes.names)


def _diagnosis(votes: mw.LabelMatrix) -> tuple[mw.HierarchicalLabelModel, list[str]]:
    model = mw.HierarchicalLabelModel(votes.schema).fit(votes)
    return model, [doubt.lf for doubt in model.diagnose().doubtful]


def table_real(folder: Path) -> None:
    """Real label matrices; gold labels only judge."""
    head(
        "matrix",
        "reading",
        "accuracies: covered",
        "class prior: covered",
        "in doubt",
        "turned: found",
        "others named",
    )
    total = np.zeros(8)
    for path in sorted(folder.glob("*/votes.npz")):
        votes, gold = mw.LabelMatrix.load(path), np.load(path.parent / "gold.npy")
        if votes.schema.n_end_labels > 100:
            continue  # minutes each
        model, doubted = _diagnosis(votes)
        intervals, truth = model.intervals(), _gold_accuracies(votes, gold)
        share = np.bincount(gold[gold >= 0], minlength=votes.schema.n_end_labels) / (gold >= 0).sum()
        scored = [one.low <= t <= one.high for one, t in zip(intervals.accuracies, truth, strict=True) if t == t]
        shares = [one.low <= t <= one.high for one, t in zip(intervals.class_prior, share, strict=True)]
        widest = np.argsort(-(votes.codes >= 0).sum(axis=0), kind="stable")[:3].tolist()
        named = [(votes.names[j], _diagnosis(_turned(votes, j))[1]) for j in widest]
        hit = sum(name in names for name, names in named)
        others = sum(len(names) for _, names in named) - hit
        counts = [sum(scored), len(scored), sum(shares), len(shares), len(doubted), hit, len(named), others]
        total += counts
        _real_row(path.parent.name, model.kind_, np.array(counts))
    _real_row("all", "", total)


def _real_row(name: str, reading: str, counts: Floats) -> None:
    held, scored, shares, labels, doubted, hit, named, others = counts.astype(int).tolist()
    row(name, reading, f"{held} of {scored}", f"{shares} of {labels}", doubted, f"{hit} of {named}", others)


def main() -> None:
    """Print the tables asked for."""
    tables: dict[str, tuple[Callable[..., None], int, dict[str, Any]]] = {
        "oracle": (table_oracle, 20, {}),
        "paper": (table_paper, 10, {"with_metal": False}),
        "coarse": (table_coarse, 10, {"with_metal": False}),
        "rate": (table_rate, 8, {"most": 10_000}),
        "starts": (table_starts, 10, {}),
        "intervals": (table_intervals, 200, {}),
        "copies": (table_copies, 10, {}),
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", choices=tables, default=list(tables))
    parser.add_argument("--seeds", type=int, help="data sets a line; by default 8 to 200, by table")
    parser.add_argument("--quick", action="store_true", help="3 data sets a line, the small sizes, no peers")
    parser.add_argument("--matrices", type=Path, help="a folder of real label matrices: print only their table")
    asked = parser.parse_args()
    if asked.matrices:
        table_real(asked.matrices)
        return
    for name in asked.tables:
        make, seeds, quick = tables[name]
        print(f"\n{name}")
        make(asked.seeds or (3 if asked.quick else seeds), **(quick if asked.quick else {}))


if __name__ == "__main__":
    main()
