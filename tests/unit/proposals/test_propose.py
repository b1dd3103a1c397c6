"""Trees proposed over flat labels, and what votes say about them."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
import scipy.sparse as sp

import metalwork as mw
from metalwork._checks import IntArray
from metalwork.errors import ConfigError, LabelingError, VotesError

NAMES = ["pay.bill", "pay.tax", "pay.rent", "trip.book", "trip.cancel", "trip.plan", "help"]
NEWSGROUPS = """
alt.atheism comp.graphics comp.os.ms-windows.misc comp.sys.ibm.pc.hardware comp.sys.mac.hardware comp.windows.x
misc.forsale rec.autos rec.motorcycles rec.sport.baseball rec.sport.hockey sci.crypt sci.electronics sci.med
sci.space soc.religion.christian talk.politics.guns talk.politics.mideast talk.politics.misc talk.religion.misc
"""
PLAIN = [str(number) for number in range(12)]
"""Names that tell nothing."""
GROUP = np.arange(12) // 4
Array = npt.NDArray[np.float64]


def votes_on(labels: list[str], codes: Any) -> mw.LabelMatrix:
    return mw.LabelMatrix(codes, mw.TaskSchema.flat(labels))


def truth_and_votes(in_groups: bool, seed: int = 0, n_points: int = 2_000) -> tuple[IntArray, mw.LabelMatrix]:
    """Six LFs that are right in half of the cases, else they take a label of the same group, or any label."""
    rng = np.random.default_rng(seed)
    truth, shape = rng.integers(0, 12, n_points), (n_points, 6)
    near = GROUP[truth][:, None] * 4 + rng.integers(0, 4, shape)
    wrong = near if in_groups else rng.integers(0, 12, shape)
    said = np.where(rng.random(shape) < 0.5, truth[:, None], wrong)
    return truth, votes_on(PLAIN, np.where(rng.random(shape) < 0.4, said, mw.ABSTAIN))


def features_of(truth: IntArray, noise: float = 0.5, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(12, 16)) + 3 * rng.normal(size=(3, 16))[GROUP]
    return np.asarray(centres[truth] + noise * rng.normal(size=(len(truth), 16)))


def members(proposal: Any) -> set[frozenset[str]]:
    return {frozenset(labels) for labels in proposal.groups.values()}


KNOWN = {frozenset(PLAIN[start : start + 4]) for start in (0, 4, 8)}


class TestNames:
    def test_labels_that_share_words_are_grouped(self) -> None:
        found = mw.propose_schema(NAMES, n_groups=3, encoder=False)
        assert found.groups == {"pay": tuple(NAMES[:3]), "trip": tuple(NAMES[3:6])}
        assert found.schema.labels("label") == ("pay", "trip", "help")
        assert found.schema.labels("trip") == tuple(NAMES[3:6])
        assert (found.accepted, found.score, found.evidence) == (None, None, None)
        assert str(found).endswith(
            "\n2 groups of 7 labels, made from the words of the names.\n"
            "Not scored: without votes nothing says whether the tree is there."
        )

    def test_the_newsgroups_fall_into_their_six_groups_but_for_one(self) -> None:
        names = NEWSGROUPS.split()
        found = mw.propose_schema(names, n_groups=6, encoder=False)
        heads = {"comp", "rec", "sci", "talk.politics"}
        assert heads < set(found.groups)
        for head in heads:
            assert found.groups[head] == tuple(name for name in names if name.startswith(head))

    def test_camel_case_and_numbers(self) -> None:
        found = mw.propose_schema(["CardLost2", "CardFees3", "TripBook2", "TripPlan3"], encoder=False)
        assert members(found) == {frozenset({"CardLost2", "CardFees3"}), frozenset({"TripBook2", "TripPlan3"})}

    def test_an_encoder_says_what_names_mean(self) -> None:
        meanings = {"cat": [1.0, 0.1], "dog": [1.0, 0.0], "car": [0.1, 1.0], "bus": [0.0, 1.0]}
        found = mw.propose_schema(list(meanings), encoder=lambda texts: np.array([meanings[t] for t in texts]))
        assert members(found) == {frozenset({"cat", "dog"}), frozenset({"car", "bus"})}
        assert found.based_on == ("what the names mean",)
        assert set(found.groups) == {"like cat", "like car"}

    def test_an_encoder_is_not_asked_what_numbers_mean(self) -> None:
        _, votes = truth_and_votes(in_groups=True)
        found = mw.propose_schema(votes.schema, votes, encoder=lambda texts: np.ones((len(texts), 3)))
        assert found.based_on == ("which labels votes mix up",)

    def test_a_word_that_all_names_share_tells_nothing(self) -> None:
        _, votes = truth_and_votes(in_groups=True)
        labels = [f"class_{number}" for number in range(12)]
        found = mw.propose_schema(labels, votes_on(labels, votes.codes))
        assert found.based_on == ("which labels votes mix up",)
        assert mw.propose_schema(labels).groups == {}

    def test_names_that_share_nothing_give_no_tree(self) -> None:
        found = mw.propose_schema(["cat", "dog", "car", "bus"], encoder=False)
        assert (found.accepted, found.schema, found.groups) == (False, found.flat, {})
        assert str(found) == ("Nothing tells which labels belong together: pass features, votes or an encoder.")
        assert mw.propose_schema(["a b", "a c"]).reason == "2 labels are too few to group."

    def test_group_names_are_distinct_from_labels_and_from_each_other(self) -> None:
        found = mw.propose_schema(["pay", "pay a", "pay b", "trip", "trip a", "trip b"], n_groups=2, encoder=False)
        assert set(found.groups) == {"pay 2", "trip 2"}
        assert set(found.tree.tasks) == {"label", "pay 2", "trip 2"}


class TestVotes:
    def test_a_tree_is_found_in_what_is_mixed_up(self) -> None:
        _, votes = truth_and_votes(in_groups=True)
        found = mw.propose_schema(votes.schema, votes)
        assert members(found) == KNOWN
        assert found.accepted is True
        assert found.score is not None
        assert found.score > 0.5
        assert found.based_on == ("which labels votes mix up",)
        assert found.reason.startswith("Supported by the votes. On held-out records, 100% of ")

    @pytest.mark.parametrize("seed", range(3))
    def test_none_is_found_in_errors_that_know_no_groups(self, seed: int) -> None:
        _, votes = truth_and_votes(in_groups=False, seed=seed)
        found = mw.propose_schema(votes.schema, votes, n_groups=3)
        assert found.accepted is False
        assert found.schema == votes.schema
        assert found.tree != votes.schema
        assert found.reason.startswith("Not supported by the votes, so the labels stay flat. ")

    @pytest.mark.parametrize("seed", range(3))
    def test_random_votes_support_neither_names_nor_features(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        votes = votes_on(NAMES, rng.integers(-1, 7, (600, 5)))
        features = rng.normal(size=(600, 4)) + 5 * rng.normal(size=(3, 4))[rng.integers(0, 3, 600)]
        assert mw.propose_schema(NAMES, votes, encoder=False).accepted is False
        assert mw.propose_schema(NAMES, votes, features, encoder=False).accepted is False

    def test_a_true_tree_of_four_labels_is_accepted_though_few_others_are_possible(self) -> None:
        rng = np.random.default_rng(0)
        truth = rng.integers(0, 4, 1_000)
        near = truth[:, None] // 2 * 2 + rng.integers(0, 2, (1_000, 4))
        far = rng.integers(0, 4, (1_000, 4))
        labels = ["a x", "a y", "b x", "b y"]
        assert mw.propose_schema(labels, votes_on(labels, near), n_groups=2, encoder=False).accepted is True
        assert mw.propose_schema(labels, votes_on(labels, far), n_groups=2, encoder=False).accepted is False

    def test_without_disagreements_nothing_is_accepted(self) -> None:
        votes = votes_on(NAMES, np.arange(70)[:, None] % 7)
        found = mw.propose_schema(NAMES, votes, encoder=False)
        assert found.accepted is False
        assert found.reason == "Not supported by the votes: there is no record on which they disagree."
        assert mw.propose_schema(NAMES, votes_on(NAMES, np.full((9, 2), -1)), encoder=False).accepted is False

    def test_soft_votes_count_for_their_likeliest_label(self) -> None:
        _, votes = truth_and_votes(in_groups=True)
        shares = [np.where(np.eye(12)[code] > 0, 0.56, 0.04) for code in votes.codes.T]
        shares = [
            np.where((code >= 0)[:, None], own, np.nan) for code, own in zip(votes.codes.T, shares, strict=True)
        ]
        soft = mw.LabelMatrix.from_soft(shares, votes.schema)
        assert members(mw.propose_schema(soft.schema, soft)) == KNOWN

    def test_the_order_of_labels_does_not_matter(self) -> None:
        _, votes = truth_and_votes(in_groups=True)
        order = np.random.default_rng(5).permutation(12).tolist()
        place, said = np.argsort(order), np.maximum(votes.codes[:, 3], 0)
        codes = np.where(votes.codes[:, :3] >= 0, place[votes.codes[:, :3]], mw.ABSTAIN)
        other = votes_on([PLAIN[code] for code in order], codes)
        soft = mw.LabelMatrix.from_soft([np.eye(12)[place[said]]], other.schema, names=["soft"])
        shuffled = mw.LabelMatrix.beside([other, soft])
        found = mw.propose_schema(PLAIN, shuffled)
        straight = mw.LabelMatrix.from_soft([np.eye(12)[said]], votes.schema, names=["soft"])
        same = mw.propose_schema(PLAIN, mw.LabelMatrix.beside([votes.lfs([0, 1, 2]), straight]))
        assert (found.groups, found.evidence, found.flat) == (same.groups, same.evidence, same.flat)

    def test_the_same_seed_gives_the_same_proposal(self) -> None:
        _, votes = truth_and_votes(in_groups=True)
        one, two = (mw.propose_schema(votes.schema, votes, random_state=3) for _ in range(2))
        assert one == two


class TestFeatures:
    def test_of_records_with_votes(self) -> None:
        truth, votes = truth_and_votes(in_groups=False)
        clear = mw.propose_schema(votes.schema, votes, features_of(truth), n_groups=3)
        assert (members(clear), clear.accepted) == (KNOWN, False)  # nothing is mixed up within these groups
        found = mw.propose_schema(votes.schema, votes, features_of(truth, noise=3), n_groups=3)
        assert (members(found), found.accepted) == (KNOWN, True)  # features and LFs mix labels up there
        assert found.based_on == ("the records that the label model gives each label",)

    def test_of_labels(self) -> None:
        features = features_of(np.arange(12))
        assert members(mw.propose_schema(PLAIN, features=features, n_groups=3)) == KNOWN
        _, votes = truth_and_votes(in_groups=True)
        found = mw.propose_schema(PLAIN, votes, sp.csr_array(features), n_groups=3)
        assert (members(found), found.accepted) == (KNOWN, True)

    @pytest.mark.parametrize("form", ["texts", "frame", "counts"])
    def test_texts_are_counted(self, form: str) -> None:
        truth, votes = truth_and_votes(in_groups=False)
        rng = np.random.default_rng(1)
        often = np.where(rng.random(len(truth)) < 0.5, truth, GROUP[truth] * 4 + rng.integers(0, 4, len(truth)))
        texts = [f"w{y} v{y} group{GROUP[y]} about{GROUP[y]} noise{rng.integers(5)}" for y in often]
        forms = {
            "texts": texts,
            "frame": pl.DataFrame({"text": texts}),
            "counts": mw.WordCounts().fit_transform(texts),
        }
        found = mw.propose_schema(votes.schema, votes, forms[form], n_groups=3)
        assert (members(found), found.accepted) == (KNOWN, True)

    def test_numbers_of_any_form_and_scale(self) -> None:
        truth, votes = truth_and_votes(in_groups=False)
        numbers = features_of(truth, noise=3)
        frame = pl.DataFrame(numbers * 10.0 ** np.arange(-8, 8))
        for features in (numbers, numbers.tolist(), frame):
            found = mw.propose_schema(votes.schema, votes, features, n_groups=3)
            assert (members(found), found.accepted) == (KNOWN, True)

    def test_texts_are_encoded_where_an_encoder_is_given(self) -> None:
        truth, votes = truth_and_votes(in_groups=False)
        vectors = features_of(np.arange(12))
        found = mw.propose_schema(
            votes.schema, votes, [str(y) for y in truth], 3, encoder=lambda texts: vectors[[int(t) for t in texts]]
        )
        assert members(found) == KNOWN

    def test_a_label_without_a_vote_is_alone(self) -> None:
        truth, votes = truth_and_votes(in_groups=False)
        codes = np.where(votes.codes == 11, mw.ABSTAIN, votes.codes)
        found = mw.propose_schema(PLAIN, votes_on(PLAIN, codes), features_of(truth), n_groups=4)
        assert "11" in found.tree.labels("label")


class TestGoingOn:
    def test_votes_move_to_the_task_of_their_label(self) -> None:
        found = mw.propose_schema(NAMES, n_groups=3, encoder=False)
        votes = mw.LabelMatrix([[0, 6, 4], [2, -1, -1], [3, -1, 6]], found.flat, names=["mixed", "one", "two"])
        moved = found.votes_in_tree(votes)
        assert moved.schema == found.tree
        assert moved.names == ("mixed[pay]", "mixed[trip]", "one", "two[label]", "two[trip]")
        assert moved.tasks == ("pay", "trip", "label", "label", "trip")
        assert moved.codes.tolist() == [[0, -1, 2, -1, 1], [2, -1, -1, -1, -1], [-1, 0, -1, 2, -1]]

    def test_an_lf_that_never_votes_stays(self) -> None:
        found = mw.propose_schema(NAMES, encoder=False)
        moved = found.votes_in_tree(mw.LabelMatrix(np.full((3, 1), -1), found.flat))
        assert (moved.tasks, moved.codes.tolist()) == (("label",), [[-1]] * 3)

    def test_probabilities_move_with_their_labels(self) -> None:
        labels = ["pay.bill", "trip.book", "pay.tax", "trip.plan"]
        found = mw.propose_schema(labels, encoder=False, n_groups=2)
        assert found.tree.end_labels == ("pay.bill", "pay.tax", "trip.book", "trip.plan")
        moved = found.probabilities_in_tree(mw.TaskProbabilities(np.array([[0.1, 0.2, 0.3, 0.4]]), found.flat))
        np.testing.assert_array_equal(moved.end, [[0.1, 0.3, 0.2, 0.4]])
        np.testing.assert_allclose(moved["label"], [[0.4, 0.6]])

    def test_other_labels_and_sets_are_refused(self) -> None:
        found = mw.propose_schema(NAMES, encoder=False)
        message = r"votes must be on the same end labels as the tree; '0' is in only one of them\."
        with pytest.raises(VotesError, match=f"^{message}$"):
            found.votes_in_tree(votes_on(PLAIN, [[0]]))
        sets = mw.LabelMatrix([[0]], found.flat, outcomes={"lf_0": [[1.0, 1, 0, 0, 0, 0, 0, 0]]})
        with pytest.raises(
            VotesError, match=r"^Votes for a tree must be labels; got sets or soft votes of lf_0\. "
        ):
            found.votes_in_tree(sets)

    def test_what_is_saved_is_read_as_a_schema(self, tmp_path: Path) -> None:
        found = mw.propose_schema(NAMES, encoder=False)
        found.save(tmp_path / "tree.yaml")
        assert mw.TaskSchema.from_yaml(tmp_path / "tree.yaml") == found.tree
        assert (tmp_path / "tree.yaml").read_text().startswith("# 2 groups of 7 labels, made from the words")
        assert "Proposed schema" in found._repr_html_()


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"n_groups": 1}, "n_groups must be a whole number from 2 to 6; got 1."),
            ({"n_groups": 7}, "n_groups must be a whole number from 2 to 6; got 7."),
            ({"votes": [[0]]}, "votes must be a LabelMatrix; got list."),
            (
                {"features": np.ones((3, 2))},
                "features must have one row a label (7); got 3 rows. Features of records need votes, too.",
            ),
            ({"features": np.ones(7)}, "features must be an array (n_points, n_features) of finite numbers; "
             "got shape (7,)."),
            ({"features": np.full((7, 2), np.nan)}, "features must be an array (n_points, n_features) of finite "
             "numbers; got NaN or infinity."),
            ({"features": sp.csr_array([[np.inf]] * 7)},
             "features must hold finite numbers; got NaN or infinity."),
            ({"random_state": -1}, "random_state must be a whole number of at least 0; got -1."),
        ],
    )  # fmt: skip
    def test_arguments(self, arguments: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigError) as caught:
            mw.propose_schema(NAMES, **({"encoder": False} | arguments))
        assert str(caught.value) == message

    def test_votes_must_fit(self) -> None:
        found = mw.propose_schema(NAMES, encoder=False)
        with pytest.raises(VotesError, match=r"^votes must be on a flat schema; got votes on 3 tasks\.$"):
            mw.propose_schema(NAMES, mw.LabelMatrix([[0]], found.tree, tasks=["pay"]))
        with pytest.raises(VotesError, match=r"^votes must be on the same end labels as the tree; 'help' is in"):
            mw.propose_schema(NAMES, votes_on(NAMES[:6], [[0]]))
        with pytest.raises(VotesError, match=r"^labels must be flat; got a tree of 3 tasks\. "):
            mw.propose_schema(found.tree)
        with pytest.raises(
            ConfigError, match=r"^features must have one row a record \(1\) or label \(7\); got 3 rows"
        ):
            mw.propose_schema(NAMES, votes_on(NAMES, [[0]]), np.ones((3, 2)), encoder=False)
        with pytest.raises(LabelingError, match=r"^encoder must be a sentence-transformers or model2vec model"):
            mw.propose_schema(NAMES, encoder=7)
