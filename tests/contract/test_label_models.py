"""One suite that every label model passes."""

import copy
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, DataError, MetalworkWarning, NotFittedError, VotesError
from metalwork.label_models import LabelModel
from tests.simulated import simulate
from tests.unit.schemas import SECTORS

pytestmark = pytest.mark.filterwarnings("ignore:No (LF|record):metalwork.errors.MetalworkWarning")

SCHEMA = mw.TaskSchema.from_dict(SECTORS)
TASKS = SCHEMA.tasks
Make = Callable[[mw.TaskSchema], LabelModel]
MODELS: dict[str, Make] = {
    "hard": lambda schema: mw.MajorityVote(schema, mode="hard", random_state=3),
    "soft": lambda schema: mw.MajorityVote(schema, mode="soft"),
    "loglinear": mw.LogLinearLabelModel,
    "auto": mw.HierarchicalLabelModel,
    "rules": lambda schema: mw.HierarchicalLabelModel(schema, kind="rules"),
    "independent": lambda schema: mw.HierarchicalLabelModel(schema, kind="independent"),
    "feature aware": mw.FeatureAwareLabelModel,
}
NOT_HARD = [name for name in MODELS if name != "hard"]  # the hard vote breaks ties by row number
DEFAULT = ["auto", "rules", "independent"]
every_model = pytest.mark.parametrize("name", MODELS)


def made(name: str, schema: mw.TaskSchema = SCHEMA) -> LabelModel:
    return MODELS[name](schema)


def posterior(name: str, votes: mw.LabelMatrix, **more: Any) -> npt.NDArray[np.floating[Any]]:
    """Fit and predict on the same votes; what comes out must be distributions."""
    model = made(name, votes.schema).fit(votes, **more)
    probs = model.predict_proba(votes)
    assert_distributions(probs.end, votes)
    return probs.end


def assert_distributions(end: npt.NDArray[np.floating[Any]], votes: mw.LabelMatrix) -> None:
    assert end.shape == (votes.n_points, votes.schema.n_end_labels)
    assert end.dtype == np.float64
    assert np.isfinite(end).all()
    assert (end >= 0).all()
    np.testing.assert_allclose(end.sum(axis=1), 1.0, rtol=1e-12)


def sample(n_points: int = 400, seed: int = 0) -> tuple[mw.LabelMatrix, npt.NDArray[np.int64]]:
    found = simulate(np.random.default_rng(seed), SCHEMA, n_points, lfs_a_task=3)
    return found.votes, found.y


def voted_labels(votes: mw.LabelMatrix) -> npt.NDArray[np.bool_]:
    """bool (n_points, n_end_labels): some LF voted for a label on the end label's path, or none voted at all."""
    supported = np.zeros((votes.n_points, votes.schema.n_end_labels), dtype=bool)
    for j, task in enumerate(votes.tasks):
        members = votes.schema.members(task)
        for row, code in enumerate(votes.codes[:, j]):
            if code != mw.ABSTAIN:
                supported[row] |= members[code]
    return supported | ~supported.any(axis=1, keepdims=True)


@every_model
def test_shapes_sums_predictions_and_score(name: str) -> None:
    votes, y = sample()
    model = made(name)
    assert model.fit(votes) is model
    probs = model.predict_proba(votes)
    assert isinstance(probs, mw.TaskProbabilities)
    assert_distributions(probs.end, votes)
    predicted = model.predict(votes)
    assert predicted.dtype == np.int64
    likeliest = probs.end.argmax(axis=1)
    assert (probs.end[np.arange(len(y)), predicted] == probs.end[np.arange(len(y)), likeliest]).all()
    assert model.score(votes, y) == pytest.approx(np.mean(predicted == y))
    assert model.score(votes, SCHEMA.end_names(y)) == model.score(votes, y)
    assert model.score(votes, y) > 0.5


@every_model
def test_undecided_records_may_be_left_open(name: str) -> None:
    """LF 0 and LF 1 are each other's mirror image; where they differ there is a tie, as where none votes."""
    schema = mw.TaskSchema.flat(["a", "b"])
    codes = [[0, 1, -1], [-1, -1, -1], [0, 0, 0], [1, 1, 1], [1, 0, -1]] * 9
    votes = mw.LabelMatrix(codes, schema)
    model = made(name, schema).fit(votes)
    assert model.predict(votes, undecided="abstain").tolist() == [-1, -1, 0, 1, -1] * 9
    assert model.predict(votes, undecided="label").min() >= 0
    assert (model.predict(votes) == model.predict(votes, undecided="label")).all()
    text = "undecided must be one of 'label', 'abstain'; got 'skip'."
    assert text_of(ValueError, model.predict, votes, undecided="skip") == text


@every_model
def test_decided_records_stay_as_they_are(name: str) -> None:
    votes, _ = sample()
    model = made(name).fit(votes)
    predicted, decided = model.predict(votes), model.predict(votes, undecided="abstain")
    assert (decided[decided >= 0] == predicted[decided >= 0]).all()
    assert (decided[(votes.codes < 0).all(axis=1)] == mw.ABSTAIN).all()
    top = np.sort(model.predict_proba(votes).end, axis=1)[:, -2:]
    if name == "allow":
        voted = (votes.codes >= 0).any(axis=1)
        assert ((decided < 0) == (~voted | (top[:, 0] >= top[:, 1] * (1 - 1e-6)))).all()


@pytest.mark.parametrize("end", [[[0.5, 0.5, 0, 0.1]], [[1.5, -0.5, 0, 0]], [[np.nan, 1, 0, 0]], [[1.0, 0.0]]])
def test_the_check_of_distributions_fails(end: Any) -> None:
    votes = mw.LabelMatrix([[0]], SCHEMA, ["sector"])
    with pytest.raises(AssertionError):
        assert_distributions(np.array(end), votes)


@every_model
def test_the_constructor_stores_its_arguments_and_fit_leaves_them(name: str) -> None:
    model = made(name)
    before = copy.deepcopy(model.get_params())
    assert model.schema is SCHEMA
    assert not [attribute for attribute in vars(model) if attribute.endswith("_")]
    model.fit(sample()[0])
    assert model.get_params() == before


@every_model
def test_votes_are_left_as_they_are(name: str) -> None:
    plain, _ = sample(50)
    for stored in (plain.codes, np.asfortranarray(plain.codes), plain.codes.astype(np.int64)):
        votes = mw.LabelMatrix(stored, SCHEMA, plain.tasks)
        made(name).fit(votes, dev=None).predict_proba(votes)
        assert (votes.codes == plain.codes).all()
        assert (stored == plain.codes).all()


def text_of(error: type[Exception], call: Callable[..., object], *arguments: Any, **named: Any) -> str:
    with pytest.raises(error) as caught:
        call(*arguments, **named)
    return str(caught.value)


@every_model
def test_a_model_not_fitted_says_so(name: str, tmp_path: Path) -> None:
    votes, y = sample(5)
    text = f"{type(made(name)).__name__} must be fitted before it predicts. Call fit(votes) first."
    for call in (made(name).predict_proba, made(name).predict):
        assert text_of(NotFittedError, call, votes) == text
    assert text_of(NotFittedError, made(name).score, votes, y) == text
    assert text_of(NotFittedError, made(name).save, tmp_path / "m.npz") == text
    assert list(tmp_path.iterdir()) == []


@every_model
def test_votes_that_do_not_fit(name: str) -> None:
    votes, y = sample(20)
    model = made(name).fit(votes)
    other = mw.LabelMatrix([[0]], mw.TaskSchema.flat(["a", "b"]))
    text = "votes must have the model's schema; it differs."
    assert text_of(VotesError, model.fit, other) == text
    assert text_of(VotesError, model.predict_proba, other) == text
    text = "votes must come from the LFs the model was fitted on, in their order; they differ."
    assert text_of(VotesError, model.predict, votes.lfs(range(1, votes.n_lfs))) == text
    assert text_of(VotesError, model.predict, votes.lfs(range(votes.n_lfs)[::-1])) == text
    assert text_of(VotesError, model.fit, votes.rows([])) == "votes must hold at least one record; got none."
    assert text_of(ConfigError, model.fit, votes.codes) == (
        "votes must be a LabelMatrix; got ndarray. "
        "Use mw.apply, or mw.LabelMatrix(codes, schema, tasks=...) for codes of your own."
    )
    assert text_of(VotesError, model.score, votes, y[1:]) == "y must hold one end label a record (20); got 19."


@every_model
def test_priors_and_dev_sets_that_do_not_fit(name: str) -> None:
    votes, y = sample(20)
    model = made(name)
    for prior in ([0.5, 0.5], [0.5, 0.5, 0.5, 0.5], [1.5, -0.5, 0, 0], [np.nan] * 4):
        text = f"class_prior must be 4 probabilities that sum to 1; got {prior!r}."
        assert text_of(VotesError, model.fit, votes, class_prior=prior) == text
    text = "dev votes must come from the same LFs as votes, in their order; they differ."
    assert text_of(VotesError, model.fit, votes, dev=(votes.lfs([0]), y)) == text
    text = "dev must hold one label a record (20); got 3."
    assert text_of(VotesError, model.fit, votes, dev=(votes, y[:3])) == text
    text = (
        "Row 0: 'x' is no label. Known: "
        + ", ".join(map(repr, (*SCHEMA.end_labels, "Corporate", "Markets")))
        + "."
    )
    assert text_of(VotesError, model.fit, votes, dev=(votes, ["x"] * 20)) == text


@every_model
def test_class_prior_and_dev_are_accepted(name: str) -> None:
    votes, y = sample()
    dev = (votes.rows(slice(30)), SCHEMA.end_names(y[:30]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetalworkWarning)  # a certain prior contradicts dev labels
        for prior in ([0.4, 0.3, 0.2, 0.1], [1.0, 0.0, 0.0, 0.0]):
            posterior(name, votes, class_prior=prior, dev=dev)


def test_the_paper_model_says_that_it_uses_neither() -> None:
    votes, _ = sample(20)
    with pytest.warns(MetalworkWarning, match="class_prior and dev are not used"):
        made("loglinear").fit(votes, class_prior=[0.25] * 4)


def blank(n_points: int, tasks: Any) -> mw.LabelMatrix:
    return mw.LabelMatrix(np.full((n_points, len(tasks)), -1), SCHEMA, tasks)


@pytest.mark.filterwarnings("ignore:.*nearly as likely with")
@every_model
def test_votes_of_every_odd_kind_give_finite_distributions(name: str) -> None:
    rng = np.random.default_rng(0)
    pair = rng.integers(0, 2, (200, 1))
    odd = {
        "one record": mw.LabelMatrix([[0, -1, 1]], SCHEMA, TASKS),
        "one record, no vote": blank(1, TASKS),
        "no LF": blank(5, []),
        "no LF for two tasks": mw.LabelMatrix(rng.integers(-1, 2, (50, 2)), SCHEMA, ["sector", "corporate"]),
        "an LF that never votes": mw.LabelMatrix(np.c_[rng.integers(-1, 2, (50, 2)), [-1] * 50], SCHEMA, TASKS),
        "LFs that always agree": mw.LabelMatrix(np.repeat(pair, 6, axis=1), SCHEMA, ["sector"] * 6),
        "one label only": mw.LabelMatrix(np.zeros((100, 6), int), SCHEMA, ["sector", "corporate"] * 3),
        "LFs that always differ": mw.LabelMatrix(np.c_[pair, 1 - pair], SCHEMA, ["sector"] * 2),
        "mostly wrong LFs": simulate(rng, SCHEMA, 300, accuracy=(0.02, 0.2)).votes,
        "votes off the branch": simulate(rng, SCHEMA, 300, on=0.1, off=0.9).votes,
        "300 LFs": simulate(rng, SCHEMA, 100, lfs_a_task=100).votes,
    }
    for votes in odd.values():
        posterior(name, votes)


@pytest.mark.parametrize("name", NOT_HARD)
def test_without_a_vote_there_is_the_prior(name: str) -> None:
    np.testing.assert_allclose(posterior(name, blank(20, TASKS)), 0.25, rtol=1e-6)


@pytest.mark.parametrize("name", DEFAULT)
def test_without_a_vote_there_is_the_given_prior(name: str) -> None:
    prior = np.array([0.4, 0.3, 0.2, 0.1])
    end = posterior(name, blank(20, TASKS), class_prior=prior)
    atol = 1e-7 if name == "rules" else 0.02  # generative tables hold pseudo-records that differ by class
    np.testing.assert_allclose(end, np.tile(prior, (20, 1)), atol=atol)


def test_two_thousand_lfs_and_five_thousand_end_labels_stay_finite() -> None:
    branches = [{f"b{i}": {"task": f"t{i}", "labels": [f"l{i}.{c}" for c in range(100)]}} for i in range(50)]
    wide = mw.TaskSchema.from_dict({"task": "root", "labels": branches})
    rng = np.random.default_rng(0)
    few = mw.LabelMatrix(rng.integers(-1, 50, (20, 4)), wide, ["root", "root", "t1", "t2"])
    many = mw.LabelMatrix(rng.integers(0, 2, (20, 2000)), SCHEMA, ["sector"] * 2000)
    for name in ("soft", "auto", "rules"):
        posterior(name, few)
        posterior(name, many)


@every_model
def test_saved_and_loaded(name: str, tmp_path: Path) -> None:
    votes, _ = sample()
    model = made(name).fit(votes)
    model.save(tmp_path / "model.npz")
    again = mw.load_label_model(tmp_path / "model.npz")
    assert type(again) is type(model)
    assert (again.schema, again.get_params()) == (SCHEMA, model.get_params())
    assert (again.predict_proba(votes).end == model.predict_proba(votes).end).all()
    fitted = [{key for key in vars(m) if key.endswith("_")} for m in (model, again)]
    assert fitted[0] == fitted[1]
    again.save(tmp_path / "again.npz")
    assert (mw.load_label_model(tmp_path / "again.npz").predict(votes) == model.predict(votes)).all()


@every_model
def test_damaged_model_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    made(name).fit(sample(30)[0]).save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for trial in range(30):
        data = bytearray(whole)
        if trial % 2:
            del data[int(rng.integers(len(data))) :]
        else:
            for at in rng.integers(len(data), size=20):
                data[at] = int(rng.integers(256))
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"^.*model\.npz: must be a 'metalwork label model 1' file; it is"):
            mw.load_label_model(path)


@pytest.mark.parametrize("name", NOT_HARD)
def test_row_order_does_not_matter_by_a_bit(name: str) -> None:
    votes, _ = sample()
    order = np.random.default_rng(1).permutation(votes.n_points)
    assert (posterior(name, votes.rows(order)) == posterior(name, votes)[order]).all()


@every_model
def test_fitting_twice_is_the_same_by_a_bit(name: str) -> None:
    votes, _ = sample()
    model = made(name).fit(votes)
    first = model.predict_proba(votes).end
    assert (model.fit(votes).predict_proba(votes).end == first).all()


@pytest.mark.parametrize("name", NOT_HARD)
def test_records_in_parts_are_predicted_as_together(name: str) -> None:
    votes, _ = sample()
    model = made(name).fit(votes)
    parts = [model.predict_proba(votes.rows(slice(i, i + 37))).end for i in range(0, votes.n_points, 37)]
    np.testing.assert_allclose(np.concatenate(parts), model.predict_proba(votes).end, rtol=1e-12)


@pytest.mark.parametrize("name", NOT_HARD)
def test_lf_order_does_not_matter(name: str) -> None:
    votes, _ = sample()
    order = np.random.default_rng(1).permutation(votes.n_lfs)
    np.testing.assert_allclose(posterior(name, votes.lfs(order)), posterior(name, votes), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", NOT_HARD)
def test_label_order_does_not_matter(name: str) -> None:
    """Swap the labels of the root and of one child: the same votes, the same probabilities, swapped."""
    votes, _ = sample()
    labels = SECTORS["labels"]
    markets = {"Markets": {"task": "markets", "labels": ["Commodity", "Money"]}}
    swapped = mw.TaskSchema.from_dict({"task": "sector", "labels": [markets, labels[0]]})
    codes = votes.codes.copy()
    for j, task in enumerate(votes.tasks):
        if task != "corporate":
            codes[:, j] = np.where(codes[:, j] < 0, -1, 1 - codes[:, j])
    found = posterior(name, mw.LabelMatrix(codes, swapped, votes.tasks, votes.names))
    order = swapped.end_codes(SCHEMA.end_labels)
    np.testing.assert_allclose(found[:, order], posterior(name, votes), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["soft", "loglinear"])
def test_duplicated_records_change_nothing(name: str) -> None:
    votes, _ = sample(200)
    twice = mw.LabelMatrix.concatenate([votes, votes, votes])
    end = posterior(name, votes)
    np.testing.assert_allclose(posterior(name, twice), np.tile(end, (3, 1)), rtol=1e-6)


@pytest.mark.parametrize("name", DEFAULT)
def test_duplicated_records_change_little(name: str) -> None:
    """Three times the data weigh more against the priors; copies stay equal, and as many labels are right."""
    votes, y = sample(400)
    thrice = posterior(name, mw.LabelMatrix.concatenate([votes] * 3))
    assert (thrice[:400] == thrice[400:800]).all()
    once = posterior(name, votes)
    assert np.abs(thrice[:400] - once).mean() < 0.15
    assert np.mean(thrice[:400].argmax(axis=1) == y) > np.mean(once.argmax(axis=1) == y) - 0.05
