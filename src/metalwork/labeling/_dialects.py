"""Where Python's ``re`` and the Rust regex engine agree, so that the fast one may stand in for the other.

A regex LF means what ``re`` says. The Rust engine answers for it when the pattern uses only constructs that both
engines read alike, and only on texts whose characters both classify and fold alike; ``re`` answers for the rest.
"""

import re
from typing import Final

AGREED: Final = (
    r"\x00-\x1b\x20-\x7e\xa0-\xa9\xab-\xb1\xb4\xb6-\xb8\xbb\xbf-\xff"
    r"\u0100-\u012f\u0132-\u017e\u1ea0-\u1ef9"
    r"\u0391-\u03a1\u03a3-\u03a9\u03ac-\u03af\u03b1-\u03c1\u03c3-\u03ce\u0400-\u0481\u048a-\u052f"
    r"\u05d0-\u05ea\u0621-\u063a\u0641-\u064a"
    r"\u2000-\u200a\u2010-\u2027\u202f-\u203e\u2041-\u2053\u2055-\u205e"
    r"\u20a0-\u20bf\u2190-\u21ff"
    r"\u3000-\u3003\u3008-\u3011\u3041-\u3096\u30a1-\u30fa\u30fc"
    r"\u3400-\u4db5\u4e00-\u9fa5\uac00-\ud7a3"
    r"\uff01-\uff1f\uff21-\uff3a\uff41-\uff5a\U0001f300-\U0001f5ff\U0001f600-\U0001f64f"
)
"""Inside of a character class: characters on which both engines agree (a test walks through them all):
scripts and signs of wide use, without the letters that fold oddly, such as the dotless i, and without marks."""

_FLAGS: Final = {re.IGNORECASE: "i", re.DOTALL: "s", re.MULTILINE: "m"}
_CLASS_TEXT = r"(?:[^\]\[\\^&~|\-]|\\[wWdDsSnrtf.\-+*?()|\[\]{}^$/\\])"
_SHARED = re.compile(
    rf"""(?:\(\?[ims]+\))?                                   # flags
    (?:
        [^\\\[\](){{}}*+?|^$]                               # a character for itself
      | \\[wWdDsSbnrtf.\-+*?()|\[\]{{}}^$/\\]               # an escape
      | \[\^?(?:{_CLASS_TEXT}(?:-{_CLASS_TEXT})?)+\]        # a class
      | \((?:\?:|\?P<\w+>|(?!\?)) | \) | \| | \^            # a group, a choice, a start
      | (?:[*+?]|\{{\d+(?:,\d*)?\}})\??(?![*+?{{])          # a repetition that is not possessive
    )*""",
    re.VERBOSE,
)


def rust_pattern(pattern: str, flags: int) -> str | None:
    """The pattern for the Rust engine, or None where only ``re`` may run it."""
    if flags & ~(re.IGNORECASE | re.DOTALL | re.MULTILINE | re.UNICODE):
        return None
    if not re.fullmatch(rf"[{AGREED}]*", pattern) or not _SHARED.fullmatch(pattern):
        return None
    letters = "".join(letter for flag, letter in _FLAGS.items() if flags & flag)
    return f"(?{letters}){pattern}" if letters else pattern
