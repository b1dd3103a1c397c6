"""Where a sentence begins and ends around a word of it."""

import pytest

from metalwork.text import Sentences


@pytest.mark.parametrize(
    "text",
    [
        "One. [Two X]. Three",
        "one. [two X]. three",
        "One! [two X]? Three",
        "One. [Of 2.5 cm by X]\n\nNext.",
        "[Seen by Dr. Smith, e.g. X vs. last year]. Two",
        "[About approx. 5 X etc. at 3 p.m. today]. Two",
        "Of 5 cm. [X is]. Two",
        "[See www.example.com for X]. Two",
        "[It is No. 5 of X]. Two",
        "It is no. [X]. Two",
        "Joined.[Then X]. Two",
        "[A line that is wrapped here and\nThere is an X]. Two",
        "[A line that was wrapped at its\n   end for X]. Two",
        "A short line\n[Then X is here, with much to tell]",
        "- one\n[- two X]\n- three",
        "1) one\n[2) two X]\n3) three",
        "some words\n[HEADING: X]\n\nmore",
        "one\r\n\r\n[two X]\r\n\r\nthree",
        "Before. [Any? X]. After",
        "[X].",
        "[विचार X]। दूसरा",
    ],
)
def test_the_sentence_around_a_word(text: str) -> None:
    expected = text[text.index("[") + 1 : text.index("]")]
    plain = text.replace("[", "").replace("]", "")
    start, stop = Sentences(plain).around(plain.index("X"))
    assert plain[start:stop].strip() == expected
