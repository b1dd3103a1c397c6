"""Does `propose_schema` find known trees, does it find any in random votes, and what does using one cost?

    python benchmarks/schema_proposal.py simulated
    python benchmarks/schema_proposal.py names [--words]
    python benchmarks/schema_proposal.py records --matrices FOLDER [--words] [--embed]
    python benchmarks/schema_proposal.py end --matrices FOLDER [--words]

*simulated* counts how often a tree is accepted, on votes in which there is none and on votes in which there is
one. *names* compares groups made from label names alone with the known ones, by the adjusted Rand index (ARI, 1:
the same groups, 0: no better than chance). *records* makes them from names, votes and records of CLINC150, TREC
and MASSIVE (folder METALWORK_DATA; FOLDER is what `python -m _matrices FOLDER` wrote), and compares the label
model's accuracy under the flat labels with that under the proposed tree, on records with a vote. *end* trains an
end model on the flat label model's probabilities of records with a vote, under the flat labels and under the
proposed tree, accepted or not, and gives the accuracy on records of the test split (of MASSIVE, a third drawn at
random), of two seeds. --words: names by their words, where a sentence encoder is installed; --embed: records by
that encoder instead of their words. The known groups judge alone: they are seen by nothing but the index.
"""

import argparse
import gzip
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from _matrices._wrench import data_folder
from sklearn.metrics import adjusted_rand_score

import metalwork as mw
from metalwork.errors import MetalworkWarning
from metalwork.proposals import SchemaProposal
from metalwork.sources import encode_texts

Codes = npt.NDArray[np.int64]
_NEWSGROUPS = {
    "comp": "comp.graphics comp.os.ms-windows.misc comp.sys.ibm.pc.hardware comp.sys.mac.hardware comp.windows.x",
    "rec": "rec.autos rec.motorcycles rec.sport.baseball rec.sport.hockey",
    "sci": "sci.crypt sci.electronics sci.med sci.space",
    "forsale": "misc.forsale",
    "politics": "talk.politics.guns talk.politics.mideast talk.politics.misc",
    "religion": "alt.atheism soc.religion.christian talk.religion.misc",
}
_N_POINTS, _N_LFS, _N_GROUPS, _IN_GROUP = 3_000, 10, 5, 4


def known_groups() -> Iterator[tuple[str, dict[str, str]]]:
    """Data sets with the group of each label."""
    yield "20 newsgroups", {label: group for group, labels in _NEWSGROUPS.items() for label in labels.split()}
    domains = json.loads(data_folder("clinc150", "domains.json").read_text(encoding="utf-8"))
    yield "CLINC150", {intent: domain for domain, intents in domains.items() for intent in intents}
    lines = data_folder("trec", "trec_hier_wrench.jsonl").read_text(encoding="utf-8").splitlines()
    yield "TREC", {row["fine"]: row["coarse"] for row in map(json.loads, lines)}
    meta = json.loads(bytes(np.load(data_folder("matrices", "massive_tree.npz"))["meta"]))
    yield "MASSIVE", {label: label.partition("_")[0] for label in meta["labels"]}


def texts_of(name: str) -> list[str]:
    """The records' texts, in the order of the label matrices."""
    if name == "CLINC150":
        data = json.loads(data_folder("clinc150", "data_full.json").read_text(encoding="utf-8"))
        return [text for part in ("train", "val", "test") for text, _ in data[part]]
    if name == "TREC":
        lines = data_folder("trec", "trec_hier_wrench.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["text"] for line in lines]
    texts: list[str] = json.loads(
        gzip.decompress(bytes(np.load(data_folder("matrices", "massive_tree.npz"))["texts"]))
    )
    return texts


def flat_votes(votes: mw.LabelMatrix) -> mw.LabelMatrix:
    """The votes for single end labels alone, as votes on a flat schema."""
    schema, columns, names = votes.schema, [], []
    for position, (task, name) in enumerate(zip(votes.tasks, votes.names, strict=True)):
        members = schema.members(task)
        end = np.append(np.where(members.sum(axis=1) == 1, members.argmax(axis=1), mw.ABSTAIN), mw.ABSTAIN)
        column = end[votes.codes[:, position]]
        if (column >= 0).any():
            columns.append(column)
            names.append(name)
    return mw.LabelMatrix(np.stack(columns, axis=1), mw.TaskSchema.flat(schema.end_labels), names=names)


def index(found: SchemaProposal, groups: dict[str, str]) -> float:
    """ARI of the groups that were found, accepted or not, and the known ones."""
    own = {label: name for name, labels in found.groups.items() for label in labels}
    labels = found.flat.end_labels
    ours, known = [own.get(label, label) for label in labels], [groups[label] for label in labels]
    return float(adjusted_rand_score(known, ours))


def accuracy(votes: mw.LabelMatrix, gold: Codes) -> float:
    """Share of right labels (percent) on records with a vote and a known label."""
    scored = (votes.codes != mw.ABSTAIN).any(axis=1) & (gold >= 0)
    return float(100 * (mw.HierarchicalLabelModel(votes.schema).fit(votes).predict(votes) == gold)[scored].mean())


def matrices_of(folder: Path) -> Iterator[tuple[str, dict[str, str], mw.LabelMatrix, Codes, Codes]]:
    """Name, known groups, flat votes, gold labels and split of the data sets that are there."""
    files = {"CLINC150": "clinc_flat", "TREC": "trec_fine", "MASSIVE": "massive_tree"}
    for name, groups in known_groups():
        path = folder / files.get(name, "none")
        if (path / "votes.npz").exists():
            votes = flat_votes(mw.LabelMatrix.load(path / "votes.npz"))
            yield name, groups, votes, np.load(path / "gold.npy"), np.load(path / "split.npy")


def moved(gold: Codes, found: SchemaProposal) -> Codes:
    """Codes of the flat labels as those of the tree."""
    place = {label: code for code, label in enumerate(found.tree.end_labels)}
    codes: Codes = np.array([*(place[label] for label in found.flat.end_labels), -1])[gold]
    return codes


def from_names(words: bool) -> None:
    """Print the index of groups from names."""
    print("| data set | labels | known groups | ARI, as many groups | ARI, number found | found |\n|" + "---|" * 6)
    for name, groups in known_groups():
        labels, n_groups = list(groups), len(set(groups.values()))
        given, free = (
            mw.propose_schema(labels, n_groups=n, encoder=False if words else None) for n in (n_groups, None)
        )
        n_free = len(free.tree.labels(free.tree.root))
        print(
            f"| {name} | {len(labels)} | {n_groups} | {index(given, groups):.2f} | {index(free, groups):.2f} "
            f"| {n_free} |"
        )


def from_records(matrices: Path, words: bool, embed: bool) -> None:
    """Print the index of groups from names, votes and records, what the votes say, and accuracy."""
    print("| data set | ARI | accepted | gain | inside | by chance | p | flat | tree | s |\n|" + "---|" * 10)
    for name, groups, votes, gold, _ in matrices_of(matrices):
        features: Any = encode_texts(texts_of(name)) if embed else mw.WordCounts().fit_transform(texts_of(name))
        start, n_groups = time.perf_counter(), len(set(groups.values()))
        found = mw.propose_schema(votes.schema, votes, features, n_groups, encoder=False if words else None)
        seconds, told = time.perf_counter() - start, found.evidence
        assert told is not None, "there were votes"
        in_tree = accuracy(found.votes_in_tree(votes), moved(gold, found))
        shares = f"{told.gain:.3f} | {told.inside:.0%} | {told.by_chance:.0%} | {told.p_value:.3f}"
        scores = f"{accuracy(votes, gold):.1f} | {in_tree:.1f} | {seconds:.0f}"
        print(f"| {name} | {index(found, groups):.2f} | {found.accepted} | {shares} | {scores} |", flush=True)


def of_end_models(matrices: Path, words: bool) -> None:
    """Print the accuracy of end models under the flat labels and under the tree."""
    print("| data set | train | test | accepted | flat | tree |\n|---|---|---|---|---|---|")
    for name, groups, votes, gold, split in matrices_of(matrices):
        drawn = np.random.default_rng(0).random(len(gold)) if not (split == 2).any() else split / 3
        voted = (votes.codes != mw.ABSTAIN).any(axis=1)
        train, test = np.flatnonzero((drawn < 1 / 3) & voted), np.flatnonzero((drawn >= 2 / 3) & (gold >= 0))
        texts = np.array(texts_of(name), dtype=object)
        counter = mw.WordCounts().fit(texts[train].tolist())
        seen, new = (counter.transform(texts[rows].tolist()) for rows in (train, test))
        own = votes.rows(train)
        flat = mw.HierarchicalLabelModel(votes.schema).fit(own).predict_proba(own)
        found = mw.propose_schema(
            votes.schema, own, seen, len(set(groups.values())), encoder=False if words else None
        )
        in_tree, scores = found.probabilities_in_tree(flat), []
        for seed in (0, 1):
            models = mw.EndModel(votes.schema, random_state=seed), mw.EndModel(found.tree, random_state=seed)
            scores.append(models[0].fit(seen, flat).score(new, gold[test]))
            scores.append(models[1].fit(seen, in_tree).score(new, moved(gold, found)[test]))
        shown = [" ".join(f"{100 * score:.1f}" for score in scores[kind::2]) for kind in (0, 1)]
        print(f"| {name} | {len(train)} | {len(test)} | {found.accepted} | {' | '.join(shown)} |", flush=True)


def votes_for(kind: str, rng: np.random.Generator) -> tuple[mw.LabelMatrix, npt.NDArray[np.float64]]:
    """Simulated votes on 20 labels, and features of the records.

    "random": they know nothing. "flat": right in half of the cases, else any label. "tree": right in half of the
    cases, else in 40 % a label of the same group. Features have a centre a label, under "tree" near its group's.
    """
    n_labels = _N_GROUPS * _IN_GROUP
    group, y = np.arange(n_labels) // _IN_GROUP, rng.integers(0, n_labels, _N_POINTS)
    right, near = (rng.random((_N_POINTS, _N_LFS)) < share for share in (0.5, 0.4))
    within = group[y][:, None] * _IN_GROUP + rng.integers(0, _IN_GROUP, (_N_POINTS, _N_LFS))
    codes = rng.integers(0, n_labels, (_N_POINTS, _N_LFS))
    if kind != "random":
        codes = np.where(right, y[:, None], np.where(near & (kind == "tree"), within, codes))
    codes = np.where(rng.random(codes.shape) < rng.uniform(0.05, 0.4, _N_LFS), codes, mw.ABSTAIN)
    centres = rng.normal(size=(n_labels, 20)) + (kind == "tree") * rng.normal(size=(_N_GROUPS, 20))[group]
    labels = [f"{i}" for i in range(n_labels)]
    return mw.LabelMatrix(codes, mw.TaskSchema.flat(labels)), centres[y] + rng.normal(size=(_N_POINTS, 20))


def simulated(n_draws: int) -> None:
    """Print how often a tree is accepted, and how well it is found."""
    print("| votes | proposed from | accepted | ARI |\n|---|---|---|---|")
    groups = {f"{i}": f"{i // _IN_GROUP}" for i in range(_N_GROUPS * _IN_GROUP)}
    for kind in ("random", "flat", "tree"):
        for source in ("votes", "votes and features"):
            drawn = [votes_for(kind, np.random.default_rng(seed)) for seed in range(n_draws)]
            found = [
                mw.propose_schema(v.schema, v, x if source != "votes" else None, encoder=False) for v, x in drawn
            ]
            ari = f"{np.mean([index(one, groups) for one in found]):.2f}" if kind == "tree" else ""
            print(
                f"| {kind} | {source} | {sum(one.accepted is True for one in found)} of {n_draws} | {ari} |",
                flush=True,
            )


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=["simulated", "names", "records", "end"])
    parser.add_argument("--matrices", type=Path)
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--embed", action="store_true")
    parser.add_argument("--draws", type=int, default=40)
    options = parser.parse_args()
    warnings.simplefilter("ignore", MetalworkWarning)
    if options.table == "simulated":
        simulated(options.draws)
    elif options.table == "names":
        from_names(options.words)
    elif options.matrices is None:
        parser.error("records and end need --matrices")
    elif options.table == "end":
        of_end_models(options.matrices, options.words)
    else:
        from_records(options.matrices, options.words, options.embed)


if __name__ == "__main__":
    main()
