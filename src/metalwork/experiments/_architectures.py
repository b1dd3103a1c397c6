"""The paper's three architectures beside their controls, where a share of the records has coarse labels only."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

import metalwork as mw
from metalwork.end_models import Plan, compile_plan
from metalwork.errors import ConfigError
from metalwork.experiments._protocol import Progress, check_whole, default_jobs, versions
from metalwork.experiments._shares import SharesTable
from metalwork.experiments._tables import Results, Row
from metalwork.experiments._trees import TREES, Codes, TreeData, load_tree
from metalwork.experiments._trials import run_jobs
from metalwork.schema import unknown_name

PAPER_SIZES: Final = (250, 50)
_THREE: Final = 3
_SHARPNESS: Final = 10.0
"""Of soft labels: in a tree of two levels, a sibling gets exp(-5) of what the label itself gets."""
_ALL: Final = "fine labels"
_SOFT: Final = "label model"
_DEFAULT: Final = "One layer, all heads (default)"

NOTES: Final = (
    "Test accuracy on end labels in percent: mean ± half the 95 % interval over the trials (Student's t). A trial "
    "draws which records keep their fine label, the others keep the label above it, and seeds the network; "
    "all networks of a trial learn from the same labels, so differences are taken trial by trial.",
    "Words are those of the training texts; no dev records, the last epoch counts. The paper's sizes are layers "
    "of 250 and 50 units.",
    "Balanced: finer labels weigh more where few records have them (EndModel's balance_levels). Spread: a coarse "
    "label is given as equal probabilities of the end labels below it, so no head is left out.",
    "Fine records alone: those with a coarse label are left out. Soft: each end label shares its probability with "
    "those near it in the tree, exp(-10 d) for a distance d in [0, 1] (Bertinetto et al., 2020); a coarse label "
    "is the mean of those below it.",
)


@dataclass(frozen=True)
class Arm:
    """One network and what it makes of labels; ``sizes`` None: one layer, with HierMTL's parameters."""

    architecture: str
    sizes: tuple[int, ...] | None = PAPER_SIZES
    balanced: bool = False
    spread: bool = False
    fine_alone: bool = False
    soft: bool = False


ARMS: Final[Mapping[str, Arm]] = {
    "SingleTask": Arm("single"),
    "FlatMTL": Arm("flat"),
    "HierMTL": Arm("hier"),
    "HierMTL, heads read no other": Arm("levels"),
    "HierMTL, layers of 250": Arm("hier", (250, 250)),
    "FlatMTL, layers of 250": Arm("flat", (250, 250)),
    "One layer, one head, as many parameters as HierMTL": Arm("single", None),
    "One layer, all heads, not balanced": Arm("tree", (250,)),
    "One layer, all heads, coarse labels spread": Arm("tree", (250,), spread=True),
    "One layer, one head, soft hierarchical labels": Arm("single", None, soft=True),
    "One layer, one head, fine records alone": Arm("single", None, fine_alone=True),
    "One layer, all heads, fine records alone": Arm("tree", (250,), fine_alone=True),
    "HierMTL, balanced": Arm("hier", balanced=True),
    _DEFAULT: Arm("tree", (250,), balanced=True),
}


@dataclass(frozen=True)
class TreeJob:
    """One network to train and score."""

    features: Any
    labels: Any
    schema: mw.TaskSchema
    test: tuple[Any, Codes]
    options: Mapping[str, Any]


def run_tree_job(job: TreeJob) -> float:
    """Test accuracy."""
    model = mw.EndModel(job.schema, **job.options).fit(job.features, job.labels)
    return model.score(*job.test)


def compare_architectures(
    name: str, trials: int = 5, seed: int = 0, progress: Progress | None = None, n_jobs: int | None = None
) -> Results:
    """Train the paper's architectures and their controls on one tree, at several shares of coarse labels.

    Parameters
    ----------
    name : {"clinc", "trec", "reuters-topics", "openi", "rcv1", "reuters"}
        The first three are trained on gold labels, the others on those of their label model.
    trials : int, default 5
    seed : int, at least 0
    progress, n_jobs
        As of :func:`metalwork.experiments.reproduce`.

    Raises
    ------
    ConfigError
        For an unknown name, or a number out of range.
    DataError
        When the data set is not on this machine.
    """
    if name not in TREES:
        raise ConfigError(unknown_name("data set", name, TREES))
    check_whole("trials", trials, 1)
    check_whole("seed", seed, 0)
    start = time.perf_counter()
    data = load_tree(name)
    found = _run(data, trials, seed, progress, n_jobs or default_jobs())
    plans = {method: plan_of(arm, data) for method, arm in ARMS.items()}
    parameters = {method: plan.n_parameters for method, plan in plans.items()}
    table = SharesTable("Accuracy", "on end labels", found, "", parameters)
    gains = table.minus(_DEFAULT, "Difference", f"from {_DEFAULT[0].lower()}{_DEFAULT[1:]}, paired by trial")
    return Results(
        name=f"architectures-{name}",
        trials=trials,
        seed=seed,
        tables=(table, gains),
        facts=data.facts,
        settings={"networks": {method: vars(arm) for method, arm in ARMS.items()}, "versions": versions()},
        notes=NOTES,
        seconds=time.perf_counter() - start,
        command=f"metalwork reproduce architectures --data {name}",
        figures="mean ± half the 95 % interval",
    )


def plan_of(arm: Arm, data: TreeData) -> Plan:
    """The network of an arm for these records."""
    n_features = data.features.shape[1]
    if arm.sizes is not None:
        return compile_plan(data.schema, arm.architecture, n_features, arm.sizes)
    wanted = compile_plan(data.schema, "hier", n_features, PAPER_SIZES).n_parameters
    less, more = (compile_plan(data.schema, arm.architecture, n_features, (n,)).n_parameters for n in (1, 2))
    size = max(1, 1 + (wanted - less) // (more - less))  # parameters are linear in the size of one layer
    return compile_plan(data.schema, arm.architecture, n_features, (size,))


def softened(schema: mw.TaskSchema) -> npt.NDArray[np.float64]:
    """What each end label becomes: probabilities (n_end_labels, n_end_labels) that fall with distance in the tree.

    Bertinetto et al., "Making Better Mistakes" (2020): the distance is the height of the lowest common ancestor,
    over that of the tree.
    """
    codes = schema.task_codes
    shared = ((codes[:, None] == codes[None]) & (codes[None] >= 0)).sum(axis=2)
    height = shared.max()
    distance = (height - shared) / height
    np.fill_diagonal(distance, 0.0)
    near = np.exp(-_SHARPNESS * distance)
    return np.asarray(near / near.sum(axis=1, keepdims=True), dtype=np.float64)


def settings_of(data: TreeData) -> tuple[str, ...]:
    """What the networks learn from: a share of coarse labels each."""
    soft = () if data.probs is None else (_SOFT,)
    return (*soft, _ALL, "50 % coarse only", "90 % coarse only", "3 fine a label")


def known_labels(data: TreeData, setting: str, rng: np.random.Generator) -> Codes:
    """What is known of each record (n_train, n_tasks) in a setting: some labels lack their last task.

    Of each end label the same share is left fine, but at least one record; labels of the root task stay.
    """
    known: Codes = data.schema.task_codes[data.labels].astype(np.int64)
    depth = np.cumsum(known >= 0, axis=1)
    for label in np.unique(data.labels):
        own = rng.permutation(np.flatnonzero(data.labels == label))
        if setting in (_ALL, _SOFT):
            continue
        kept = _THREE if setting.startswith("3") else max(1, round(len(own) * (1 - int(setting[:2]) / 100)))
        coarse = own[kept:]
        lowest = int(np.argmax(depth[own[0]] == depth[own[0], -1]))
        if depth[own[0], -1] > 1:
            known[coarse, lowest] = mw.ABSTAIN
    return known


def _run(data: TreeData, trials: int, seed: int, progress: Progress | None, n_jobs: int) -> tuple[Row, ...]:
    """Rows of all arms; those that differ in what they make of coarse labels share fits where there are none."""
    seeds = [int(state) for state in np.random.SeedSequence(seed).generate_state(trials)]
    jobs: dict[tuple[Arm, str, int], TreeJob] = {}
    for trial in seeds:
        rng = np.random.default_rng(trial)
        for setting in settings_of(data):
            known = known_labels(data, setting, rng)
            for arm in ARMS.values():
                key = (_as_it_counts(arm, setting), setting, trial)
                if key not in jobs:
                    jobs[key] = _job(data, key[0], setting, known, trial)
    keys = list(jobs)

    def done(position: int) -> None:
        if progress is not None:
            progress(next(count), len(keys), f"trained {keys[position][0].architecture}, {keys[position][1]}")

    count: Iterator[int] = iter(range(1, len(keys) + 1))
    found = dict(zip(keys, run_jobs(run_tree_job, list(jobs.values()), n_jobs, done), strict=True))

    def values(arm: Arm, setting: str) -> tuple[float, ...]:
        return tuple(found[_as_it_counts(arm, setting), setting, trial] for trial in seeds)

    return tuple(
        Row(method, {setting: values(arm, setting) for setting in settings_of(data)})
        for method, arm in ARMS.items()
    )


def _as_it_counts(arm: Arm, setting: str) -> Arm:
    if setting == _SOFT:
        return replace(arm, balanced=False, spread=False, fine_alone=False, soft=False)
    return replace(arm, balanced=False, spread=False, fine_alone=False) if setting == _ALL else arm


def _job(data: TreeData, arm: Arm, setting: str, known: Codes, seed: int) -> TreeJob:
    features: Any = data.features
    labels: Any = known
    if setting == _SOFT:
        labels = data.probs
    elif arm.spread or arm.soft:
        admitted = data.schema.admits(known)
        shares = admitted / admitted.sum(axis=1, keepdims=True)
        labels = mw.TaskProbabilities(shares @ softened(data.schema) if arm.soft else shares, data.schema)
    elif arm.fine_alone:
        fine = np.flatnonzero(data.schema.end_of(known) >= 0)
        features, labels = features[fine], known[fine]
    sizes = tuple(layer.size for layer in plan_of(arm, data).layers)
    options = {
        "architecture": arm.architecture,
        "hidden_sizes": sizes,
        "balance_levels": arm.balanced,
        "random_state": seed,
    }
    return TreeJob(features, labels, data.schema, (data.test_features, data.test_labels), options)
