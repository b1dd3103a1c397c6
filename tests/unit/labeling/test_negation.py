"""What English negates and what only looks so: clinical notes, tickets and everyday prose."""

from collections.abc import Sequence

import polars as pl
import pytest

import metalwork as mw
from metalwork.labeling._negation import Negation
from metalwork.labeling._negation_words import TRIGGERS

NEGATED = {
    "before it": [
        "No pleural effusion.",
        "There is no evidence of an effusion.",
        "Patient denies effusion or cough.",
        "Lungs are free from effusion.",
        "Absence of effusion is confirmed.",
        "CT ruled out effusion.",
        "Interval resolution of the effusion.",
        "The scan failed to show any effusion.",
        "Nothing to suggest effusion.",
        "None of the films had an effusion.",
        "Nobody mentioned an effusion.",
        "No one saw an effusion.",
        "He neither had an effusion nor a cough.",
        "Discharged w/o effusion.",
        "Unremarkable for effusion.",
        "Negative for: oedema, effusion.",
        "Denies: cough, fever, effusion",
        "no mass,effusion,or nodule",
    ],
    "contractions": [
        "There couldn't be an effusion.",
        "She hadn't an effusion in May.",
        "There wasnt any effusion.",
        "It wouldn't be called an effusion.",
        "There shouldn't be an effusion.",
        "They didnt find an effusion.",
        "There isn\u2018t an effusion.",
        "He doesn\u2019t have an effusion.",
        "It ain't an effusion.",
    ],
    "after it": [
        "Effusion: none.",
        "Effusion: No",
        "effusion - none",
        "Effusion (none), heart normal.",
        "Effusion = negative; heart normal.",
        "Any effusion? No.",
        "Effusion: none seen.",
        "Effusion:\nNone",
        "Pleural effusion is absent.",
        "Effusion absent.",
        "Effusion not seen.",
        "Effusion was ruled out.",
        "Effusion ruled out by ultrasound.",
        "An effusion cannot be identified.",
        "An effusion has not been demonstrated.",
        "Effusion is no longer present.",
        "The effusion has completely resolved.",
        "The effusion is gone.",
        "Effusion isn't there.",
        "Effusion wasn't found on either side.",
        "The effusion did not recur.",
        "The test for effusion was negative.",
        "Effusion, consolidation and oedema are not seen.",
        "The heart is enlarged, effusion is not seen.",
        "Effusion never materialised.",
        "The effusion remains absent.",
        "The effusion is nowhere to be found.",
    ],
    "of a compound": ["An effusion-free year.", "non-effusion"],
    "over wrapped lines": [
        "There is no evidence of\npleural effusion.",
        "No\r\npleural effusion.",
        "Lungs are clear, without focal consolidation or\nEffusion of any size.",
        "The radiologist who looked at all of the films saw no mass or\n    effusion.",
        "Effusion was\nnot seen.",
        "We saw no nodule in this patient who was known to have\nCrohn's disease, nor effusion.",
    ],
    "over stops that end no sentence": [
        "No nodule of 2.5 cm or effusion.",
        "No mass, per Dr. Smith, and no sign of, e.g. effusion.",
        "Not a mass vs. effusion.",
        "No mass (cf. fig. 3) or effusion.",
        "No opacity, approx. 3 mm. in size, or effusion.",
        "No bleeding at 10:30 or effusion.",
    ],
    "in tickets": [
        "I have no complaint and no effusion to report.",
        "I don't think there was an effusion",
        "not one effusion this week!",
    ],
}

AFFIRMED = {
    "no change": [
        "No change in the effusion.",
        "No significant interval change of the effusion.",
        "Without any improvement of the effusion.",
        "The effusion has not changed.",
        "The effusion has not resolved.",
        "The effusion hasn't gone away.",
        "The effusion has not yet cleared.",
        "The effusion is not increasing.",
        "The effusion is partially resolved.",
        "It never stops the effusion.",
    ],
    "uncertain": [
        "Cannot exclude effusion.",
        "Effusion cannot be excluded.",
        "Effusion is not ruled out.",
        "Effusion was not entirely excluded.",
        "Not sure whether this is an effusion.",
        "I don't know if it is an effusion.",
        "Effusion is unlikely.",
        "CT to rule out effusion.",
        "Whether or not there is an effusion.",
    ],
    "not only, and the like": [
        "Not only an effusion but a mass.",
        "Not just effusion.",
        "Not all had an effusion.",
        "No doubt an effusion.",
        "Nothing but an effusion.",
        "None other than an effusion.",
        "A large if not huge effusion.",
        "Not to mention the effusion.",
        "Not until the effusion grew.",
        "This is not my first effusion.",
        "It is not uncommon to see an effusion.",
    ],
    "twice negated": [
        "Not without effusion.",
        "She does not deny the effusion.",
        "Not free of effusion.",
        "The effusion is not absent.",
        "There is no lack of effusion.",
    ],
    "after the end of its clause": [
        "No pneumothorax. Small effusion.",
        "no pneumothorax. small effusion.",
        "No pneumothorax! Effusion.",
        "No pneumothorax; effusion.",
        "No pneumothorax but effusion.",
        "No pneumothorax, there is an effusion.",
        "Denies fever and has an effusion.",
        "I was not well, I had an effusion.",
        "It does not open because of the effusion.",
        "It did not stop after the effusion.",
        "No mass of 5 cm. Effusion is seen.",
        "No mass, cyst etc. Effusion is seen.",
        "No mass.Effusion is seen.",
        "Mass: none. Effusion: yes",
        "Cough: no, effusion: yes",
        "Is it broken? No, but effusion.",
    ],
    "on another line": [
        "No fever\nEffusion on the left side",
        "- no fever\n- effusion",
        "1) no fever\n2) effusion",
        "no fever\n\neffusion",
        "No fever.\neffusion",
        "FINDINGS: no mass\nIMPRESSION: effusion",
        "Cough: none\nEffusion on the left",
    ],
    "before what is negated": [
        "Effusion without pneumothorax.",
        "Effusion is seen and pneumothorax is not seen.",
        "There is effusion; pneumothorax was ruled out.",
        "Effusion, pneumothorax not seen.",
        "Effusion is large, fever: none",
        "Effusion was seen, it is not new.",
        "The effusion was not caused by fever.",
        "An effusion that was not seen on the previous film.",
        "Effusion, not seen before.",
    ],
    "words that look alike": [
        "Another effusion.",
        "Notable effusion.",
        "A normal effusion.",
        "Room No. 5 has an effusion.",
        "Nodular effusion.",
        "A gram negative effusion.",
        "Free flowing effusion.",
        "Clear effusion.",
    ],
}


def cases(kinds: dict[str, list[str]], found: bool) -> list[object]:
    return [pytest.param(text, found, id=f"{kind}: {text}") for kind, texts in kinds.items() for text in texts]


@pytest.mark.parametrize(("text", "found"), [*cases(NEGATED, False), *cases(AFFIRMED, True)])
def test_negation(text: str, found: bool) -> None:
    assert (mw.keywords("t", "Yes", ["effusion"], negated_by=True)(text) is not None) is found
    assert (mw.regex("t", "Yes", "effusion", negated_by=True)(text) is not None) is found
    assert (mw.regex("t", "Yes", "effusion", negated_by=True)(f"An aside.\n\n{text}") is not None) is found


def cut(texts: Sequence[str | None], **options: object) -> list[str | None]:
    return Negation(**options).cut(pl.Series(texts, dtype=pl.String))  # type: ignore[arg-type]


def test_what_is_negated_is_cut_out_and_the_rest_is_left() -> None:
    assert cut(["Mass. No cyst, no scar. Fracture.", "Mass.", None, "Scar is not seen. Mass"]) == [
        "Mass. \n.\n. Fracture.",
        None,
        None,
        "\n.\n. Mass",
    ]


def test_a_window_reaches_back_as_it_reaches_on() -> None:
    lf = mw.keywords("t", "Yes", ["effusion"], negated_by=True, window=2)
    assert lf("Effusion clearly not seen.") is None
    assert lf("Effusion of the left lung not seen.") == "Yes"


def test_own_cues_negate_what_follows_and_nothing_before() -> None:
    lf = mw.keywords("t", "Yes", ["effusion"], negated_by=["not", "नहीं", "kein*"])
    assert lf("Effusion not seen.") == "Yes"
    assert lf("not an effusion") is None
    assert lf("नहीं effusion") is None
    assert lf("नहीं है। effusion") == "Yes"
    assert lf("keinerlei effusion") is None


def test_a_text_that_holds_no_trigger_negates_nothing() -> None:
    every = [text for texts in NEGATED.values() for text in texts]
    bare = Negation().cut(pl.Series(every))
    assert [text for text, found in zip(every, bare, strict=True) if found is None] == []
    assert len(set(TRIGGERS)) == len(TRIGGERS)


def test_reading_takes_time_in_proportion_to_the_text() -> None:
    for odd in (
        "no ",
        "not\n",
        ", ",
        "is not ",
        "- ",
        "no. ",
        "effusion - ",
        ": ",
        "non-",
        "a.b",
        "\n\n",
        "not clearly ",
    ):
        text = odd * 20_000
        assert len(cut([text])) == 1
