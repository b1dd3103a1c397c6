"""Feasible label vectors: tasks in any graph as one flat task."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import LabelingError, SchemaError, VotesError
from metalwork.votes import Alphabet, _vectors
from tests.unit.schemas import FIVE_LEVELS, SECTORS, TWINS

NAN = float("nan")
TASKS = {"animal": ["cat", "dog", "bird"], "legs": ["two", "four"], "flies": ["yes", "no"]}
VECTORS = [
    {"animal": "cat", "legs": "four"},
    {"animal": "dog", "legs": "four"},
    {"animal": "bird", "legs": "two", "flies": "yes"},
    {"animal": "bird", "legs": "two", "flies": "no"},
]
PETS = mw.FeasibleLabels(TASKS, VECTORS)


def test_vectors_are_the_end_labels_of_a_flat_task() -> None:
    assert PETS.schema == mw.TaskSchema.flat(
        ["animal=cat, legs=four", "animal=dog, legs=four"]
        + [f"animal=bird, legs=two, flies={flies}" for flies in ("yes", "no")],
        task="labels",
    )
    assert (PETS.tasks, len(PETS)) == (("animal", "legs", "flies", "labels"), 4)
    assert PETS.states.tolist() == [[0, 1, -2], [1, 1, -2], [2, 0, 0], [2, 0, 1]]
    assert PETS.labels("legs") == ("two", "four")
    assert PETS.labels("labels") == PETS.schema.end_labels
    assert PETS.vectors == tuple(VECTORS)
    assert repr(PETS).endswith(", 4 vectors)")


def test_vectors_may_have_names() -> None:
    named = mw.FeasibleLabels(TASKS, dict(zip("abcd", VECTORS, strict=True)), name="pet")
    assert (named.schema.root, named.schema.end_labels) == ("pet", ("a", "b", "c", "d"))


def test_a_vote_on_a_task_is_a_vote_for_the_vectors_with_its_label() -> None:
    np.testing.assert_array_equal(
        PETS.alphabet("animal").rows, [[1, 0, 0, 0, NAN], [0, 1, 0, 0, NAN], [0, 0, 1, 1, NAN]]
    )
    np.testing.assert_array_equal(PETS.alphabet("flies").rows, [[NAN, NAN, 1, 0, NAN], [NAN, NAN, 0, 1, NAN]])
    votes = PETS.votes([[2, 0, 3], [-1, 1, -1]], ["animal", "flies", "labels"], ["a", "b", "c"], [0, 1, 0])
    assert (votes.schema, votes.tasks, votes.names) == (PETS.schema, ("labels",) * 3, ("a", "b", "c"))
    assert votes.codes.tolist() == [[2, 0, 3], [-1, 1, -1]]
    assert votes.errors.tolist() == [0, 1, 0]
    np.testing.assert_array_equal(votes.alphabets[1].rows, PETS.alphabet("flies").rows)
    assert sorted(votes.outcomes) == ["a", "b"]


def test_sets_and_soft_votes_on_a_task_reach_the_vectors() -> None:
    rows = np.array([[1, 1, 0, NAN], [0.1, 0.2, 0.7, NAN], [0, 1, 1, 1]])
    votes = PETS.votes([[0]], ["animal"], ["a"], outcomes={"a": rows})
    np.testing.assert_array_equal(
        votes.alphabets[0].rows, [[1, 1, 0, 0, NAN], [0.1, 0.2, 0.7, 0.7, NAN], [0, 1, 1, 1, 1]]
    )
    soft = PETS.votes([[0]], ["flies"], ["a"], outcomes={"a": np.array([[0.9, 0.1, NAN]])})
    np.testing.assert_array_equal(soft.alphabets[0].rows, [[NAN, NAN, 0.9, 0.1, NAN]])


def test_marginals_sum_the_vectors() -> None:
    probs = mw.TaskProbabilities([[0.1, 0.2, 0.3, 0.4]], PETS.schema)
    np.testing.assert_allclose(PETS.marginal(probs, "animal"), [[0.1, 0.2, 0.7]])
    np.testing.assert_allclose(PETS.marginal(probs, "flies"), [[0.3, 0.4]])
    np.testing.assert_allclose(PETS.marginal(probs, "labels"), probs.end)
    other = mw.TaskProbabilities([[0.5, 0.5]], mw.TaskSchema.flat(["a", "b"]))
    with pytest.raises(VotesError, match=r"^probs must be over the label vectors; its schema is another\."):
        PETS.marginal(other, "animal")
    with pytest.raises(VotesError, match=r"^'wings' is no task\. Known: 'animal', 'legs', 'flies', 'labels'\."):
        PETS.marginal(probs, "wings")


def test_known_vectors_have_codes() -> None:
    assert PETS.end_codes([VECTORS[2], {"legs": "four", "animal": "cat"}]).tolist() == [2, 0]
    with pytest.raises(VotesError) as caught:
        PETS.end_codes([VECTORS[0], {"animal": "cat"}])
    assert str(caught.value) == "Row 1: {'animal': 'cat'} is not among the 4 feasible label vectors."


def test_a_condition_gives_the_vectors_that_meet_it() -> None:
    def allows(vector: dict[str, str]) -> bool:
        bird = vector["animal"] == "bird"
        return (vector["legs"] == "two") == bird and ("flies" in vector) == bird

    made = mw.FeasibleLabels.where(TASKS, allows, may_not_apply=["flies"])
    assert {frozenset(v.items()) for v in made.vectors} == {frozenset(v.items()) for v in VECTORS}
    everything = mw.FeasibleLabels.where({"a": ["x", "y"], "b": ["z", "w"]}, lambda vector: True)
    assert [tuple(vector.values()) for vector in everything.vectors] == list(product("xy", "zw"))


@pytest.mark.parametrize("tree", [SECTORS, TWINS, FIVE_LEVELS])
def test_a_tree_can_be_seen_as_vectors(tree: dict[str, Any]) -> None:
    schema = mw.TaskSchema.from_dict(tree)
    view = mw.FeasibleLabels.flatten(schema)
    assert view.schema.end_labels == schema.end_labels
    assert view.states.tolist() == schema.task_codes.tolist()
    rng = np.random.default_rng(0)
    end = rng.dirichlet(np.ones(schema.n_end_labels), 5)
    flat, nested = mw.TaskProbabilities(end, view.schema), mw.TaskProbabilities(end, schema)
    for task in schema.tasks:
        np.testing.assert_allclose(view.marginal(flat, task), nested[task])


def test_labeling_functions_vote_on_tasks_and_on_sets_of_end_labels() -> None:
    schema = mw.TaskSchema.from_dict(SECTORS)
    view = mw.FeasibleLabels.flatten(schema)
    lfs = [
        mw.from_callable(lambda text: {"Performance", "Money"}, view.schema.root, name="any end labels"),
        mw.from_callable(lambda text: "Markets", "sector", name="sector"),
        mw.from_callable(lambda text: mw.Not("Money"), "markets", name="markets"),
    ]
    votes = mw.apply(lfs, [{"text": ""}], view)
    said = [votes.alphabets[j].rows[votes.codes[0, j]].tolist() for j in range(3)]
    np.testing.assert_array_equal(said, [[1, 0, 1, 0, NAN], [0, 0, 1, 1, NAN], [NAN, NAN, 0, 1, NAN]])
    assert mw.apply(lfs, [{"text": ""}], view, like=votes).codes.tolist() == votes.codes.tolist()
    with pytest.raises(LabelingError, match=r"^LF 'x' must name its task with a FeasibleLabels; got None\."):
        mw.apply([mw.from_callable(lambda text: None, None, name="x")], [{"text": ""}], view)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"vectors": []}, "at least one label vector must be feasible; got none."),
        ({"vectors": [{}]}, "vector 0 names no task. Leave it out, or add a task with a label for such records."),
        (
            {"vectors": [{"animals": "cat"}]},
            "vector 0 holds a wrong task. 'animals' is no task. Did you mean 'animal'?",
        ),
        (
            {"vectors": [{"animal": "cow"}]},
            "vector 0 holds a wrong label. 'cow' is no label of task 'animal'. Known: 'cat', 'dog', 'bird'.",
        ),
        ({"vectors": [VECTORS[0], VECTORS[1], VECTORS[0]]}, "vector 2 is vector 0 again. Leave one out."),
        ({"tasks": {**TASKS, "x": []}}, "task 'x' must have a list of label names; got []."),
        ({"tasks": {**TASKS, "x": "yes"}}, "task 'x' must have a list of label names; got 'yes'."),
        ({"vectors": [("cat", "four")]}, "vector 0 must be a dict of task to label; got ('cat', 'four')."),
        ({"tasks": {**TASKS, "x": ["a", "a"]}}, "task 'x' has a label twice. Rename one."),
        ({"name": "legs"}, "the flat task must have a name of its own; got 'legs', a task. Pass name='...'."),
    ],
)
def test_what_is_not_feasible_is_refused(arguments: dict[str, Any], fault: str) -> None:
    with pytest.raises(SchemaError) as caught:
        mw.FeasibleLabels(**{"tasks": TASKS, "vectors": VECTORS, **arguments})
    assert caught.value.faults == (fault,)


def test_all_faults_are_listed() -> None:
    with pytest.raises(SchemaError) as caught:
        mw.FeasibleLabels(TASKS, [{"animal": "cow", "wings": "two"}, {}])
    assert len(caught.value.faults) == 3


def test_too_many_vectors_are_refused_with_what_to_do() -> None:
    tasks = {f"t{i}": ["a", "b"] for i in range(13)}
    with pytest.raises(SchemaError) as caught:
        mw.FeasibleLabels.where(tasks, lambda vector: True)
    assert str(caught.value) == (
        "The task schema has 1 fault:\n"
        "  - vectors must be at most 4,096, for inference enumerates them; got 8,192. "
        "Drop tasks that no LF votes on, "
        "make independent tasks trees of their own (TaskForest), or write the tasks as one tree (TaskSchema)."
    )
    assert len(mw.FeasibleLabels.where(dict(list(tasks.items())[:12]), lambda v: True)) == _vectors.MOST_VECTORS


def test_conditions_are_not_tried_on_too_many_combinations() -> None:
    tasks = {f"t{i}": ["a", "b"] for i in range(21)}
    with pytest.raises(SchemaError, match=r"must be at most 1,048,576; got 2,097,152\. Give the vectors\."):
        mw.FeasibleLabels.where(tasks, lambda vector: False)
    with pytest.raises(SchemaError, match=r"may_not_apply: 'x' is no task"):
        mw.FeasibleLabels.where({"a": ["b"]}, lambda vector: True, may_not_apply=["x"])


def test_alphabets_over_a_task_must_fit_it() -> None:
    with pytest.raises(VotesError) as caught:
        PETS.votes([[0]], ["animal"], ["a"], outcomes={"a": np.eye(2)})
    assert str(caught.value) == (
        "outcomes of LF 'a' must have shape (n_outcomes, 4): its task's 3 labels, and last "
        "'does not apply'; got (2, 2)."
    )


def test_votes_are_named_by_what_was_said(tmp_path: Path) -> None:
    rows = np.array([[0.7, 0.2, 0.1, NAN], [0.6, 0.3, 0.1, NAN], [0, 1, 1, NAN], [1, 0, 0, NAN]])
    codes = [[2, 0, 0], [0, 1, 1], [-1, 2, -1], [1, 3, 3]]
    votes = PETS.votes(codes, ["animal", "animal", "labels"], ["plain", "soft", "flat"], outcomes={"soft": rows})
    summary = mw.lf_summary(votes)
    assert [row.polarity for row in summary.rows] == [
        ("animal=cat", "animal=dog", "animal=bird"),
        ("animal=not cat", "animal=cat", "animal=cat 0.6 to 0.7"),
        ("animal=cat, legs=four", "animal=dog, legs=four", "animal=bird, legs=two, flies=no"),
    ]
    votes.save(tmp_path / "votes.npz")
    loaded = mw.LabelMatrix.load(tmp_path / "votes.npz")
    for same in (loaded, votes.rows([0, 1]), mw.LabelMatrix.concatenate([votes, votes]), votes.lfs([0, 1, 2])):
        assert [same.vote_name(j, 0) for j in range(3)] == [
            "animal=cat",
            "animal=cat 0.7",
            "animal=cat, legs=four",
        ]
    assert mw.LabelMatrix.beside([votes.lfs([0])]).vote_name(0, 2) == "animal=bird"


def test_labels_that_are_one_vector_each_keep_their_names() -> None:
    pairs = mw.FeasibleLabels({"a": ["x", "y"]}, {"first": {"a": "x"}, "second": {"a": "y"}})
    votes = pairs.votes([[0], [1]], ["a"], ["lf"])
    assert votes.alphabets[0].plain
    assert mw.lf_summary(votes.rows([0, 1])).rows[0].polarity == ("a=x", "a=y")


def test_a_file_that_names_too_few_outcomes_is_refused() -> None:
    with pytest.raises(VotesError, match=r"^words must be one an outcome \(2\); got 1\.$"):
        Alphabet([[1, 0, NAN], [0, 1, NAN]], ["a=x"])


def test_plain_forms_give_the_same_vectors_back(tmp_path: Path) -> None:
    assert mw.FeasibleLabels.from_dict(PETS.to_dict()) == PETS
    (tmp_path / "pets.json").write_text(json.dumps(PETS.to_dict()))
    read = mw.FeasibleLabels.from_yaml(tmp_path / "pets.json")
    assert (read, hash(read)) == (PETS, hash(PETS))
    other = mw.FeasibleLabels(TASKS, dict(zip(PETS.schema.end_labels, VECTORS[::-1], strict=True)))
    assert other != PETS
    numbered = mw.FeasibleLabels.from_dict(
        {"tasks": {"a": ["x", 1]}, "vectors": {"b": {"a": 1}, "c": {"a": " x "}}}
    )
    assert str(numbered) == ("a: x, 1\nlabels, 2 label vectors:\n  b: a=1\n  c: a=x")


@pytest.mark.parametrize(
    ("written", "faults"),
    [
        ({"tasks": TASKS}, ["a schema of label vectors must have the key 'vectors'. Add it."]),
        ([], ["label vectors must be a mapping with the keys 'tasks' and 'vectors'; got []."]),
        (
            {"tasks": {True: ["x"]}, "vectors": "all", "name": ""},
            ["vectors must be a list of label vectors, or a mapping from their names; got 'all'."],
        ),
        (
            {"tasks": {True: ["x"]}, "vectors": [], "name": ""},
            ["a task name must be text; got True. Put it in quotes.", "the flat task must have a name; got ''."],
        ),
        (
            {"tasks": {"a": ["x", "y"]}, "vectors": {"one": {"a": "x"}}},
            ["at least two label vectors must be feasible; got one, 'one': nothing to tell."],
        ),
        (
            {"tasks": {"a": ["x", "y"]}, "vectors": {1: {"a": "x"}, "1": {"a": "y"}}},
            ["two vectors are called '1'. Rename one."],
        ),
        ({"tasks": [], "vectors": []}, ["tasks must be a mapping of task names to lists of labels; got []."]),
    ],
)
def test_what_is_written_wrong_is_refused(written: Any, faults: list[str]) -> None:
    with pytest.raises(SchemaError) as caught:
        mw.FeasibleLabels.from_dict(written)
    assert list(caught.value.faults) == faults
