"""Errors: one tree, that travels between processes and meets scikit-learn's."""

import pickle

import pytest
from sklearn.exceptions import NotFittedError as TheirNotFittedError

from metalwork import MajorityVote, MetalworkError, TaskSchema, errors
from metalwork.errors import DataError, MissingExtraError, NotFittedError, SchemaError

ALL = [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)]


def test_the_docstring_draws_every_error() -> None:
    ours = {kind.__name__ for kind in ALL if issubclass(kind, MetalworkError)}
    drawn = {word for word in (errors.__doc__ or "").split() if word.endswith("Error")}
    assert drawn == ours


@pytest.mark.parametrize(
    "error",
    [
        SchemaError(["one", "two"]),
        DataError("a file"),
        MissingExtraError("torch", "train", "The end model"),
        NotFittedError("fit first"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_between_processes(error: MetalworkError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back).__name__, str(back)) == (type(error).__name__, str(error))
    assert getattr(back, "faults", None) == getattr(error, "faults", None)


def test_a_model_used_before_fit_is_scikit_learns_error_too() -> None:
    schema = TaskSchema.flat(["a", "b"])
    for kind in (TheirNotFittedError, NotFittedError, MetalworkError, ValueError, AttributeError):
        with pytest.raises(kind) as caught:
            MajorityVote(schema).save("nowhere")
        assert str(caught.value) == "MajorityVote must be fitted before it predicts. Call fit(votes) first."
        assert type(caught.value).__name__ == "NotFittedError"
