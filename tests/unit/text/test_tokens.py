"""Words and characters of every script."""

import pytest

from metalwork.text import characters_of, normalised, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the 2 cats, don't x_1", ["the", "cats", "don", "x_1"]),
        ("यह हिन्दी है", ["यह", "हिन्दी", "है"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("می\u200cخواهم بروم", ["می\u200cخواهم", "بروم"]),
        ("naïve cafe\u0301 x\u0302", ["naïve", "café", "x\u0302"]),
        ("利率上升 2024年", ["利率", "率上", "上升", "2024", "年"]),
        ("データ!", ["デー", "ータ"]),
        ("ภาษาไทย", ["ภา", "าษ", "ษา", "าไ", "ไท", "ทย"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("«» … ♥", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(normalised(text)) == words


def test_characters_keep_their_marks_and_white_space_is_one_space() -> None:
    assert characters_of(" ab \n c") == ["a", "b", " ", "c"]
    assert characters_of("हिन्दी") == ["हि", "न्", "दी"]
