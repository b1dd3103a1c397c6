"""Labeling functions (LFs) for chest X-ray reports, in four grades of urgency under three tasks.

They are written from the 50 development records and general knowledge of chest radiology.
One finding is enough to make a report urgent, so LFs that vote Acute, Urgent, Emergent or Non-urgent look for
findings that a report affirms, and LFs that vote Non-acute or Normal judge the report as a whole.
"""

import re
from collections.abc import Callable, Mapping

from findings import ACUTE, CHRONIC, EMERGENCIES, Finding, any_affirmed, is_emergency
from reports import abnormal_clauses, body

import metalwork as mw

Test = Callable[[str], bool]


def _votes(task: str, label: str, tests: Mapping[str, Test]) -> list[mw.LabelingFunction]:
    """One LF a test, called ``label: name``, that votes ``label`` where its test holds."""

    def make(name: str, test: Test) -> mw.LabelingFunction:
        def vote(text: str | None) -> str | int:
            return label if test(text or "") else mw.ABSTAIN

        vote.__doc__ = test.__doc__
        return mw.labeling_function(task, name=f"{label}: {name}")(vote)

    return [make(name, test) for name, test in tests.items()]


def _affirms(*findings: Finding) -> Test:
    """A test: the report affirms one of ``findings``."""
    return lambda text: any_affirmed(text, findings)


# --- triage: is anything here acute? ------------------------------

_PLACE = re.compile(
    r"\b(?:lobe|basilar|bibasilar|bibasal|bases?|lingula\w*|retrocardiac|perihilar|apex|airspace|midlung|mid lung"
    r"|costophrenic|fissure|(?:right|left) (?:upper|lower|middle|mid)\b)"
)
_HEDGE = re.compile(
    r"\b(?:may (?:represent|reflect|indicate|be)|could (?:represent|reflect|be)|suspicious|concerning|worrisome"
    r"|possib\w+|probabl[ey]|versus|vs|differential|early|suggest\w*|likely|consistent with)\b"
)
_WORSE = re.compile(
    r"\b(?:new|newly|worse\w*|increas(?:ed|ing)|progress\w*|develop\w*|interval (?:develop|appear|increase)\w*"
    r"|enlarging|acute|recurrent|persistent|residual)\b"
)
_LUNG_VOLUME = re.compile(r"volume|\bap diameter|inflat|expan|lucen")


def _abnormal_beyond_chronic(text: str) -> list[str]:
    """Abnormal clauses that no chronic finding explains."""
    return [c for c in abnormal_clauses(text) if not any(finding.matches(c) for finding in CHRONIC.values())]


def _localised(text: str) -> bool:
    """Something is described at a place in the lungs, and it is no chronic finding."""
    return any(_PLACE.search(clause) for clause in _abnormal_beyond_chronic(text))


def _hedged(text: str) -> bool:
    """A diagnosis is offered with reserve, as one is for what is not long known."""
    return any(_HEDGE.search(clause) for clause in _abnormal_beyond_chronic(text))


def _worse(text: str) -> bool:
    """Something is new or growing; lung volumes do not count."""
    return any(
        _WORSE.search(clause) and not _LUNG_VOLUME.search(clause) for clause in _abnormal_beyond_chronic(text)
    )


def _concludes_acute(text: str) -> bool:
    """The impression itself affirms an acute finding."""
    found: bool = any_affirmed(text, [*ACUTE.values(), *EMERGENCIES.values()], impression_only=True)
    return found


def _all_chronic(text: str) -> bool:
    """There are abnormal clauses, and chronic findings explain them all."""
    return bool(abnormal_clauses(text)) and not _abnormal_beyond_chronic(text)


def _only_normal(text: str) -> bool:
    """No clause describes anything abnormal."""
    return not abnormal_clauses(text)


_CLEAR_LUNGS = re.compile(
    r"\blungs?\b[^.]{0,40}\b(?:clear|free|normal|unremarkable)|\bclear lungs"
    r"|no (?:focal )?(?:airspace|consolidation)",
    re.I,
)
_NORMAL_HEART = re.compile(
    r"\b(?:heart|cardiac|cardio\s?mediastin\w+|cardiopericardial)\b[^.]{0,80}\b(?:normal|unremarkable)", re.I
)


def _heart_and_lungs_normal(text: str) -> bool:
    """Heart and lungs are both called normal."""
    prose = body(text)
    return bool(_CLEAR_LUNGS.search(prose) and _NORMAL_HEART.search(prose))


_TRIAGE = [
    *_votes(
        "triage",
        "Acute",
        {
            "opacity": _affirms(ACUTE["opacity"]),
            "atelectasis": _affirms(ACUTE["atelectasis"]),
            "pleural fluid": _affirms(ACUTE["pleural_fluid"]),
            "enlarged heart": _affirms(ACUTE["enlarged_heart"]),
            "congestion": _affirms(ACUTE["congestion"]),
            "mass or nodes": _affirms(ACUTE["mass"]),
            "line or compressed vertebra": _affirms(ACUTE["line"], ACUTE["compression"]),
            "emergency": is_emergency,
            "localised": _localised,
            "hedged": _hedged,
            "worse": _worse,
            "impression": _concludes_acute,
        },
    ),
    mw.regex(
        "triage",
        "Acute",
        r"(?:FINDINGS|IMPRESSION):.*\b(?:recommend|advis|correlat|follow-? ?up"
        r"|further (?:evaluat|assess|character))",
        name="Acute: follow-up advised",
        flags=re.IGNORECASE | re.DOTALL,
    ),
    mw.regex(
        "triage",
        "Non-acute",
        r"IMPRESSION:\s*(?:\d\.\s*)?"
        r"(?:no (?:evidence of )?(?:acute|active)|normal|negative|unremarkable)[^.]*[.\s]*$",
        name="Non-acute: impression",
    ),
    *_votes(
        "triage",
        "Non-acute",
        {
            "all chronic": _all_chronic,
            "only normal": _only_normal,
            "heart and lungs normal": _heart_and_lungs_normal,
        },
    ),
]


# --- acute: can it wait? ------------------------------

_BONES_INTACT = re.compile(
    r"no (?:acute|displaced|visible|definite)?\s*(?:displaced )?(?:bon[ey]|osseous|skeletal|rib|fracture)"
    r"|\b(?:bon[ey]|bones|osseous|skelet\w+)\b[^.]{0,60}\b(?:intact|unremarkable|normal|without acute)",
    re.I,
)
_NO_AIR_LEAK = re.compile(r"\b(?:no|without|negative for|free of)\b[^.;]*\bpneumothora", re.I)
_INJURY = re.compile(
    r"\b(?:displaced|nondisplaced|comminuted|healed|healing|old|remote|acute|trauma\w*|callus|deformit\w+)\b"
)
_INJURED_BONE = re.compile(r"\b(?:ribs?|clavic\w+|humer\w+|scapul\w+|sternum|sternal|vertebra\w*|shoulder)\b")


def _chest_wall_and_pleura_sound(text: str) -> bool:
    """Bones and pleura are both said to be sound."""
    return bool(_BONES_INTACT.search(body(text)) and _NO_AIR_LEAK.search(body(text)))


def _injured_bone(text: str) -> bool:
    """A bone of the chest and an injury in the same abnormal clause."""
    return any(_INJURY.search(clause) and _INJURED_BONE.search(clause) for clause in abnormal_clauses(text))


_ACUTE = [
    *_votes(
        "acute",
        "Urgent",
        {
            "lungs": _affirms(ACUTE["opacity"], ACUTE["atelectasis"]),
            "pleura": _affirms(ACUTE["pleural_fluid"]),
            "heart": _affirms(ACUTE["enlarged_heart"], ACUTE["congestion"]),
            "growth, line or vertebra": _affirms(ACUTE["mass"], ACUTE["line"], ACUTE["compression"]),
            "bones and pleura sound": _chest_wall_and_pleura_sound,
        },
    ),
    *_votes(
        "acute",
        "Emergent",
        {
            "fracture": _affirms(EMERGENCIES["fracture"]),
            "escaped air": _affirms(EMERGENCIES["air_leak"]),
            "foreign body": _affirms(EMERGENCIES["foreign_body"]),
            "great vessels": _affirms(EMERGENCIES["great_vessels"]),
            "injured bone": _injured_bone,
        },
    ),
]

# --- non_acute: is anything here at all? ------------------------------

_BRIEF = 36  # words of findings and impression; 18 of the 19 Normal development reports have no more
_LONG_STANDING = re.compile(
    r"\b(?:chronic|old|prior|previous|sequela\w*|remote|stable|unchanged|mild(?:ly)?"
    r"|age[- ]related|status post|healed)\b"
)


def _brief(text: str) -> bool:
    """A short report: there was little to describe."""
    return len(body(text).split()) <= _BRIEF


def _long_standing(text: str) -> bool:
    """Something abnormal is called old, mild or unchanged."""
    return any(_LONG_STANDING.search(clause) for clause in abnormal_clauses(text))


_NON_ACUTE = [
    *_votes(
        "non_acute",
        "Non-urgent",
        {
            "granuloma": _affirms(CHRONIC["granuloma"]),
            "spine": _affirms(CHRONIC["spine"], CHRONIC["curvature"]),
            "other bone": _affirms(CHRONIC["bone"]),
            "aorta": _affirms(CHRONIC["aorta"]),
            "large lungs": _affirms(CHRONIC["hyperinflation"]),
            "scar": _affirms(CHRONIC["scar"]),
            "former surgery": _affirms(CHRONIC["surgery"], CHRONIC["device"]),
            "diaphragm or small lungs": _affirms(CHRONIC["diaphragm"], CHRONIC["small_lungs"]),
            "borderline heart": _affirms(CHRONIC["borderline_heart"]),
            "nodule or variant": _affirms(CHRONIC["nodule"], CHRONIC["variant"]),
            "long standing": _long_standing,
        },
    ),
    *_votes(
        "non_acute",
        "Normal",
        {
            "only normal": _only_normal,
            "brief": _brief,
        },
    ),
    mw.regex(
        "non_acute",
        "Normal",
        r"\b(?:normal|negative|unremarkable)\s(?:\w+\s){0,2}(?:chest|exam\w*|stud(?:y|ies)|radiograph\w*|x-?ray)\b",
        name="Normal: called so",
    ),
]

LABELING_FUNCTIONS: list[mw.LabelingFunction] = [*_TRIAGE, *_ACUTE, *_NON_ACUTE]
