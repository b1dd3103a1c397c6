"""Where Python's ``re`` and the Rust regex engine agree, so that the fast one may stand in for the other.

A regex LF means what ``re`` says. The Rust engine answers for it when the pattern uses only constructs that both
engines read alike, and only on texts whose characters both classify and fold alike; ``re`` answers for the rest.
"""

import re
from typing import Final

AGREED: Final = (
    "\\x00-\\x1b\\x20-\\x7e\\xa0-\\xa9\\xab-\\xb1\\xb4\\xb6-\\xb8\\xbb\\xbf-\\xff"
    "\\u0100-\\u012f\\u0132-\\u017e\\u0391-\\u03a1\\u03a3-\\u03a9\\u03ac-\\u03af\\u03b1\\u03b3\\u03b4\\u03b7"
    "\\u03bb\\u03bd\\u03bf\\u03c4\\u03c5\\u03c7-\\u03c9\\u0400-\\u0431\\u0433\\u0435-\\u043d\\u043f\\u0440"
    "\\u0443-\\u0449\\u044b-\\u0461\\u05d0-\\u05ea\\u0621-\\u063a\\u0641-\\u064a\\u2010-\\u2027\\u2030-\\u203e"
    "\\u20a0-\\u20bf\\u2190-\\u21ff\\u3001-\\u3003\\u3041-\\u3096\\u30a1-\\u30fa\\u4e00-\\u9fa5\\uac00-\\ud7a3"
)
"""Inside of a character class: characters on which both engines agree (a test walks through them all)."""

_FLAGS: Final = {re.IGNORECASE: "i", re.DOTALL: "s", re.MULTILINE: "m"}
_CLASS_TEXT = r"(?:[^\]\[\\^&~|\-]|\\[wWdDsSnrtf.\-+*?()|\[\]{}^$/\\])"
_SHARED = re.compile(
    rf"""(?:
        [^\\\[\](){{}}*+?|^$]                               # a character for itself
      | \\[wWdDsSbBnrtf.\-+*?()|\[\]{{}}^$/\\]              # an escape
      | \[\^?(?:{_CLASS_TEXT}(?:-{_CLASS_TEXT})?)+\]        # a class
      | \((?:\?:|\?P<\w+>)? | \) | \| | \^                  # a group, a choice, a start
      | (?:[*+?]|\{{\d+(?:,\d*)?\}})\??(?![*+?{{])          # a repetition that is not possessive
    )*""",
    re.VERBOSE,
)


def rust_pattern(pattern: str, flags: int) -> str | None:
    """The pattern for the Rust engine, or None where only ``re`` may run it."""
    known = 0
    for flag in _FLAGS:
        known |= flag
    if (
        flags & ~(known | re.UNICODE)
        or not re.fullmatch(rf"[{AGREED}]*", pattern)
        or not _SHARED.fullmatch(pattern)
    ):
        return None
    letters = "".join(letter for flag, letter in _FLAGS.items() if flags & flag)
    return f"(?{letters}){pattern}" if letters else pattern
