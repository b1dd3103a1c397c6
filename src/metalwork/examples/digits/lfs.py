"""Labeling functions for handwritten digits, written from 50 development pictures and from how digits are drawn.

They look at twelve regions of a picture and at the blanks that its strokes enclose.
"""

import re
from collections.abc import Mapping

import metalwork as mw

SIGHTS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("outline", "Loop"): {
        "enclosed blank": "upper_loop + lower_loop > 1",
        "closed foot": "bottom_centre > .5 and lower_left > .3 and lower_right > .35",
        "round head": "top_centre > .4 and top_right > .15 and upper_left > .3 and upper_right > .4",
        "two sides": "upper_left + lower_left > .6 and upper_right + lower_right > .6 and lower_centre < .4",
        "swollen foot": "bottom_right > .3 and lower_right > .35 and lower_left > .3",
        "tail": "upper_right > .45 and lower_left < .25 and bottom_right > .2",
    },
    ("outline", "Open"): {
        "no enclosed blank": "loops < 1",
        "upright": "upper_centre > .75 and lower_centre > .75",
        "blank left": "upper_left < .3 and lower_left < .25 and upper_right < .4",
        "blank right": "upper_right < .3 and lower_right < .2",
        "base line": "bottom_left > .3 and bottom_right > .2 and lower_right < .2",
        "bare foot": "bottom_left < .2 and bottom_right < .15",
        "bar": "lower_left > .4 and lower_centre > .4 and top_right < .15 and bottom_right < .35",
        "flag": "upper_left > .4 and upper_right < .3 and lower_left < .25",
    },
    ("loop", "0"): {
        "hollow": "upper_centre < .3 and lower_centre < .15",
        "long loop": "loops < 2 and upper_loop > 1 and lower_loop > 1",
        "both sides": "upper_left > .35 and lower_left > .35 and upper_right > .3 and lower_right > .35",
    },
    ("loop", "6"): {
        "low loop": "lower_loop > 0 and upper_loop < 1",
        "blank upper right": "upper_right < .2 and top_right < .1",
        "heavy foot": "bottom_right > .5 and lower_right > .35 and lower_left > .3",
    },
    ("loop", "8"): {
        "two loops": "loops > 1",
        "crossing": "upper_centre > .4 and lower_centre > .5 and top_right > .25 and bottom_right > .05",
        "waist": "lower_left + lower_right < .7 and lower_centre > .5 and top_right > .25 and bottom_right > .05",
    },
    ("loop", "9"): {
        "high loop": "upper_loop > 0 and lower_loop < 1",
        "blank lower left": "lower_left < .2 and lower_centre < .5",
        "heavy head": "upper_right > .5 and upper_centre > .4 and lower_left < .25",
    },
    ("stroke", "1"): {
        "upright": "top_centre > .6 and upper_centre > .7 and lower_centre > .7 and bottom_centre > .6",
        "narrow": "upper_left < .3 and top_right + upper_right < .5 and lower_right + bottom_right < .3",
        "full middle": "upper_centre > .8 and lower_centre > .8",
    },
    ("stroke", "2"): {
        "base line": "bottom_left + bottom_centre + bottom_right > 1.6 and lower_right < .2",
        "blank above the base": "lower_right < .1 and bottom_right > .2",
        "descending": "bottom_left > .3 and lower_centre > .4 and upper_left < .5 and lower_right < .15",
    },
    ("stroke", "3"): {
        "blank left": "upper_left < .3 and lower_left < .2 and top_left > .3",
        "three bars": "top_centre > .5 and upper_centre > .4 and upper_left < .35 and lower_left < .15",
        "open bows": "lower_right > .3 and lower_left < .15 and upper_left < .3",
    },
    ("stroke", "4"): {
        "no roof": "top_left < .25 and top_right < .15 and bottom_right < .35 and lower_left > .25",
        "cross bar": "lower_left > .4 and lower_centre > .4 and lower_right > .2",
        "bare foot": "bottom_left < .25 and bottom_centre > .5 and upper_left > .25 and lower_left > .25",
    },
    ("stroke", "5"): {
        "flag": "upper_left > .5 and upper_right < .3 and lower_left < .25",
        "roof and wall": "top_left > .25 and top_centre > .5 and upper_left > .5",
        "blank lower left": "lower_left < .25 and upper_left > .4 and bottom_left > .2",
    },
    ("stroke", "7"): {
        "roof": "top_right > .3 and top_centre > .6 and upper_left < .4 and bottom_right < .1",
        "slope": "top_right > .2 and upper_right > .3 and lower_centre > .3 and bottom_right < .05",
        "wide above": "top_right + upper_right > .8 and bottom_left + bottom_right < .35",
    },
}
"""What each LF must see, by (task, label) and then by name: sums of columns, each compared with a number."""

_CONDITION = re.compile(r"([a-z_]+(?: \+ [a-z_]+)*) ([<>]) (\d*\.?\d+)")


def _make_function(task: str, label: str, name: str, sight: str) -> mw.LabelingFunction:
    conditions = [_read_condition(text) for text in sight.split(" and ")]
    columns = tuple(dict.fromkeys(column for terms, _, _ in conditions for column in terms))

    def look(*values: float) -> str | None:
        seen = dict(zip(columns, values, strict=True))
        holds = (sign * (sum(seen[term] for term in terms) - limit) > 0 for terms, sign, limit in conditions)
        return label if all(holds) else None

    look.__doc__ = sight
    return mw.from_callable(look, task, columns, f"{label}: {name}")


def _read_condition(text: str) -> tuple[tuple[str, ...], int, float]:
    """The columns to add up, 1 for "above" or -1 for "below", and the number to compare with."""
    found = _CONDITION.fullmatch(text)
    assert found is not None, text
    return tuple(found[1].split(" + ")), 1 if found[2] == ">" else -1, float(found[3])


LABELING_FUNCTIONS = tuple(
    _make_function(task, label, name, sight)
    for (task, label), sights in SIGHTS.items()
    for name, sight in sights.items()
)
