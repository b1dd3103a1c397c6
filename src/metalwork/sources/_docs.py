"""LFs over parsed texts: spaCy's token patterns and entities, and skweak's annotators."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from metalwork._names import as_written, plain_name, unknown_name
from metalwork.errors import LabelingError, MissingExtraError
from metalwork.labeling import LabelingFunction
from metalwork.sources._source import Judge, Source, Votes, check_fields, check_text


def spacy_patterns(
    task: str,
    label: str,
    patterns: Sequence[Sequence[Mapping[str, Any]]],
    nlp: Any = None,
    field: str = "text",
    *,
    name: str | None = None,
) -> LabelingFunction:
    """A labeling function that votes ``label`` where a token pattern of spaCy's ``Matcher`` is found.

    Parameters
    ----------
    task, label : str
    patterns : list of lists of dicts
        As ``Matcher.add`` takes them: ``[[{"LOWER": "net"}, {"LEMMA": "profit"}]]``.
    nlp : spaCy pipeline or str, optional
        What parses the texts, or its name; by default ``spacy.blank("en")``, which knows tokens and no more.
    field : str
        The column: texts, or documents that a preprocessor made (``@mw.preprocessor(output="doc")``), which
        several labeling functions then share.
    name : str, optional
        ``"<label>: <task> patterns"`` by default.

    Raises
    ------
    MissingExtraError
        Without spaCy, which the extra "spacy" installs.
    """
    check_text("task", task)
    lf_name = check_text(
        "name of an LF", f"{check_text('label', label)}: {task} patterns" if name is None else name
    )
    given = list(patterns) if isinstance(patterns, Iterable) and not isinstance(patterns, str | Mapping) else []
    if not given or not all(
        isinstance(p, Sequence) and p and all(isinstance(t, Mapping) for t in p) for p in given
    ):
        raise LabelingError(
            f"patterns of LF {lf_name!r} must be a list of token patterns; got {patterns!r}. "
            "Write e.g. [[{'LOWER': 'net'}, {'LOWER': 'profit'}]]."
        )
    rule = _Patterns(lf_name, label, [list(map(dict, pattern)) for pattern in given], _Parser(nlp, lf_name))
    return LabelingFunction(task, lf_name, check_fields(field, lf_name), rule)


def spacy_entities(
    task: str,
    labels: Mapping[str, str] | None = None,
    nlp: Any = None,
    field: str = "text",
    *,
    name: str | None = None,
) -> LabelingFunction:
    """A labeling function that votes by the named entities of a text.

    Parameters
    ----------
    task : str
    labels : dict, optional
        From entity types to labels, ``{"ORG": "Corporate"}``; others say nothing. By default types are called like
        labels. A text with entities of several labels gets a vote for one of these.
    nlp : spaCy pipeline or str, optional
        What finds them; not needed where the column holds documents.
    field, name
        As for :func:`spacy_patterns`; ``"<task> entities"`` by default.
    """
    lf_name = check_text("name of an LF", f"{check_text('task', task)} entities" if name is None else name)
    _check_mapping(labels, lf_name)
    return LabelingFunction(
        task, lf_name, check_fields(field, lf_name), _Entities(lf_name, labels, _Parser(nlp, lf_name))
    )


def from_skweak(
    annotators: Any,
    task: str,
    labels: Mapping[str, str] | None = None,
    nlp: Any = None,
    field: str = "text",
) -> list[LabelingFunction]:
    """Labeling functions of skweak's annotators: what the spans that each finds are labeled.

    Parameters
    ----------
    annotators : list of skweak annotators
        Or one of them, also a ``CombinedAnnotator``. All are run on each text, once and in this order, so that
        one may use the spans of those before it; each votes by its own.
    task : str
    labels : dict, optional
        From labels of spans to labels of the task; others say nothing. By default they are called alike.
    nlp, field
        As for :func:`spacy_patterns`. Documents are copied before they are annotated.

    Returns
    -------
    list of LabelingFunction
        In a project's Python file, give the list a name: its functions are found there.
    """
    check_text("task", task)
    given = list(annotators) if isinstance(annotators, Iterable) else [annotators]
    flat = [each for one in given for each in getattr(one, "annotators", [one])]
    if not flat or not all(callable(each) and isinstance(getattr(each, "name", None), str) for each in flat):
        raise LabelingError(
            f"annotators must be skweak's, such as skweak.heuristics.RegexAnnotator; got {annotators!r}. "
            "Pass them in a list."
        )
    shared = _Annotated(flat, _Parser(nlp, flat[0].name))
    found = []
    for each in flat:
        _check_mapping(labels, each.name)
        rule = _Annotator(each.name, labels, shared)
        found.append(LabelingFunction(task, each.name, check_fields(field, each.name), rule))
    return found


class _Parser:
    """Texts as documents of spaCy's, one after another; documents as they are."""

    def __init__(self, nlp: Any, name: str) -> None:
        if not (nlp is None or isinstance(nlp, str) or callable(getattr(nlp, "pipe", None))):
            raise LabelingError(f"nlp of LF {name!r} must be a pipeline of spaCy's or its name; got {nlp!r}.")
        self._nlp = nlp

    @property
    def silent(self) -> bool:
        """Whether it knows tokens and no more."""
        return self._nlp is None

    def __call__(self, values: Sequence[Any]) -> Iterator[Any]:
        if all(map(is_document, values)):
            return iter(values)
        self._nlp = self._load()
        return iter(self._nlp.pipe(map(str, values)))

    def _load(self) -> Any:
        if not (self._nlp is None or isinstance(self._nlp, str)):
            return self._nlp
        spacy = _spacy()
        if self._nlp is None:
            return spacy.blank("en")
        try:
            return spacy.load(self._nlp)
        except OSError as error:
            raise LabelingError(
                f"nlp must name an installed pipeline of spaCy's; got {self._nlp!r}: {error}"
            ) from None


def is_document(value: Any) -> bool:
    """Whether a value is a document of spaCy's, told without importing it."""
    return hasattr(value, "vocab") and hasattr(value, "spans")


def _spacy() -> Any:
    try:
        import spacy
    except ImportError:
        raise MissingExtraError("spacy", "spacy", "Parsing texts") from None
    return spacy


class _Patterns(Source):
    """Where one of some token patterns is found."""

    def __init__(self, name: str, label: str, patterns: list[list[dict[str, Any]]], parse: _Parser) -> None:
        super().__init__(name)
        self.label, self.patterns, self.parse = label, patterns, parse

    def judge(self, task: str, labels: Sequence[str]) -> Judge:
        """Tells a wrong label, and wrong patterns, before anything is read."""
        label = _Labels(self.name, task, labels, None).of(self.label)
        if label is None:
            raise LabelingError(
                f"LF {self.name!r}: " + unknown_name(f"label of task {task!r}", self.label, labels)
            )
        self._matcher(_spacy().blank("en").vocab)

        def votes(values: list[Any]) -> Votes:
            found: list[Any] = []
            matcher, vocab = None, None
            for doc in self.parse(values):
                if matcher is None or doc.vocab is not vocab:
                    matcher, vocab = self._matcher(doc.vocab), doc.vocab
                found.append(label if matcher(doc) else None)
            return found

        return votes

    def _matcher(self, vocab: Any) -> Any:
        from spacy.matcher import Matcher

        matcher = Matcher(vocab)
        try:
            matcher.add("patterns", self.patterns)
        except Exception as error:
            raise LabelingError(
                f"patterns of LF {self.name!r} must be token patterns of spaCy's; got {self.patterns!r}: {error}"
            ) from None
        return matcher


class _Entities(Source):
    """Which types of entities a text names."""

    def __init__(self, name: str, labels: Mapping[str, str] | None, parse: _Parser) -> None:
        super().__init__(name)
        self.labels, self.parse = labels, parse

    def judge(self, task: str, labels: Sequence[str]) -> Judge:
        """The labels of the entities that stand for any."""
        known = _Labels(self.name, task, labels, self.labels)

        def votes(values: list[Any]) -> Votes:
            if self.parse.silent and not all(map(is_document, values)):
                raise LabelingError(
                    "nlp must be given: a pipeline that finds entities. "
                    "Pass nlp=spacy.load('en_core_web_sm'), or a column of documents."
                )
            return [known.vote(entity.label_ for entity in doc.ents) for doc in self.parse(values)]

        return votes


class _Annotated:
    """The labels that each annotator gave, by record; kept for the texts that it was asked for last."""

    def __init__(self, annotators: list[Any], parse: _Parser) -> None:
        self._annotators, self._parse = annotators, parse
        self._last: tuple[list[Any], list[dict[str, list[str]]]] | None = None

    def __call__(self, values: list[Any]) -> list[dict[str, list[str]]]:
        if self._last is None or self._last[0] != values:
            self._last = values, [self._labels(doc) for doc in self._parse(values)]
        return self._last[1]

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_last": None}

    def _labels(self, doc: Any) -> dict[str, list[str]]:
        own = doc.copy()
        for annotator in self._annotators:
            own = annotator(own)
        return {each.name: [span.label_ for span in own.spans.get(each.name, ())] for each in self._annotators}


class _Annotator(Source):
    """Votes by the spans of one annotator."""

    def __init__(self, name: str, labels: Mapping[str, str] | None, shared: _Annotated) -> None:
        super().__init__(name)
        self.source, self.labels, self.shared = name, labels, shared

    def judge(self, task: str, labels: Sequence[str]) -> Judge:
        """The labels of its spans that stand for any."""
        known = _Labels(self.name, task, labels, self.labels)
        return lambda values: [known.vote(found[self.source]) for found in self.shared(values)]


class _Labels:
    """What types of entities or spans stand for."""

    def __init__(self, name: str, task: str, labels: Sequence[str], given: Mapping[str, str] | None) -> None:
        self._own = {plain_name(label): label for label in labels}
        self._given = given
        for label in (given or {}).values():
            if self.of(label, own=True) is None:
                raise LabelingError(
                    f"labels of LF {name!r}: " + unknown_name(f"label of task {task!r}", label, labels)
                )

    def of(self, type_name: Any, own: bool = False) -> str | None:
        """The label that a name stands for; None where it says nothing."""
        named = type_name if own or self._given is None else self._given.get(type_name)
        return None if named is None else next((self._own[w] for w in as_written(named) if w in self._own), None)

    def vote(self, types: Iterable[str]) -> str | set[str] | None:
        """The label of all types found, or a set of several."""
        found = {label for name in types if (label := self.of(name)) is not None}
        return found.pop() if len(found) == 1 else found or None


def _check_mapping(labels: Any, name: str) -> None:
    if labels is not None and not (isinstance(labels, Mapping) and labels):
        raise LabelingError(
            f"labels of LF {name!r} must be a dict from what is found to labels; got {labels!r}. "
            "Write e.g. {'ORG': 'Corporate'}."
        )
