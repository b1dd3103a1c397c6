"""What is said of labeling functions, of pairs of them, and of labels."""

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.analysis import lf_summary
from metalwork.errors import ConfigError
from metalwork.inspection import LFCard
from tests.unit.inspection.pets import DEV, LFS, SCHEMA, run_of

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")  # few LFs, few records


@pytest.fixture(scope="module")
def run() -> mw.Run:
    return run_of().fit()


def card(run: mw.Run, name: str) -> LFCard:
    return next(card for card in run.inspection.lf_cards() if card.name == name)


def test_a_card_counts_what_its_labeling_function_does(run: mw.Run) -> None:
    assert [card.name for card in run.inspection.lf_cards()] == [lf.name for lf in LFS]
    meows = card(run, "meows")
    row = lf_summary(run.votes["train"]).rows[2]
    assert (meows.task, meows.polarity, meows.reads) == ("mammal", ("Cat",), ("text",))
    assert (meows.n_votes, meows.coverage, meows.overlap, meows.conflict) == (3, 3 / 9, row.overlap, row.conflict)
    assert (meows.marginal_coverage, card(run, "hoots").marginal_coverage) == (0.0, 1 / 9)
    assert card(run, "barks").reads == ("text", "legs")
    assert [c.name for c in run.inspection.lf_cards("bird")] == ["hoots", "quacks"]


def test_precision_is_over_all_votes_with_an_interval(run: mw.Run) -> None:
    meows = card(run, "meows")
    assert meows.dev_precision is not None
    assert (meows.dev_precision.value, meows.dev_precision.n, meows.n_wrong) == (0.5, 2, 1)
    assert meows.dev_off_branch == 0.5
    assert meows.dev_precision.low == pytest.approx(0.1209, abs=1e-4)
    labels, rows = run.labels["train"], np.flatnonzero(run.votes["train"].codes[:, 2] >= 0)
    held = float(labels["mammal"][rows, 0].mean())
    assert meows.off_branch == pytest.approx(1 - labels["mammal"][rows].sum(axis=1).mean())
    assert meows.precision is not None
    assert meows.precision.low < meows.precision.value < meows.precision.high
    assert min(held, 0.5) < meows.precision.value < max(held, 0.5)  # the dev labels pull it
    hoots = card(run, "hoots")
    assert hoots.dev_precision is None
    assert hoots.precision is not None
    assert hoots.precision.value == pytest.approx(labels["bird"][1, 0], abs=1e-6)


def test_sets_and_soft_votes_are_right_as_far_as_they_hold_the_truth() -> None:
    schema = mw.TaskSchema.flat(["a", "b", "c"])
    records = pl.DataFrame({"text": ["one", "two", "three", "four"], "label": ["a", "b", "c", "c"]})

    @mw.labeling_function(task="label", name="either")
    def either(text: str) -> list[str]:
        return ["a", "b"]

    @mw.labeling_function(task="label", name="soft")
    def soft(text: str) -> dict[str, float]:
        return {"a": 0.25, "b": 0.25, "c": 0.5}

    not_a = mw.from_callable(lambda text: mw.Not("a"), "label", ["text"], "not a")
    run = mw.Run.of(schema, [either, soft, not_a], train=records, dev=records, features={"text": "text"}).fit()
    cards = {card.name: card for card in run.inspection.lf_cards()}
    right = {name: card.dev_precision and card.dev_precision.value for name, card in cards.items()}
    assert right == {"either": 0.5, "soft": 0.5, "not a": 0.75}
    assert all(card.precision is not None and card.off_branch == pytest.approx(0) for card in cards.values())
    pairs = run.inspection.lf_pairs()
    assert pairs.overlap.min() == 4
    assert pairs.conflict.max() == 0
    assert {record.row for record in run.records(lf="either", wrong=True, split="dev").records} == {2, 3}


def test_flags_say_what_is_worth_a_look() -> None:
    @mw.labeling_function(task="bird", name="broken")
    def broken(text: str) -> str:
        raise RuntimeError

    never = mw.keywords("bird", "Owl", ["nowhere"], name="never")
    wrong = mw.keywords("kind", "Bird", ["meow", "fur"], name="wrong")
    dev = pl.DataFrame({"text": ["meow"] * 5, "legs": [4] * 5, "label": ["Cat"] * 5})
    job = run_of(dev=dev, id=None).job
    job.labeling_functions, job.max_error_rate = [*LFS, broken, never, wrong], 1.0
    cards = {card.name: card for card in mw.Run(job).apply().inspection.lf_cards()}
    assert cards["never"].flags == ("never votes",)
    assert cards["broken"].flags == ("never votes", "failed on 9 records")
    assert cards["wrong"].flags == ("right on 0 of 5 dev votes",)
    assert cards["wrong"].precision is None  # before fit
    assert cards["meows"].flags == ()


def test_pairs_agree_with_a_count_record_by_record(run: mw.Run) -> None:
    pairs, votes = run.inspection.lf_pairs(), run.votes["train"]
    everything = np.ones(SCHEMA.n_end_labels, bool)
    admits = [
        [
            SCHEMA.members(task)[code] if code >= 0 else everything
            for task, code in zip(votes.tasks, row, strict=True)
        ]
        for row in votes.codes
    ]
    for i in range(votes.n_lfs):
        for j in range(votes.n_lfs):
            both = [(row[i], row[j]) for row in admits if not (row[i].all() or row[j].all())]
            assert pairs.overlap[i, j] == len(both)
            assert pairs.conflict[i, j] == sum(not (a & b).any() for a, b in both)
    assert run.inspection.lf_pairs("bird").names == ("hoots", "quacks")


def test_copies_depend_on_each_other() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 2_000)
    codes = np.where(rng.random((2_000, 6)) < 0.8, truth[:, None], 1 - truth[:, None])
    codes[:, 5] = codes[:, 4]
    frame = pl.DataFrame({f"c{j}": [("x", "y")[code] for code in codes[:, j]] for j in range(6)})
    schema = mw.TaskSchema.flat(["x", "y"])
    lfs = [mw.from_column("label", name) for name in frame.columns]
    run = mw.Run.of(schema, lfs, train=frame, features={"categories": ["c0"]})
    found = run.apply().inspection.lf_pairs().dependence
    assert found[4, 5] > 0.9
    found[[4, 5], [5, 4]] = 0
    assert found.max() < 0.2


def test_dropping_a_labeling_function_is_a_fit_without_it(run: mw.Run) -> None:
    found = run.inspection.without("hoots")
    assert (found.n_changed, found.n_uncovered) == (1, 1)
    assert ("train", 1) in found.rows
    kept = [j for j, lf in enumerate(LFS) if lf.name != "meows"]
    anew = mw.HierarchicalLabelModel(SCHEMA).fit(
        run.votes["train"].lfs(kept), dev=(run.votes["dev"].lfs(kept), DEV["label"].to_list())
    )
    found = run.inspection.without("meows")
    predicted = anew.predict(run.votes["dev"].lfs(kept))[:2]
    assert found.dev_accuracy_without == np.mean(predicted == SCHEMA.end_codes(["Cat", "Duck"]))
    assert found.n_dev == 2
    with pytest.raises(ConfigError, match="lf: 'meow' is no labeling function"):
        run.inspection.without("meow")
    with pytest.raises(ConfigError, match="without must be asked once the step fit is done"):
        run_of().inspection.without("meows")
    alone = mw.Run.of(SCHEMA, LFS[:1], train=DEV, features={"text": "text"}).fit()
    with pytest.raises(ConfigError, match="without must leave a labeling function; 'furry' is the only one"):
        alone.inspection.without("furry")


def test_a_label_says_who_votes_for_it_and_what_it_lacks(run: mw.Run) -> None:
    cards = {card.name: card for card in run.inspection.label_cards()}
    assert list(cards) == list(SCHEMA.end_labels)
    cat, dog = cards["Cat"], cards["Dog"]
    assert (cat.task, cat.lfs, cat.lfs_above, cat.coverage) == ("mammal", ("meows",), ("furry",), 3 / 9)
    assert dog.missing[-1] == "no dev record is known to have it"
    assert cat.dev is not None
    assert (cat.dev.precision, cat.dev.recall, cat.dev.n) == (0.5, 1.0, 1)
    labels, covered = run.labels["train"], run.votes["train"].codes.max(axis=1) >= 0
    of_cat = covered & (labels.predict() == 0)
    assert cat.n_predicted == of_cat.sum()
    assert cat.share == pytest.approx(labels.end[:, 0].mean())
    assert cat.estimated is not None
    assert cat.estimated.precision == pytest.approx(labels.end[of_cat, 0].mean(), abs=1e-6)
    assert cat.estimated.recall == pytest.approx(labels.end[of_cat, 0].sum() / labels.end[:, 0].sum(), abs=1e-6)
    assert cat.dev_end is None


def test_labels_before_fit_have_their_labeling_functions() -> None:
    run = mw.Run.of(SCHEMA, LFS[:3], train=DEV, features={"text": "text"}).apply()
    cards = {card.name: card for card in run.inspection.label_cards()}
    assert cards["Cat"].missing == ()
    assert cards["Dog"].missing == ("no labeling function votes for it",)
    assert cards["Dog"].estimated is None
