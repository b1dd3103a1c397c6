"""LFs that repeat each other are found from votes alone, named, and weighed by what they add; no others are."""

import tracemalloc
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.inference import Floats
from metalwork.label_models import count_votes
from metalwork.label_models._repetition import repetition_of

Codes = npt.NDArray[np.int64]


class Simulation:
    """Records of ``k`` labels, and LFs that vote on them."""

    def __init__(self, seed: int, k: int = 3, n_points: int = 4_000) -> None:
        self.rng, self.k, self.n_points = np.random.default_rng(seed), k, n_points
        self.schema = mw.TaskSchema.flat([f"label {c}" for c in range(k)])
        self.y = self.rng.integers(0, k, n_points)

    def lf(self, accuracy: float, coverage: float = 1.0) -> Codes:
        wrong = (self.y + self.rng.integers(1, self.k, self.n_points)) % self.k
        votes = np.where(self.rng.random(self.n_points) < accuracy, self.y, wrong)
        return np.where(self.rng.random(self.n_points) < coverage, votes, mw.ABSTAIN)

    def lfs(self, n: int, low: float = 0.6, high: float = 0.9, coverage: float = 1.0) -> list[Codes]:
        return [self.lf(accuracy, coverage) for accuracy in self.rng.uniform(low, high, n)]

    def copy(self, of: Codes, kept: float, accuracy: float) -> Codes:
        """``of`` with a share of its votes made anew."""
        anew = (of >= 0) & (self.rng.random(self.n_points) >= kept)
        return np.where(anew, self.lf(accuracy), of)

    def keyword(self, label: int, recall: float, precision: float = 0.85) -> Codes:
        """Votes for one label, or not at all."""
        off = recall * (1 - precision) / precision / (self.k - 1)
        fires = self.rng.random(self.n_points) < np.where(self.y == label, recall, off)
        return np.where(fires, label, mw.ABSTAIN)

    def votes(self, columns: Sequence[Codes]) -> mw.LabelMatrix:
        return mw.LabelMatrix(np.stack(columns, axis=1), self.schema)


def shared(votes: mw.LabelMatrix) -> Floats:
    return np.asarray(repetition_of(count_votes(votes)._rows.coded()).shared.toarray())


def within(found: Floats, group: Sequence[int]) -> Floats:
    block = found[np.ix_(group, group)]
    return np.asarray(block[np.triu_indices(len(group), 1)])


@pytest.mark.parametrize("coverage", [1.0, 0.5])
@pytest.mark.parametrize("kept", [0.8, 0.9, 1.0])
def test_how_much_is_copied_is_recovered(kept: float, coverage: float) -> None:
    """Two copies of an LF with ``kept`` of its votes share that with it, and the square of it with each other."""
    for seed in range(3):
        made = Simulation(seed)
        first = made.lf(0.65, coverage)
        copies = [made.copy(first, kept, 0.65) for _ in range(2)]
        found = shared(made.votes([first, *copies, *made.lfs(5, coverage=coverage)]))
        assert within(found, [0, 1]) == pytest.approx([kept], abs=0.06)
        assert within(found, [0, 2]) == pytest.approx([kept], abs=0.06)
        assert within(found, [1, 2]) == pytest.approx([kept**2], abs=0.06)
        assert not found[3:].any()


@pytest.mark.parametrize(("accuracy", "kept"), [(0.6, 1.0), (0.6, 0.95), (0.6, 0.9)])
def test_six_copies_of_a_weak_lf_do_not_outvote_three_good_ones(accuracy: float, kept: float) -> None:
    made = Simulation(0, k=2, n_points=5_000)
    weak, good = made.lf(accuracy), made.lfs(3, 0.8, 0.8)
    once, model = made.votes([weak, *good]), mw.HierarchicalLabelModel(made.schema)
    alone = model.fit(once).score(once, made.y)
    copied = made.votes([weak, *(made.copy(weak, kept, accuracy) for _ in range(5)), *good])
    assert model.fit(copied).score(copied, made.y) > alone - 0.01
    assert len(model.repeated_) == 15


def test_two_groups_of_correlated_lfs_are_two_opinions() -> None:
    made = Simulation(1)
    hidden = [made.lf(0.65), made.lf(0.65)]
    groups = [made.copy(one, 0.8, 0.65) for one in hidden for _ in range(5)]
    votes = made.votes([*groups, *made.lfs(2, 0.75, 0.75)])
    model = mw.HierarchicalLabelModel(made.schema, kind="rules").fit(votes)
    assert model.diagnose().groups == (
        tuple(f"lf_{j}" for j in range(5)),
        tuple(f"lf_{j}" for j in range(5, 10)),
    )
    assert model.vote_weights_[:10] == pytest.approx(1 / (1 + 4 * 0.64), abs=0.05)  # Kish's design effect
    assert (model.vote_weights_[10:] == 1).all()
    plain = mw.MajorityVote(made.schema, mode="hard").fit(votes)
    assert model.score(votes, made.y) > plain.score(votes, made.y) + 0.05


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("coverage", [1.0, 0.4])
def test_two_prompts_of_one_model_that_share_errors_are_a_group(coverage: float, soft: bool) -> None:
    """Both are right on 75 %, and 60 % of the errors are common, whatever the other LFs cover."""
    made = Simulation(2, k=4)
    first = made.lf(0.75)
    common = (first != made.y) & (made.rng.random(made.n_points) < 0.6)
    second = np.where(common, first, made.lf(1 - 0.25 * 0.4 / (1 - 0.25 * 0.6)))
    others = made.lfs(6, 0.7, 0.7, coverage)
    votes = made.votes([first, second, *others])
    if soft:
        hold = [np.where(np.eye(4)[prompt] == 1, 0.7, 0.1) for prompt in (first, second)]
        votes = mw.LabelMatrix.beside(
            [
                mw.LabelMatrix.from_soft(hold, made.schema, names=["lf_0", "lf_1"]),
                votes.lfs(range(2, 8)),
            ]
        )
    model = mw.HierarchicalLabelModel(made.schema, kind="rules").fit(votes)
    assert model.diagnose().groups == (("lf_0", "lf_1"),)
    assert (model.vote_weights_[:2] < 0.75).all()
    assert (model.vote_weights_[2:] == 1).all()


def test_keyword_lfs_that_fire_together_are_found_and_others_of_the_label_are_not() -> None:
    made = Simulation(3, n_points=6_000)
    columns = [made.keyword(j % 3, recall) for j, recall in enumerate(made.rng.uniform(0.05, 0.3, 15))]
    base = columns[1]
    fires = base >= 0
    moved = fires & (made.rng.random(made.n_points) < 0.1)
    copy = np.where(moved, mw.ABSTAIN, base)
    copy[made.rng.choice(np.flatnonzero(~fires), int(moved.sum()), replace=False)] = 1
    found = shared(made.votes([*columns, copy]))
    assert found[1, 15] == pytest.approx(0.9, abs=0.08)
    assert np.count_nonzero(found) == 2


@pytest.mark.parametrize("kind", ["dense", "sparse", "two labels", "one label", "raters", "good", "unequal"])
def test_independent_lfs_are_rarely_taken_for_copies(kind: str) -> None:
    """0.05 pairs a matrix, at most: here 30 matrices may have as many as five in all."""
    named = 0.0
    for seed in range(30):
        made = Simulation(seed, 2 if kind in ("two labels", "good") else 3, n_points=1_500)
        if kind == "unequal":
            made.y = made.rng.choice(3, made.n_points, p=[0.9, 0.06, 0.04]).astype(np.int64)
        if kind == "one label":
            columns = [made.keyword(j % 3, 0.2) for j in range(15)]
        elif kind == "good":
            columns = made.lfs(6, 0.9, 0.99)
        else:
            n_lfs, coverage = {"sparse": (15, 0.3), "raters": (60, 0.05)}.get(kind, (10, 1.0))
            columns = made.lfs(n_lfs, coverage=coverage)
        named += np.count_nonzero(shared(made.votes(columns))) / 2
    assert named <= 5


def test_two_perfect_lfs_agree_because_they_are_right() -> None:
    made = Simulation(4, k=2)
    assert not shared(made.votes([made.y, made.y.copy(), *made.lfs(4, 0.7, 0.7)])).any()


def test_without_a_third_lf_only_all_but_identical_ones_are_copies() -> None:
    made = Simulation(5)
    first = made.lf(0.7)
    assert shared(made.votes([first, first.copy()]))[0, 1] == pytest.approx(1.0)
    assert not shared(made.votes([first, made.copy(first, 0.9, 0.7)])).any()
    assert not shared(made.votes(made.lfs(2, 0.9, 0.95))).any()


def test_the_order_of_lfs_and_of_records_changes_nothing() -> None:
    made = Simulation(6)
    first = made.lf(0.65, 0.5)
    columns = [first, *(made.copy(first, 0.8, 0.65) for _ in range(3)), *made.lfs(6, coverage=0.5)]
    columns += [made.keyword(j % 3, 0.2) for j in range(6)]
    found = shared(made.votes(columns))
    assert np.count_nonzero(found) == 12
    order, rows = made.rng.permutation(len(columns)), made.rng.permutation(made.n_points)
    again = shared(made.votes([columns[j][rows] for j in order]))
    assert again == pytest.approx(found[np.ix_(order, order)], abs=1e-9)


def test_copies_among_a_thousand_lfs_that_all_vote_are_found() -> None:
    made = Simulation(7, k=2, n_points=600)
    columns = made.lfs(999)
    found = shared(made.votes([*columns, columns[3]]))
    assert found[3, 999] == pytest.approx(1.0)
    assert np.count_nonzero(found) <= 4


def test_memory_is_linear_in_votes_that_meet() -> None:
    """20,000 workers on 4,000 records, five a record: arrays of all pairs would take 3 GB each."""
    rng = np.random.default_rng(8)
    record, worker = np.repeat(np.arange(4_000), 5), rng.permutation(20_000)
    worker[:3_000] = np.tile(np.arange(5), 600)  # five workers share 600 records
    label = rng.integers(0, 3, 20_000)
    label[1:3_000:5] = label[0:3_000:5]  # two of them say the same
    votes = mw.LabelMatrix.from_long(
        record, worker, np.array(["a", "b", "c"])[label], mw.TaskSchema.flat(["a", "b", "c"])
    )
    coded = count_votes(votes)._rows.coded()
    tracemalloc.start()
    found = repetition_of(coded).shared
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6
    assert found.nnz == 2
    assert found.data == pytest.approx(1.0, abs=0.01)
