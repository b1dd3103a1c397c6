"""Which votes moved a prediction, and by how much."""

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import VotesError
from tests.unit import schemas

SECTORS = mw.TaskSchema.from_dict(schemas.SECTORS)
VOTES = mw.LabelMatrix(
    [[0, 0, 0, -1], [1, -1, -1, 1], [0, 1, 0, -1], [-1, -1, -1, -1]] * 20,
    SECTORS,
    ["sector", "corporate", "corporate", "markets"],
    ["root", "first", "second", "other"],
)


def fitted() -> mw.HierarchicalLabelModel:
    return mw.HierarchicalLabelModel(SECTORS).fit(VOTES)


def test_an_effect_is_the_change_in_log_odds() -> None:
    model = fitted()
    effects = {effect.lf: effect for effect in model.explain(VOTES, 2, "Performance")}
    assert set(effects) == {"root", "first", "second"}  # the LF that abstains has none
    assert (effects["first"].task, effects["first"].label) == ("corporate", "Funding")
    alone = VOTES.rows([2, 2])
    codes = alone.codes.copy()
    codes[1, 1] = mw.ABSTAIN
    with_vote, without = model.predict_proba(mw.LabelMatrix(codes, SECTORS, VOTES.tasks, VOTES.names)).end[:, 0]
    expected = np.log(with_vote / (1 - with_vote)) - np.log(without / (1 - without))
    assert effects["first"].effect == pytest.approx(expected)
    assert effects["first"].effect < 0 < effects["second"].effect


def test_the_strongest_vote_stands_first_and_the_prediction_is_explained() -> None:
    effects = fitted().explain(VOTES, 0)
    sizes = [abs(effect.effect) for effect in effects]
    assert sizes == sorted(sizes, reverse=True)
    assert all(effect.effect > 0 for effect in effects)


def test_a_record_without_votes_has_nothing_to_explain() -> None:
    assert fitted().explain(VOTES, 3) == []


def test_a_row_that_is_not_there_is_named() -> None:
    with pytest.raises(VotesError, match=r"^row must be 0\.\.79; got 80\.$"):
        fitted().explain(VOTES, 80)
