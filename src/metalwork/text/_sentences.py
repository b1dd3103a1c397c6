"""Where sentences end in prose as people type it: abbreviated, numbered, wrapped and listed."""

import bisect
import re

_NEVER_LAST = """
    dr drs mr mrs ms mx prof st vs v eg e.g ie i.e cf viz approx ca fig figs al resp incl excl esp est max min avg
    temp wt ht hx dx tx rx sx fx pt pts lat ant post sup med bilat tel ext vol gen sgt capt lt col rev hon mt
"""
_SELDOM_LAST = """
    etc inc ltd co corp jr sr dept univ a.m p.m u.s u.k u.s.a u.n jan feb mar apr jun jul aug sep sept oct nov dec
    mon tue tues wed thu thur thurs fri sat sun mm cm mg ml kg lb lbs oz ft hr hrs sec secs mins wk wks yr yrs mo
    mos
"""
_ALWAYS_FOLLOWED, _OFTEN_FOLLOWED = frozenset(_NEVER_LAST.split()), frozenset(_SELDOM_LAST.split())
ABBREVIATIONS = _ALWAYS_FOLLOWED | _OFTEN_FOLLOWED
"""Words after which a full stop need not end a sentence."""

_NEXT = re.compile(r"""[\s"'()\[\]]*(\S?)""")
_NUMBER = re.compile(r"\.\s*\d")
_ITEM = re.compile(r"[-*\u2022\u00b7>+]+\s|\(?(?:\d{1,3}|[a-zA-Z])[.)]\s|[A-Z][A-Z /]{2,}:|[A-Z][\w /-]{0,40}:\s")
_FIRST_WORD = re.compile(r"\S*")
_GOES_ON = re.compile(
    r"(?:[,:?&-]|\b(?:a|an|the|of|in|on|at|to|for|from|by|with|and|or|nor|no|not|without|is|are|was|were|be|been|has|have|had"
    r"|any|this|that|its|his|her|their|our|my|your))$",
    re.IGNORECASE,
)
_LONGEST = 9  # characters at the end of a line that say whether it goes on: a space, and the longest word above


_MARKS = re.compile("[\r\n.;!?\u0964\u0965\u061f\u06d4\u3002\uff01\uff1f\uff1b]")
_BLANK = re.compile(r"\s*")


class Sentences:
    """The sentences of a text, each found when it is asked for.

    A full stop ends none inside numbers, names and addresses ("2.5", "e.g.", "example.com"), nor after an
    abbreviation that is followed by what it belongs to ("Dr. Smith", "vs. 2019", "approx. 5"); abbreviations
    that may also close a sentence ("5 cm.", "etc.") do so before a capital letter. A line break ends one where
    a line is blank, where an item or a heading follows, and where a capital follows although the word it begins
    would have fitted on the line before: nobody wrapped the text there.

    ``start`` and ``stop`` bound what is asked about, where sentences are known to end there.
    """

    def __init__(self, text: str, start: int = 0, stop: int | None = None) -> None:
        self._text = text
        self._marks = [
            found.start() for found in _MARKS.finditer(text, start, len(text) if stop is None else stop)
        ]
        self._known: dict[int, bool] = {}
        self._width: int | None = None

    def around(self, at: int) -> tuple[int, int]:
        """Start and stop of the sentence that holds position ``at``; a short question and its answer are one."""
        marks = self._marks
        right = left = bisect.bisect_left(marks, at)
        while right < len(marks) and not self._ends(marks[right]):
            right += 1
        while left and (self._asks(marks[left - 1], at) or not self._ends(marks[left - 1])):
            left -= 1
        return marks[left - 1] + 1 if left else 0, marks[right] if right < len(marks) else len(self._text)

    def _asks(self, mark: int, at: int) -> bool:
        return self._text[mark] == "?" and not self._text[mark + 1 : at].strip()

    def _ends(self, at: int) -> bool:
        if at not in self._known:
            mark = self._text[at]
            stop, line = mark == ".", mark in "\r\n"
            self._known[at] = self._full_stop_ends(at) if stop else self._line_ends(at) if line else True
        return self._known[at]

    def _full_stop_ends(self, at: int) -> bool:
        text = self._text
        after = text[at + 1 : at + 2]
        before = text[max(0, at - 24) : at]
        if not before[-1:].isalnum():
            return not after.isalnum()
        word = before.split()[-1].lstrip("([\"'-")
        if after.isalnum():
            return after.isupper() and word[-3:].isalpha() and len(word) > 2 and word[-1].islower()
        word = word.lower()
        if word == "no" and _NUMBER.match(text, at):
            return False
        if word not in _ALWAYS_FOLLOWED and word not in _OFTEN_FOLLOWED:
            return True
        following = _NEXT.match(text, at + 1)
        first = following[1] if following else ""
        return not first or (word in _OFTEN_FOLLOWED and first.isupper())

    def _line_ends(self, start: int) -> bool:
        text = self._text
        stop = _BLANK.match(text, start).end()  # type: ignore[union-attr]
        if max(text.count("\n", start, stop), text.count("\r", start, stop)) > 1 or stop == len(text):
            return True
        if _ITEM.match(text, stop):
            return True
        begin = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
        line = text[begin:start].rstrip()
        if _GOES_ON.search(line[-_LONGEST:]) or not (text[stop].isupper() or text[stop].isdigit()):
            return False
        if self._width is None:
            self._width = max(map(len, text.splitlines()))
        word = _FIRST_WORD.match(text, stop)
        return len(line) + 1 + len(word[0] if word else "") <= self._width
