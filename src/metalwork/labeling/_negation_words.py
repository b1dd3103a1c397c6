"""The English of negation, as patterns: what negates, what only looks the part, and what bounds its reach.

Patterns are in lower case, for text with plain quotes; a space stands for any white space. The families are
those of NegEx (Chapman et al. 2001) and ConText (Harkema et al. 2009), with the negations of everyday English
beside them.
"""

from typing import Final

_AUXILIARIES = (
    "is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "ca", "could", "wo", "would", "should",
    "must", "need", "might", "ai",
)  # fmt: skip

NEGATIONS: Final = (
    "no", "not", "without", "w/o", "never", "neither", "nor", "none", "nothing", "nobody", "no one", "nowhere",
    "cannot", "deny", "denies", "denied", "denying", "negative for", "unremarkable for", "free of", "free from",
    "clear of", "absence of", "lack of", "lacks", "resolution of", "rather than", "instead of", "ruled out",
    "rules out", "ruling out", "fails to show", "failed to show", "fails to reveal", "failed to reveal",
    "fails to demonstrate", "failed to demonstrate",
    *(f"{auxiliary}n't" for auxiliary in _AUXILIARIES),
    *(f"{auxiliary}nt" for auxiliary in _AUXILIARIES),
)  # fmt: skip
"""English words that negate what follows them."""

_HARMLESS_CHANGE = (
    "chang(?:e[sd]?|ing)|increas(?:e[sd]?|ing)|decreas(?:e[sd]?|ing)|progress(?:ion|ed|ing)?"
    "|improv(?:e[sd]?|ing|ements?)"
    "|worsen(?:s|ed|ing)?|worse|better|differen(?:t|ces?)|resolv(?:e[sd]?|ing)|clear(?:ed|ing)"
    "|go(?:ne|ing|es)? away|went away|stop(?:s|ped)?|subsid(?:e[sd]?|ing)|disappear(?:s|ed)?"
)
_QUALIFIER = (
    "significant(?:ly)?|interval|acute|appreciabl[ey]|definite(?:ly)?|obvious(?:ly)?|evident|apparent|further|major"
    "|big|such|overall|substantial(?:ly)?|clear(?:ly)?|visible|marked(?:ly)?|noticeabl[ey]|other|recent"
    "|clinical(?:ly)?|been|be|getting|got|yet|really|still|any|much|at all|so|very|complete(?:ly)?|entire(?:ly)?"
    "|fully?|total(?:ly)?|to|even|a|the|of"
)
_NOT = f"(?:not|never|cannot|no longer|(?:{'|'.join(_AUXILIARIES)})n'?t)"  # what negates a verb
_HAS_GONE = "resolved|cleared|disappeared|gone|absent|excluded|ruled out|negative|nil"

_SEEN = (
    "seen|identified|visuali[sz]ed|appreciated|demonstrated|noted|detected|observed|found|reported|shown|recogni[sz]ed"
    "|mentioned|described|documented|discovered|experienced|felt|palpated|heard"
)
_THERE = "visible|present|evident|apparent|discernible|palpable|there"
_EARLIER = (
    r"(?:on|in|at|by)? ?(?:(?:the|a|any|his|her|their|our) )?(?:prior|previous(?:ly)?|earlier|before|last)\b"
)

NOT_NEGATIONS: Final = (
    f"(?:no|without|{_NOT}) (?:(?:{_QUALIFIER}) ){{0,3}}(?:{_HARMLESS_CHANGE})",
    "not (?:just|only|merely|simply|solely|necessarily|always|all|every|everyone|everything"
    "|uncommon(?:ly)?|unusual(?:ly)?|infrequent(?:ly)?|surprising(?:ly)?|to mention|until|least|sure|certain"
    "|clear(?= (?:if|whether|why|how|what))|without|bad|(?:the|my|our) (?:first|last|only))",
    f"{_NOT} (?:know|understand|wait)",
    f"(?:{_NOT}|no) (?:(?:{_QUALIFIER}) ){{0,3}}(?:exclud(?:e[sd]?|ing)|rul(?:e[sd]?|ing) out"
    "|den(?:y|ies|ied|ying)|without|absen(?:t|ce)|lack(?:s|ing)?|free of|free from|clear of|negative|miss(?:ed)?"
    "|unlikely|ignored?|dismiss(?:ed)?)",
    "no (?:doubt|question|wonder|matter|less than|fewer than|more than|later than|sooner|shortage|idea)",
    r"no\. ?(?=\d)",
    f"not (?:yet |been )?(?:{_SEEN}|{_THERE}) {_EARLIER}",
    "nothing (?:but|other than|except|short of|less than)|none other than|if nothing else",
    "(?:or|if|why|whether) not|without (?:doubt|question|fail|warning|difficulty)",
    "(?:false|gram)[ -]negatives?",
    f"(?:partial(?:ly)?|near(?:ly)?|almost|mostly|largely|incomplete(?:ly)?) (?:{_HAS_GONE})",
)  # fmt: skip
"""What looks like a negation of what follows but is none: no change, doubt, and negations of negations."""

_NEW_CLAUSE = (
    "(?:(?:this|that|these|those|also) )?(?:is|are|was|were|has|have|had|shows?|showed|complains|reports|developed"
    r"|remains?|keeps?|kept)\b(?! not|n't)|(?:i|he|she|it|they|we|you|there)\b"
)

NEGATION_ENDS: Final = (
    "but", "however", "although", "though", "nevertheless", "yet", "except", "apart from", "aside from",
    "other than", "because", "due to", "secondary to", "since", "after", "when", "while", "whereas",
    "until", "unless", "despite", "if", f"and (?:{_NEW_CLAUSE})",
)  # fmt: skip
"""Words at which a negation ends: they begin a clause, or say what is so."""

CLAUSE_STARTS: Final = rf", (?:(?:so|then|still|which|who|now)\b|{_NEW_CLAUSE})"
"""A comma that ends a negation, with what follows it."""

_STOP = r"(?= ?(?:[.,;!?)\n]|$))"
_MANNER = r"(?:(?:be|been|being|yet|well|longer|any longer|any more|to be|\w+ly) )"

NEGATED_BEFORE: Final = (
    f"(?:(?:is|are|was|were|be|been|being) (?:not|never|no longer)|(?:is|are|was|were|ai)n'?t) {_MANNER}*"
    f"(?:{_SEEN}|{_THERE})(?! to (?!be)|(?: any| an?| the)? ?evidence| {_EARLIER})",
    "(?:(?:can|could|would|has|have|had|may|might) (?:not|never)|cannot|(?:ca|could|would|wo|has|have|had)n'?t)"
    rf" (?:be|been) (?:\w+ly |well )?(?:{_SEEN}|{_THERE})",
    f"(?<!has\\s)(?<!have\\s)(?<!had\\s)(?:not|no longer) {_MANNER}*(?:{_SEEN}|{_THERE})"
    rf"(?! (?:to (?!be)|any|an?|the|evidence)\b| {_EARLIER})",
    "(?:(?:did|does|do|has|have|had|will|would|could) (?:not|never)"
    "|(?:did|does|do|has|have|had|wo|would|could)n'?t|never)"
    r" (?:\w+ly )?(?:occur|happen|recur|materiali[sz]e|exist|take place|show up|reappear)(?:e?d|red|s)?",
    "(?:has|have|had|is|are|was|were|been) (?:(?:been|since|now|also|already|completely|fully|entirely|all) )*"
    f"(?:{_HAS_GONE})(?! (?:for|impact|effect|about|to)\\b)",
    f"(?:ruled out|resolved|absent|excluded|negative|none|nil){_STOP}",
    "(?:ruled out|excluded) (?=(?:by|on|with|via|at|after|in|today|yesterday)\\b)",
    f"none (?:{_SEEN}|{_THERE})|nowhere to be (?:seen|found)",
)  # fmt: skip
"""What negates that which stands before it in its clause."""

ANSWERS_NO: Final = (
    r"(?:[:=?|(]|(?<=\s)-+\s) ?(?:none|nil|no|not|nope|never|negative|absent|den(?:ied|ies)|resolved|excluded"
    rf"|ruled out)(?: (?:{_SEEN}|{_THERE}|known|evidence|signs?|at all|so far|today|thank you|thanks))*{_STOP}"
)
"""An answer that negates what was asked before it: "effusion: none"."""

NEGATED_ITSELF: Final = r"non-\w+"
"""Compounds that negate a part of themselves; so do those in "-free"."""

PREDICATES: Final = (
    r"\b(?:is|are|was|were|has|have|had|shows?|showed|demonstrates?|reveals?|revealed|remains?|remained"
    r"|suggests?)\b"
)
"""Verbs that stand between what is negated and what is said before it."""

TRIGGERS: Final = (
    *NEGATIONS, "negative", "absent", "resolved", "cleared", "disappeared", "gone", "excluded", "nil", "nope",
    "non", "free",
)  # fmt: skip
"""Every negation holds one of them; a text without any is not read further."""

FIRST_WORDS: Final = tuple(
    {phrase.split()[0] for phrase in (*NEGATIONS, *NEGATION_ENDS)}
    | {*_AUXILIARIES, "be", "been", "being", "can", "may", "will", "and", "or", "why", "whether", "non", "nil"}
    | {"false", "gram", "partial", "near", "almost", "most", "large", "incomplete", "absent", "resolved"}
    | {"excluded"}
)
"""How the words that matter begin: a quick look at a word before the patterns are tried on it."""
