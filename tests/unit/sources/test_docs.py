"""LFs over parsed texts: spaCy's patterns and entities, skweak's annotators."""

import copy
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import metalwork as mw
from metalwork.errors import LabelingError, MissingExtraError

SCHEMA = mw.TaskSchema.flat(["Corporate", "Markets", "Other"], task="desk")
RECORDS: list[dict[str, Any]] = [
    {"text": "Acme net profit"},
    {"text": "wheat and Acme"},
    {"text": None},
    {"text": "rain"},
]
KINDS = {"Acme": "ORG", "wheat": "COMMODITY", "profit": "Corporate"}


@dataclass
class Span:
    label_: str


class Doc:
    """As much of a document as is looked at."""

    vocab = "words"

    def __init__(self, words: list[str]) -> None:
        self.words, self.spans = words, dict[str, list[Span]]()

    @property
    def ents(self) -> list[Span]:
        return [Span(KINDS[word]) for word in self.words if word in KINDS]

    def copy(self) -> "Doc":
        return copy.deepcopy(self)


class Parser:
    """A pipeline that splits at blanks, and counts what it was given."""

    def __init__(self) -> None:
        self.n_texts = 0

    def pipe(self, texts: Iterable[str]) -> Iterator[Doc]:
        for text in texts:
            self.n_texts += 1
            yield Doc(text.split())


@dataclass
class Annotator:
    """Marks words, as skweak's do; words of another source are left to it."""

    name: str
    words: dict[str, str]
    after: str = ""

    def __call__(self, doc: Doc) -> Doc:
        free = doc.words if not doc.spans.get(self.after) else []
        doc.spans[self.name] = [Span(self.words[word]) for word in free if word in self.words]
        return doc


def _names(lfs: list[mw.LabelingFunction], records: Any = RECORDS, **options: Any) -> list[list[str]]:
    votes = mw.apply(lfs, records, SCHEMA, **options)
    return [[votes.vote_name(j, code) if code >= 0 else "" for j, code in enumerate(row)] for row in votes.codes]


def _fault(make: Any, records: Any = RECORDS) -> str:
    with pytest.raises(LabelingError) as caught:
        mw.apply([make()], records, SCHEMA)
    return str(caught.value)


def test_entities_vote_for_the_labels_of_their_types() -> None:
    mapped = mw.spacy_entities("desk", {"ORG": "Corporate", "COMMODITY": "Markets"}, Parser())
    alike = mw.spacy_entities("desk", nlp=Parser(), name="alike")
    assert _names([mapped, alike]) == [["Corporate", "Corporate"], ["not Other", ""], ["", ""], ["", ""]]


def test_entities_of_documents_need_no_pipeline() -> None:
    docs = [{"doc": Doc(["wheat"])}, {"doc": None}]
    assert _names([mw.spacy_entities("desk", {"COMMODITY": "Markets"}, field="doc")], docs) == [["Markets"], [""]]
    assert _fault(lambda: mw.spacy_entities("desk", {"ORG": "Corporate"})) == (
        "LF 'desk entities' failed at row 0: nlp must be given: a pipeline that finds entities. "
        "Pass nlp=spacy.load('en_core_web_sm'), or a column of documents."
    )


def test_annotators_run_once_a_text_in_their_order() -> None:
    parser = Parser()
    first = Annotator("firms", {"Acme": "ORG"})
    second = Annotator("goods", {"wheat": "GOOD", "rain": "GOOD", "Acme": "GOOD"}, after="firms")
    lfs = mw.from_skweak([first, second], "desk", {"ORG": "Corporate", "GOOD": "Markets"}, parser)
    assert [lf.name for lf in lfs] == ["firms", "goods"]
    assert _names(lfs) == [["Corporate", ""], ["Corporate", ""], ["", ""], ["", "Markets"]]
    assert parser.n_texts == 3
    assert _names(lfs, backend="processes", n_jobs=2, chunk_size=2)[3] == ["", "Markets"]
    doc = Doc(["Acme"])
    assert _names(mw.from_skweak(first, "desk", {"ORG": "Corporate"}, field="doc"), [{"doc": doc}]) == [
        ["Corporate"]
    ]
    assert doc.spans == {}


def test_wrong_arguments() -> None:
    assert _fault(lambda: mw.spacy_entities("desk", {"ORG": "Corporte"}, Parser())) == (
        "labels of LF 'desk entities': 'Corporte' is no label of task 'desk'. Did you mean 'Corporate'?"
    )
    assert _fault(lambda: mw.spacy_entities("desk", ["ORG"], Parser())) == (  # type: ignore[arg-type]
        "labels of LF 'desk entities' must be a dict from what is found to labels; got ['ORG']. "
        "Write e.g. {'ORG': 'Corporate'}."
    )
    assert _fault(lambda: mw.spacy_entities("desk", nlp=3)) == (
        "nlp of LF 'desk entities' must be a pipeline of spaCy's or its name; got 3."
    )
    with pytest.raises(LabelingError, match=r"^annotators must be skweak's"):
        mw.from_skweak([3], "desk")
    assert _fault(lambda: mw.spacy_patterns("desk", "Markets", [])).startswith(
        "patterns of LF 'Markets: desk patterns' must be a list of token patterns; got []."
    )


def test_without_spacy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'metalwork\[spacy\]'"):
        mw.apply([mw.spacy_patterns("desk", "Markets", [[{"LOWER": "wheat"}]])], RECORDS, SCHEMA)


def test_spacys_own_patterns_and_entities() -> None:
    spacy = pytest.importorskip("spacy")
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "ORG", "pattern": "Acme"}])
    lfs = [
        mw.spacy_patterns("desk", "Corporate", [[{"LOWER": "net"}, {"LOWER": "profit"}]]),
        mw.spacy_patterns("desk", "Markets", [[{"LOWER": {"IN": ["wheat", "corn"]}}]], nlp),
        mw.spacy_entities("desk", {"ORG": "Corporate"}, nlp),
    ]
    expected = [["Corporate", "", "Corporate"], ["", "Markets", "Corporate"], ["", "", ""], ["", "", ""]]
    assert _names(lfs) == expected
    assert _names(lfs, backend="processes", n_jobs=2, chunk_size=2) == expected
    over_docs = mw.spacy_patterns("desk", "Corporate", [[{"LOWER": "profit"}]], field="doc")
    docs = [{"doc": nlp(text)} for record in RECORDS if (text := record["text"])]
    assert _names([over_docs], docs) == [["Corporate"], [""], [""]]
    assert "must be token patterns of spaCy's; got [[{'LOWR': 'a'}]]" in _fault(
        lambda: mw.spacy_patterns("desk", "Markets", [[{"LOWR": "a"}]])
    )
    assert _fault(lambda: mw.spacy_patterns("desk", "Market", [[{"LOWER": "a"}]])) == (
        "LF 'Market: desk patterns': 'Market' is no label of task 'desk'. Did you mean 'Markets'?"
    )
    assert "nlp must name an installed pipeline of spaCy's; got 'no_such'" in _fault(
        lambda: mw.spacy_entities("desk", nlp="no_such")
    )


def test_skweaks_own_annotators() -> None:
    heuristics = pytest.importorskip("skweak.heuristics")
    gazetteers = pytest.importorskip("skweak.gazetteers")
    annotators = [
        heuristics.FunctionAnnotator(
            "firms", lambda doc: ((t.i, t.i + 1, "ORG") for t in doc if t.text == "Acme")
        ),
        gazetteers.GazetteerAnnotator("goods", {"GOOD": gazetteers.Trie([["wheat"]])}),
    ]
    lfs = mw.from_skweak(annotators, "desk", {"ORG": "Corporate", "GOOD": "Markets"})
    assert _names(lfs) == [["Corporate", ""], ["Corporate", "Markets"], ["", ""], ["", ""]]
