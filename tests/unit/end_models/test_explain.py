"""What each feature moved is what predicting without it moves."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import metalwork as mw
from metalwork.errors import ConfigError, VotesError
from tests.unit.end_models.samples import UNEVEN as SCHEMA

RNG = np.random.default_rng(0)


def fitted(X: object, **arguments: object) -> mw.EndModel:
    y = np.arange(40) % SCHEMA.n_end_labels
    return mw.EndModel(SCHEMA, hidden_sizes=(8, 8), max_epochs=3, **arguments).fit(X, y)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["counts", "standard", "none"])
@pytest.mark.parametrize("architecture", ["hier", "single"])
def test_effects_are_those_of_predicting_anew(kind: str, architecture: str) -> None:
    dense = RNG.poisson(1.0, size=(40, 6)).astype(float)
    X = sp.csr_array(dense) if kind == "counts" else dense
    model = fitted(X, scaling=kind, architecture=architecture)
    code = int(model.predict(X)[3])
    effects = model.explain(X, 3)
    assert effects
    for effect in effects:
        without = dense[[3]].copy()
        column = int(effect.feature)
        assert effect.value == dense[3, column]
        without[0, column] = dense[:, column].mean() if kind == "standard" else 0.0
        label = SCHEMA.labels(effect.task).index(effect.label)
        assert label == SCHEMA.task_codes[code, SCHEMA.tasks.index(effect.task)]
        shares = [
            model.predict_proba(one).conditional(effect.task)[0, label]
            for one in (X[[3]], sp.csr_array(without) if kind == "counts" else without)
        ]
        odds = [np.log(share / (1.0 - share)) for share in shares]
        assert effect.effect == pytest.approx(odds[0] - odds[1], abs=1e-4)


def test_the_strongest_of_each_task_comes_first_and_names_are_the_words() -> None:
    texts = ["good book", "bad film", "dull book", "great film"] * 10
    model = fitted(texts, featurizer=mw.WordCounts(min_df=1))
    effects = model.explain(texts, 1)
    assert {effect.feature for effect in effects} == {"bad", "film"}
    tasks = [effect.task for effect in effects]
    assert tasks == sorted(tasks, key=SCHEMA.tasks.index)
    for task in set(tasks):
        sizes = [abs(effect.effect) for effect in effects if effect.task == task]
        assert sizes == sorted(sizes, reverse=True)


def test_a_record_without_features_has_no_effects() -> None:
    model = fitted(["good book", "bad film"] * 20, featurizer=mw.WordCounts(min_df=1))
    assert model.explain(["unseen"]) == []


def test_another_end_label_can_be_explained_and_faults_are_named() -> None:
    X = RNG.normal(size=(40, 4))
    model = fitted(X)
    end = SCHEMA.end_labels[-1]
    codes = SCHEMA.task_codes[-1]
    labels = {effect.task: effect.label for effect in model.explain(X, end_label=end)}
    assert labels == {
        task: SCHEMA.labels(task)[code] for task, code in zip(SCHEMA.tasks, codes, strict=True) if code >= 0
    }
    with pytest.raises(VotesError, match=r"^row must be 0\.\.39; got 40\.$"):
        model.explain(X, 40)
    with pytest.raises(ConfigError, match=r"^row must be a whole number of at least 0; got -1\.$"):
        model.explain(X, -1)


RECORDS = [
    {"text": text, "stars": i % 2}
    for i, text in enumerate(["Good book, good", "bad film", "dull book", "great film"] * 10)
]


class Letters:
    """An encoder whose numbers mean nothing one by one."""

    def encode(self, texts: list[str]) -> Any:
        return np.array([[text.count(letter) + 1.0 for letter in "abdgmt"] for text in texts])


@pytest.mark.parametrize(
    "featurizer",
    [
        mw.HashedWords(64, field="text"),
        mw.SentenceEmbeddings(Letters(), field="text", cache=False),
        [mw.SentenceEmbeddings(Letters(), field="text", cache=False), mw.WordCounts(min_df=1, field="text")],
        [mw.features.NumericColumns(["stars"]), mw.HashedWords(64, field="text")],
    ],
    ids=["hashed", "embeddings", "embeddings and words", "numbers"],
)
def test_words_are_taken_out_of_texts_whose_features_mean_nothing(featurizer: Any) -> None:
    model = fitted(RECORDS, featurizer=featurizer)
    effects = model.explain(RECORDS, 0)
    with_numbers = {"stars"} if "NumericColumns" in repr(featurizer) else set()
    assert {effect.feature for effect in effects} == {"good", "book"} | with_numbers
    whole = model.predict_proba(RECORDS[:1])
    without = model.predict_proba([{"text": " book, ", "stars": 0}])
    for effect in effects:
        if effect.feature == "good":
            assert effect.value == 2.0
            label = SCHEMA.labels(effect.task).index(effect.label)
            odds = [
                np.log(p / (1 - p)) for p in (one.conditional(effect.task)[0, label] for one in (whole, without))
            ]
            assert effect.effect == pytest.approx(odds[0] - odds[1], abs=1e-4)
    assert model.explain([{"text": "", "stars": 0}]) == [] or with_numbers


def test_lists_of_texts_are_taken_apart_too() -> None:
    texts = [str(record["text"]) for record in RECORDS]
    model = fitted(texts, featurizer=mw.HashedWords(64))
    assert {effect.feature for effect in model.explain(texts, 3)} == {"great", "film"}
    with pytest.raises(VotesError, match=r"^row must be 0\.\.39; got 40\.$"):
        model.explain(texts, 40)


def test_pictures_have_nothing_to_take_out() -> None:
    model = fitted(RNG.normal(size=(40, 4, 4)), featurizer=mw.Images())
    with pytest.raises(
        ConfigError, match=r"^A model must read texts, or features with a meaning of their own, to be"
    ):
        model.explain(RNG.normal(size=(1, 4, 4)))
    records = [{"p": RNG.normal(size=(4, 4)).tolist(), "stars": i % 3} for i in range(40)]
    model = fitted(records, featurizer=[mw.Images("p"), mw.features.NumericColumns(["stars"])])
    assert {effect.feature for effect in model.explain(records)} == {"stars"}
