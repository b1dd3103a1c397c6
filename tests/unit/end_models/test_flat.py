"""The flat classifier is an ordinary classifier of scikit-learn."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from metalwork.end_models import FlatClassifier

EXPECTED_TO_FAIL = {
    "check_sample_weight_equivalence_on_dense_data": "mini-batches: a record twice is two draws, at weight 2 one",
    "check_sample_weight_equivalence_on_sparse_data": "mini-batches: a record twice is two draws, at weight 2 one",
}


def small() -> FlatClassifier:
    return FlatClassifier((16,), max_epochs=40, lr=0.01)


CHECKS = list(estimator_checks_generator(small()))


def test_what_is_expected_to_fail_is_there() -> None:
    assert {check.func.__name__ for _, check in CHECKS} >= set(EXPECTED_TO_FAIL)


@pytest.mark.parametrize(
    ("estimator", "check"), CHECKS, ids=[f"{i}-{check.func.__name__}" for i, (_, check) in enumerate(CHECKS)]
)
@pytest.mark.filterwarnings("ignore")
def test_it_passes_scikit_learns_checks(estimator: Any, check: Any) -> None:
    if check.func.__name__ in EXPECTED_TO_FAIL:
        with pytest.raises(AssertionError):
            check(estimator)
    else:
        check(estimator)
