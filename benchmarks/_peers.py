"""Other people's label models behind one call: a label matrix in, end-label probabilities out.

Each runs with its default settings, sees no gold label and is told no class balance. Those that know flat label
sets only are fitted task by task and multiplied down the tree; a task with fewer labeling functions than a peer
accepts falls to the vote shares. Rows without a vote get equal probabilities.

Shims, so that the pins run on today's Python (the ``bench`` extra installs them): :func:`quiet`
gives back names that NumPy 2 and networkx 3 dropped; ``snorkel-metal`` gets its feasible label vectors from our
schema, for its own enumeration needs every root label to have a child task; ``hyperlm`` is shown the covered rows
only, for it drops empty rows at the end.
"""

import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import metalwork as mw

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flat = Callable[[Codes, int, int], Floats]


class Peer(NamedTuple):
    """A label model of another package; ``seeds`` is how many runs are averaged."""

    name: str
    module: str
    run: Callable[[mw.LabelMatrix, int], Floats]
    seeds: int = 1


def vote_shares(codes: Codes, n_labels: int) -> Floats:
    """Share of the votes that each label has (n_points, n_labels); equal where nobody voted."""
    tally = np.stack([(codes == c).sum(axis=1) for c in range(n_labels)], axis=1).astype(np.float64)
    tally[tally.sum(axis=1) == 0] = 1.0
    shares: Floats = tally / tally.sum(axis=1, keepdims=True)
    return shares


def down_the_tree(flat: Flat, fewest: int = 1) -> Callable[[mw.LabelMatrix, int], Floats]:
    """A flat label model made fit for trees: one fit a task, conditional probabilities multiplied."""

    def run(votes: mw.LabelMatrix, seed: int) -> Floats:
        schema = votes.schema
        end = np.ones((votes.n_points, schema.n_end_labels))
        for t, task in enumerate(schema.tasks):
            codes = votes.codes[:, votes.lfs_of(task)].astype(np.int64)
            n_labels = len(schema.labels(task))
            covered = (codes >= 0).any(axis=1)
            proba = np.full((votes.n_points, n_labels), 1.0 / n_labels)
            model = flat if codes.shape[1] >= fewest else lambda c, k, _: vote_shares(c, k)
            if covered.any():
                proba[covered] = _whole(model(codes[covered], n_labels, seed), n_labels)
            below = schema.task_codes[:, t]
            end *= np.where(below >= 0, proba[:, below], 1.0)
        return end

    return run


def _whole(proba: Floats, n_labels: int) -> Floats:
    """Rows made to sum to 1; a row that is not finite or all zero becomes equal."""
    proba = np.asarray(proba, dtype=np.float64)
    bad = ~np.isfinite(proba).all(axis=1) | (proba.sum(axis=1) <= 0)
    proba = np.where(bad[:, None], 1.0 / n_labels, np.clip(proba, 0.0, None))
    whole: Floats = proba / proba.sum(axis=1, keepdims=True)
    return whole


def snorkel(codes: Codes, n_labels: int, seed: int) -> Floats:
    """snorkel 0.10's LabelModel."""
    from snorkel.labeling.model import LabelModel

    model = LabelModel(cardinality=n_labels, verbose=False)
    model.fit(codes, seed=seed, progress_bar=False)
    return np.asarray(model.predict_proba(codes))


def metal(votes: mw.LabelMatrix, seed: int) -> Floats:
    """snorkel-metal 0.5's MTLabelModel on the whole tree; its LabelModel where there is one task."""
    from metal.label_model import LabelModel
    from metal.multitask import MTLabelModel

    covered = (votes.codes >= 0).any(axis=1)
    n_end = votes.schema.n_end_labels
    end = np.full((votes.n_points, n_end), 1.0 / n_end)
    matrices = metal_matrices(votes.rows(covered))
    if votes.schema.n_tasks == 1:
        flat = LabelModel(k=n_end, seed=seed, verbose=False)
        flat.train_model(matrices[0])
        end[covered] = _whole(flat.predict_proba(matrices[0]), n_end)
        return end
    model = MTLabelModel(task_graph=metal_graph(votes.schema), seed=seed, verbose=False)
    model.train_model(matrices)
    end[covered] = _whole(LabelModel.predict_proba(model, matrices), n_end)
    return end


def metal_matrices(votes: mw.LabelMatrix) -> list[npt.NDArray[np.int64]]:
    """One matrix (n_points, n_lfs) a task: labels 1..k where the LF votes on that task, else 0."""
    tasks = np.array(votes.tasks)
    return [np.where(tasks == task, votes.codes.astype(np.int64) + 1, 0) for task in votes.schema.tasks]


def metal_graph(schema: mw.TaskSchema) -> Any:
    """MeTaL's task graph, the value K standing for "does not apply" as its authors do."""
    from metal.multitask.task_graph import TaskGraph

    sizes = [n + 1 if t else n for t, n in enumerate(schema.n_labels)]
    vectors = np.where(schema.task_codes >= 0, schema.task_codes + 1, np.array(sizes))

    class SchemaGraph(TaskGraph):  # type: ignore[misc]
        def feasible_set(self) -> Iterator[Codes]:
            yield from vectors

    return SchemaGraph(sizes, [])


def _crowd(codes: Codes, n_labels: int, model: Any) -> Floats:
    import pandas as pd

    rows, workers = np.nonzero(codes >= 0)
    frame = pd.DataFrame({"task": rows, "worker": workers, "label": codes[rows, workers]})
    proba = model.fit_predict_proba(frame)
    whole = proba.reindex(index=range(len(codes)), columns=range(n_labels)).fillna(0.0)
    return np.asarray(whole.to_numpy(), dtype=np.float64)


def dawid_skene(codes: Codes, n_labels: int, seed: int) -> Floats:
    """crowd-kit's Dawid-Skene; an abstain is a missing answer."""
    from crowdkit.aggregation import DawidSkene

    return _crowd(codes, n_labels, DawidSkene())


def glad(codes: Codes, n_labels: int, seed: int) -> Floats:
    """crowd-kit's GLAD."""
    from crowdkit.aggregation import GLAD

    return _crowd(codes, n_labels, GLAD())


def mace(codes: Codes, n_labels: int, seed: int) -> Floats:
    """crowd-kit's MACE."""
    from crowdkit.aggregation import MACE

    return _crowd(codes, n_labels, MACE(random_state=seed))


def flying_squid(codes: Codes, n_labels: int, seed: int) -> Floats:
    """FlyingSquid, one label against the rest where there are more than two."""
    from flyingsquid.label_model import LabelModel

    def one(positive: int, balance: float) -> Floats:
        signs = np.where(codes == positive, 1, np.where(codes >= 0, -1, 0))
        model = LabelModel(codes.shape[1], triplet_seed=seed)
        model.fit(signs, class_balance=np.array([1 - balance, balance]))
        return np.asarray(model.predict_proba_marginalized(signs), dtype=np.float64)

    if n_labels == 2:
        spam = one(1, 0.5)
        return np.stack([1 - spam, spam], axis=1)
    return np.stack([one(c, 1 / n_labels) for c in range(n_labels)], axis=1)


def hyperlm(codes: Codes, n_labels: int, seed: int) -> Floats:
    """The pretrained Hyper Label Model."""
    import torch
    from hyperlm import HyperLabelModel

    scalar = np.float64(0).__reduce__()[0]  # the checkpoint's one global under its old name and its new
    allowed = [(scalar, "numpy.core.multiarray.scalar"), scalar, np.dtype, type(np.dtype(np.float64))]
    with torch.serialization.safe_globals(allowed):
        model = HyperLabelModel()
    proba = model.infer(codes, return_probs=True)
    padded = np.zeros((len(codes), n_labels))
    padded[:, : proba.shape[1]] = proba
    return padded


PEERS = (
    Peer("snorkel", "snorkel", down_the_tree(snorkel, 3), 5),
    Peer("snorkel-metal", "metal", metal, 1),
    Peer("Dawid-Skene", "crowdkit", down_the_tree(dawid_skene)),
    Peer("GLAD", "crowdkit", down_the_tree(glad)),
    Peer("MACE", "crowdkit", down_the_tree(mace)),
    Peer("FlyingSquid", "flyingsquid", down_the_tree(flying_squid, 3)),
    Peer("HyperLM", "hyperlm", down_the_tree(hyperlm)),
)


def quiet(seed: int) -> None:
    """Silence the peers, mend what they miss, and seed the global generators that some of them draw from."""
    import networkx
    import torch

    vars(np)["product"] = np.prod
    networkx.Graph.node = networkx.Graph.nodes

    warnings.simplefilter("ignore")
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    torch.set_num_threads(1)
