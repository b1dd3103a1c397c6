"""The same thing has the same colour everywhere."""

from metalwork.report._colours import colours


def test_splits_and_the_prior_keep_their_colours() -> None:
    assert colours(["dev", "test"]) == ["s1", "s2"]
    assert colours(["label model, train", "end model, train", "gold, test", "gold, dev", "class prior"]) == [
        *("s0", "s4", "s2", "s1", "s3")
    ]


def test_more_names_than_colours_share_the_last() -> None:
    assert colours(["a", "b", "c", "d"], free=("s4", "s5")) == ["s4", "s5", "s5", "s5"]
