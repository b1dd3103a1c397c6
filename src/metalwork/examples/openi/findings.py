"""The radiologist's lexicon: findings by the urgency they call for, each found only where a report affirms it.

A record is as urgent as its most urgent finding. How old a finding is does not lower it: the development records
grade stable cardiomegaly Urgent and healed rib fractures Emergent. De-identification masks words as ``XXXX``, some
of them vital ("costophrenic XXXX", "chest XXXX tip in the SVC"), so terms lean on the words around them.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from reports import affirmed


class Finding:
    """A finding: the terms that name it, and those that make it something else in the same clause.

    Parameters
    ----------
    *terms : str
        Regular expressions in lower case; each starts at a word boundary.
    unless : sequence of str
        Terms that rule the finding out, wherever in the clause they stand.
    """

    def __init__(self, *terms: str, unless: Iterable[str] = ()) -> None:
        self._terms = _any_of(terms)
        self._unless = _any_of(unless)

    def matches(self, clause: str) -> bool:
        """Whether one affirmed clause names this finding."""
        return bool(self._terms.search(clause)) and not self._unless.search(clause)

    def affirmed_in(self, text: str, impression_only: bool = False) -> bool:
        """Whether a report affirms this finding."""
        return any(map(self.matches, affirmed(text, impression_only)))


def _any_of(terms: Iterable[str]) -> re.Pattern[str]:
    alternatives = "|".join(terms)
    return re.compile(rf"\b(?:{alternatives})" if alternatives else r"(?!)")


_BORDERLINE = ("borderline", "upper (?:limits|range) of", "top[- ]normal", "upper normal")
_GRANULOMATOUS = ("calcif", "granulom", "histoplasm")
_HEART = r"(?:heart|cardiac|cardio\s?mediastinal|cardiopericardial)\b"
_VESSELS = r"(?:vascular|vasculature|vascularity|vessels|interstit\w+)\b"
_FULL = r"(?:full|enlarg|prominen)\w*"
_NEAR = r"\b(?:(?!normal|unremarkable|clear|aort|hernia).){0,50}"  # "heart normal, prominent aorta" is no match

EMERGENCIES = {
    "fracture": Finding("fractur", "dislocat", r"fx\b"),
    "air_leak": Finding(
        "(?:hydro|hemo)?pneumothora",
        "pneumomediast",
        "pneumoperiton",
        r"free (?:intra\w*-?(?:abdominal|peritoneal) )?air\b",
        "subdiaphragmatic (?:air|gas)",
        "subcutaneous (?:emphysema|air|gas)",
        "air under",
    ),
    "foreign_body": Finding(
        "foreign (?:bod|material|object)",
        "bullet",
        "shrapnel",
        "gunshot",
        r"bbs?\b",
        "pellet",
        "piercing",
        "ballistic",
        "metallic (?:fragment|densit|object|bod|foreign)",
        "radiopaque (?:foreign|densit|object)",
        "ingested",
        "aspirated",
        unless=("surgical", "clips", "sternotomy"),
    ),
    "great_vessels": Finding(
        "aneurysm",
        "dissecti",
        "hemothora",
        r"tension\b",
        "mediastinal (?:widening|shift)",
        "widened mediastin",
    ),
}

ACUTE = {
    "opacity": Finding(
        "opaci[tf]",
        r"air[- ]?space\b",
        "infiltrat",
        "consolidat",
        "(?:broncho)?pneumoni",
        "haz[ey]",
        "silhouett?ing",
        "ground[- ]glass",
        "aspiration",
        unless=("remainder", "calcified opacit", "opacity.{0,30}granulom"),
    ),
    "atelectasis": Finding("atelecta", "volume loss", "collapse"),
    "pleural_fluid": Finding(
        "effusion",
        "pleural fluid",
        "hydrothora",
        "empyema",
        "blunt",
        "costophrenic.{0,40}(?:obscur|opaci)",
        "fluid (?:in|within) the .{0,12}fissure",
    ),
    "enlarged_heart": Finding(
        "cardiomegal",
        rf"{_HEART}{_NEAR}\b(?:enlarge|large\b(?! hiatal)|prominent)",
        rf"enlarge(?:d|ment){_NEAR}\b(?:{_HEART}|ventric|atri)",
        unless=_BORDERLINE,
    ),
    "congestion": Finding(
        "congest",
        "edema",
        "heart failure",
        r"chf\b",
        "kerley",
        "cephaliz",
        "fluid overload",
        "septal lines",
        "peribronchial cuffing",
        rf"{_VESSELS}{_NEAR}(?:indistinct|prominen|increased|distend|accentuat)",
        rf"(?:indistinct|prominen|increased|accentuat)\w*{_NEAR}{_VESSELS}",
        unless=("chronic", "fibro", "scar", "crowding"),
    ),
    "mass": Finding(
        r"mass(?:es|like)?\b",
        r"lesions?\b",
        "neoplas",
        "malignan",
        "metasta",
        "carcinoma",
        "tumou?r",
        "cavit(?:y|ar|at)",
        "(?:lymph)?adenopathy",
        rf"hil(?:um|ar|a)\b.{{0,30}}{_FULL}",
        rf"{_FULL}.{{0,30}}\bhil(?:um|ar|a)\b",
        rf"(?:paratracheal|mediastin\w+)\b.{{0,20}}(?:thick|{_FULL})",
        unless=_GRANULOMATOUS,
    ),
    "compression": Finding("wedg", "compress", "loss of (?:vertebral )?(?:body )?height", "height loss"),
    "line": Finding(
        "catheter",
        r"picc\b",
        r"port(?:-?a-?cath|acath)?\b",
        "mediport",
        "central (?:venous )?line",
        r"svc\b",
        "superior vena cava",
        "cavo-?atrial",
        "atrio-?caval",
        "tracheostomy",
        "endotracheal",
        "nasogastric",
        "enteric",
        "(?:chest|feeding|gastric|et|ng) tube",
        "dialysis",
    ),
}

CHRONIC = {
    "granuloma": Finding(
        "granulom",
        "histoplasm",
        "calcifi(?:ed|c).{0,40}(?:node|nodul|hilar|lymph|xxxx|lung|lobe|focus|densit|adenopath|mediastin)",
        "(?:node|nodul|hilar|hilum|lymph|lung|midlung|lobe).{0,40}calcif",
        "calcifications? ",
        unless=("aort", "atheroscl", "arter", "vascular calc", "rotator", "tendon"),
    ),
    "spine": Finding(
        "degenerat",
        "spondyl",
        "osteophyt",
        "spurring",
        "disc (?:space )?(?:narrow|disease)",
        r"dish\b",
        "hyperosto",
        "(?:osteo)?arthrit",
        "(?:osteo)?arthro[sp]",
        "endplate",
        "bridging",
        "syndesmophyt",
    ),
    "curvature": Finding(r"\w*scolio", r"\w*curvature", "kypho", "(?:levo|dextro)(?:curv|conv)"),
    "aorta": Finding(
        "tortuo",
        "ectati",
        "ectasia",
        "atheroscl",
        "atheromat",
        "arterioscl",
        "(?:aort|arch|vascul).{0,30}(?:calcif|unfold|uncoil|prominen|dilat)",
        r"(?:calcif|unfold|uncoil|prominen|dilat)\w*.{0,30}(?:aort|arch\b)",
    ),
    "hyperinflation": Finding(
        r"hyper-?\s?(?:inflat|expan|lucen|aerat|disten)",
        "emphysem",
        r"copd\b",
        "obstructive",
        "flatten",
        "bulla",
        "bullous",
        "bleb",
        "barrel",
        "ap diameter",
        "chronic (?:lung|bronch|interstit|change)",
        "bronchiect",
        "increased lung volumes",
        unless=("subcutaneous",),
    ),
    "scar": Finding(
        "scar",
        "fibro(?:sis|tic|nod)",
        "cicatri",
        "pleural.{0,20}(?:thicken|plaque|calcif)",
        "apical.{0,20}(?:thicken|cap)",
        "architectural",
    ),
    "surgery": Finding(
        "sternotomy",
        r"cabg\b",
        "bypass",
        r"clips?\b",
        "suture",
        "staple",
        r"\w+ectomy\b",
        "resect",
        r"post-?\s?(?:surg|operat)",
        "surg(?:ery|ical)",
        "hardware",
        "fusion",
        "prosthe",
        "arthroplast",
        "valve",
        "stent",
        "implant",
        "sternal wires",
        r"rods?\b",
        r"screws?\b",
        "graft",
    ),
    "device": Finding(
        "pacemaker",
        "pacer",
        r"a?icd\b",
        "defibrillator",
        r"leads?\b",
        "generator",
        "stimulator",
        "electrode",
        "loop recorder",
    ),
    "diaphragm": Finding(
        "eventrat",
        "hernia",
        "(?:hemi)?diaphragm.{0,40}elevat",
        r"elevat\w*.{0,40}hemidiaphragm",
        r"elevat\w*.{0,20}diaphragm",
    ),
    "small_lungs": Finding(
        "low (?:lung )?volume",
        "hypo-?(?:inflat|ventil|aerat|expan)",
        "volumes? (?:are|is) low",
        "shallow",
        "poor inspir",
        "crowding",
    ),
    "bone": Finding(
        "osteopen",
        "osteopor",
        "deminerali",
        "bone (?:island|mineral)",
        "sclero(?:tic|sis)",
        "cervical rib",
        "deformit",
        "pectus",
        "exostos",
        "old (?:rib|trauma|injur)",
        "callus",
        "resorption",
        "separation",
    ),
    "borderline_heart": Finding(*_BORDERLINE, "lv configuration", "left ventricular (?:config|promin)"),
    "nodule": Finding("nodul(?!arity of)"),
    "variant": Finding(
        "azyg(?:o|ou)s",
        "variant",
        "congenital",
        "nipple shadow",
        "breast implant",
        "situs",
        "right[- ]sided aort",
        "fat pad",
        "cyst",
    ),
}


def any_affirmed(text: str, findings: Iterable[Finding], impression_only: bool = False) -> bool:
    """Whether a report affirms at least one of ``findings``."""
    return any(finding.affirmed_in(text, impression_only) for finding in findings)


@lru_cache(maxsize=8192)
def is_emergency(text: str) -> bool:
    """Whether a report affirms a finding that cannot wait."""
    return any_affirmed(text, EMERGENCIES.values())
