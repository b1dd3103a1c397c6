"""Reading a chest X-ray report: its sections, its clauses, and what it affirms once negation is taken out.

A report names more findings that are absent than present ("no effusion or pneumothorax"), so a word says nothing
until the reach of its negation is known. In the manner of NegEx (Chapman et al. 2001), a cue negates the rest of
its clause ("no ...", "free of ...") or what stands before it ("... is not seen"), and some cues only look the part
("no change in ..."). The ``negated_by`` of the built-in LFs covers the first kind; reports need all three.
"""

import re
from functools import lru_cache

_HEADER = re.compile(r"\b(COMPARISON|INDICATION|FINDINGS|IMPRESSION):")
_SPACES = re.compile(r"\s+")

_CLAUSE_END = re.compile(
    r"""\.(?!\d) | ; | \b\d\.(?=\s|[a-z])  # a full stop, but not the one in 3.5 cm; a list number
    | ,?\s\b(?:but|however|although|though|except(?:\sfor)?|which|(?:aside|apart)\sfrom|other\sthan)\b
    | ,\s*(?=(?:(?:and\s)?there\s(?:is|are)|stable|unchanged|chronic|again)\b)
    | \swith\s(?=(?:stable|unchanged|chronic|old|mild|moderate|small|an?)\b)
    """,
    re.VERBOSE,
)
_NO_NEGATION = re.compile(
    r"""\b(?:no|not|without)\s(?:\w+\s){0,2}?(?:change|increase|decrease|progression|improvement)\w*
        (?:\s(?:in|of|from|to|since|compared)\b)?
    | \bnot\sonly\b
    | \b(?:cannot|can\snot|not)\s(?:\w+\s){0,2}?(?:excluded?|rule[ds]?\sout)\b
    """,
    re.VERBOSE,
)
_NEGATES_AFTER = re.compile(
    r"""\b(?:no|not|nor|neither|never|without|w/o|if|negative\sfor|(?:free|clear)\s(?:of|from)|(?:absence|lack)\sof
    |resolution\sof|rather\sthan|rules?\sout|to\sexclude|removal\sof)\b
    """,
    re.VERBOSE,
)
_NEGATES_BEFORE = re.compile(
    r"""\b(?:not|no\slonger)\s(?:\w+\s)?
        (?:seen|identified|present|visuali[sz]ed|evident|appreciated|demonstrated|noted|detected|observed|apparent)\b
    | \b(?:has|have)\s(?:\w+\s)?(?:resolved|cleared)\b
    | \b(?:has|have|is|are)\s(?:been\s)?(?:absent|ruled\sout|excluded|unlikely|removed)\b
    | \bless\slikely\b
    """,
    re.VERBOSE,
)

_CALLED_NORMAL = re.compile(
    r"\bnormal|unremarkable|\bclear\b|\bintact\b|\bmidline\b|\bstable (?:heart|cardi)|grossly|satisfactory"
)
_STUB = re.compile(r"\b(?:is|are|appears?|shows?|demonstrates?|with|and|there|for|of|has|have|to)$|^\S*$")
_TECHNIQUE = re.compile(
    r"\bviews?\b|radiograph|technique|\bcomparison|rotat|\blimit|habitus|\bexam|\bstudy\b|x-xxxx|\bfilm"
)


def section(text: str, name: str) -> str:
    """The text under one header (``"FINDINGS"``, ``"IMPRESSION"``, ...); empty where there is no such header."""
    parts = _HEADER.split(text)
    return " ".join(
        prose.strip() for header, prose in zip(parts[1::2], parts[2::2], strict=True) if header == name
    )


def body(text: str) -> str:
    """What the radiologist saw: findings and impression, or the whole text where it has no headers.

    The comparison lists older studies and the indication states the complaint; neither is a finding.
    """
    if not _HEADER.search(text):
        return text
    return f"{section(text, 'FINDINGS')} . {section(text, 'IMPRESSION')}"


def clauses(prose: str) -> list[str]:
    """Lower-case clauses; negation never crosses their borders."""
    pieces = _CLAUSE_END.split(_SPACES.sub(" ", prose.lower()))
    return [clause for piece in pieces if (clause := piece.strip(" ,.:-"))]


def affirm(clause: str) -> str:
    """The part of a lower-case clause that is not negated."""
    kept = _NO_NEGATION.sub("unchanged", clause)
    if cue := _NEGATES_BEFORE.search(kept):
        kept = kept[cue.end() :]
    if cue := _NEGATES_AFTER.search(kept):
        kept = kept[: cue.start()]
    return kept.strip(" ,.:-")


@lru_cache(maxsize=8192)
def affirmed(text: str, impression_only: bool = False) -> tuple[str, ...]:
    """What a report affirms: its clauses with every negated stretch taken out, empty ones dropped."""
    prose = section(text, "IMPRESSION") if impression_only else body(text)
    return tuple(kept for clause in clauses(prose) if (kept := affirm(clause)))


@lru_cache(maxsize=8192)
def abnormal_clauses(text: str) -> tuple[str, ...]:
    """Affirmed clauses that call nothing normal, tell of no technique and are no stub left by negation."""
    harmless = (_CALLED_NORMAL, _STUB, _TECHNIQUE)
    return tuple(clause for clause in affirmed(text) if not any(pattern.search(clause) for pattern in harmless))
