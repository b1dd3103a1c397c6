"""Proposing a tree over flat labels."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from metalwork._checks import (
    ABSTAIN,
    FAILED,
    NOT_APPLICABLE,
    FloatArray,
    IntArray,
    check_count,
    check_instance,
)
from metalwork.errors import VotesError
from metalwork.proposals._evidence import Disagreements, Evidence, Fold, weigh
from metalwork.proposals._grouping import group_labels
from metalwork.proposals._in_tree import places_of
from metalwork.proposals._material import Material, collect
from metalwork.proposals._naming import name_groups
from metalwork.proposals._proposal import SchemaProposal
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix

_FEWEST: Final = 3
"""Labels that a tree can group."""
_NOTHING: Final = "Nothing tells which labels belong together: pass features, votes or an encoder."


def propose_schema(
    labels: TaskSchema | Sequence[str | int],
    votes: LabelMatrix | None = None,
    features: Any = None,
    n_groups: int | None = None,
    *,
    encoder: Any = None,
    random_state: int = 0,
) -> SchemaProposal:
    """Propose a tree over flat labels, and let held-out votes judge it.

    Labels are put into groups by what their names mean and, with ``votes`` and ``features``, by what the records
    are like that the label model gives them; without names that tell anything and without features, by which
    labels are mixed up. Then votes are asked: half of the records makes a tree and the other half judges it, by
    how much likelier the disagreements between its labeling functions are under the tree than flat, and by how
    many trees with the same sizes of groups do as well (:class:`metalwork.proposals.Evidence`). Where the tree is
    not supported, ``schema`` is the flat one.

    Parameters
    ----------
    labels : TaskSchema or sequence of str or int (n_labels,)
        A flat schema, or the names of labels.
    votes : LabelMatrix, optional
        Votes on a flat schema of these labels, in any order.
    features : optional
        With votes, about the same records in the same order: a float array or scipy sparse array (n_points,
        n_features), such as embeddings or what a featurizer returns (sparse whole numbers are taken as counts of
        words); or the records themselves, texts or a frame with one column of texts, which are encoded where an
        ``encoder`` is given and else counted by :class:`WordCounts`. About the labels: an array (n_labels,
        n_features) where there are no votes, or that is not one row a record.
    n_groups : int, optional
        How many groups, from 2 to n_labels - 1, labels that stay alone among them; by default as many as fit the
        similarities best (greatest silhouette), with three labels a group on average at least.
    encoder : object, str, callable or False, optional
        What names are compared by, as for :func:`zero_shot`. By default the encoder that comes with
        ``pip install 'metalwork[text]'``, or the words that names share where it is not installed; False: always
        the words.
    random_state : int
        Draws the halves and the trees to compare with.

    Returns
    -------
    SchemaProposal

    Raises
    ------
    ConfigError, VotesError, SchemaError
        For arguments that do not fit each other, or the labels.

    Examples
    --------
    >>> import metalwork as mw
    >>> names = ["pay.bill", "pay.tax", "pay.rent", "trip.book", "trip.cancel", "trip.plan"]
    >>> print(mw.propose_schema(names, encoder=False).tree)
    label
    ├── pay  [pay]
    │   ├── pay.bill
    │   ├── pay.tax
    │   └── pay.rent
    └── trip  [trip]
        ├── trip.book
        ├── trip.cancel
        └── trip.plan
    """
    flat = _flat(labels)
    rng = np.random.default_rng(check_count("random_state", random_state, least=0))
    if n_groups is not None:
        check_count("n_groups", n_groups, least=2, most=max(2, flat.n_end_labels - 1))
    if votes is not None:
        votes = _on(check_instance("votes", votes, LabelMatrix), flat)
    if flat.n_end_labels < _FEWEST:
        return SchemaProposal(flat, flat, {}, (), None, f"{flat.n_end_labels} labels are too few to group.")
    material = collect(flat.end_labels, votes, features, encoder)
    similarity = material.similarity(material.profiles(), n_groups)
    if similarity is None:
        return SchemaProposal(flat, flat, {}, (), None, _NOTHING)
    groups = group_labels(similarity, n_groups)
    named = _named(flat, groups, similarity)
    evidence = _judged(material, groups, rng)
    return SchemaProposal(flat, _tree(flat, named), named, material.told, evidence, _reason(evidence))


def _flat(labels: TaskSchema | Sequence[str | int]) -> TaskSchema:
    if not isinstance(labels, TaskSchema):
        return TaskSchema.flat(labels)
    if labels.n_tasks > 1:
        raise VotesError(
            f"labels must be flat; got a tree of {labels.n_tasks} tasks. Pass its end labels: schema.end_labels."
        )
    return labels


def _on(votes: LabelMatrix, flat: TaskSchema) -> LabelMatrix:
    """The votes as votes on ``flat``, which has the same labels, maybe in another order."""
    if votes.schema.n_tasks > 1:
        raise VotesError(f"votes must be on a flat schema; got votes on {votes.schema.n_tasks} tasks.")
    if votes.schema == flat:
        return votes
    order = places_of(votes.schema.end_labels, flat)
    code = np.append(np.argsort(order), [FAILED, NOT_APPLICABLE, ABSTAIN])  # codes below 0 pick the last ones
    plain = [alphabet.plain for alphabet in votes.alphabets]
    codes = np.where(plain, code[np.where(plain, votes.stored_codes, ABSTAIN)], votes.stored_codes)
    sets = {name: rows[:, [*order, -1]] for name, rows in votes.outcomes.items()}
    return LabelMatrix(codes, flat, [flat.root] * votes.n_lfs, votes.names, outcomes=sets)


def _judged(material: Material, groups: IntArray, rng: np.random.Generator) -> Evidence | None:
    """What the votes on each half of the records say about the groups that the other half makes."""
    if material.counts is None:
        return None
    order = rng.permutation(material.counts.shape[0])
    halves = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    counts = [material.counts[half] for half in halves]
    among = [Disagreements(own, own) for own in counts]
    n_groups, folds = int(groups.max()) + 1, []
    for seen, new in ((0, 1), (1, 0)):
        profiles = material.profiles(halves[seen])
        similarity = None if profiles is None else material.similarity(profiles, n_groups)
        made = groups if similarity is None else group_labels(similarity, n_groups)
        folds.append(Fold(made, among[seen], among[new]))
        if material.of_records is not None and profiles is not None:
            nearest = [material.of_records.nearest(profiles, half) for half in halves]
            if nearest[0] is not None and nearest[1] is not None:
                with_records = [Disagreements(*pair) for pair in zip(counts, nearest, strict=True)]
                folds.append(Fold(made, with_records[seen], with_records[new]))
    return weigh(folds, rng)


def _named(flat: TaskSchema, groups: IntArray, similarity: FloatArray) -> dict[str, tuple[str, ...]]:
    """The labels of each group of two and more, by name."""
    members = [np.flatnonzero(groups == group) for group in range(int(groups.max()) + 1)]
    names = name_groups(flat.end_labels, groups, similarity, {*flat.end_labels, flat.root})
    pairs = zip(names, members, strict=True)
    return {name: tuple(flat.end_labels[m] for m in own) for name, own in pairs if len(own) > 1}


def _tree(flat: TaskSchema, named: Mapping[str, Sequence[str]]) -> TaskSchema:
    """The groups, each opening a task, in the order of their first labels; labels of no group stay at the root."""
    group_of = {label: name for name, labels in named.items() for label in labels}
    entries: dict[str, Any] = {}
    for label in flat.end_labels:
        name = group_of.get(label)
        if name is None:
            entries[label] = label
        else:
            entries[name] = {name: {"task": name, "labels": list(named[name])}}
    return type(flat).from_dict({"task": flat.root, "labels": list(entries.values())})


def _reason(evidence: Evidence | None) -> str:
    if evidence is None:
        return "Not scored: without votes nothing says whether the tree is there."
    if not evidence.n_disagreements:
        return "Not supported by the votes: there is no record on which they disagree."
    found = (
        f"On held-out records, {evidence.inside:.0%} of {evidence.n_disagreements:,} disagreements on a label are "
        f"within groups, where {evidence.by_chance:.0%} would be by chance"
    )
    as_good = f"{evidence.p_value:.1%} of all groupings of these sizes do as well"
    gain = f"a disagreement is {np.exp(evidence.gain):.2f} times as likely as under flat labels"
    verdict = (
        "Supported by the votes" if evidence.supported else "Not supported by the votes, so the labels stay flat"
    )
    return f"{verdict}. {found}; {gain}; {as_good}."
