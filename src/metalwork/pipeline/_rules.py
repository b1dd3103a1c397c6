"""From rules written in a project file to labeling functions."""

from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from operator import and_, or_
from pathlib import Path
from typing import Any

from metalwork.errors import ConfigError
from metalwork.labeling import (
    LabelingFunction,
    equals,
    from_column,
    from_probabilities,
    keywords,
    regex,
    threshold,
)
from metalwork.pipeline._settings import COMPOSITES, RULE_OPTIONS, LLMSettings, RuleSettings


def make_rules(
    rules: Sequence[RuleSettings], folder: Path, faulty: Collection[Any] = ()
) -> list[LabelingFunction]:
    """The labeling functions of all rules that vote, but for those with the numbers ``faulty`` and made of these.

    Raises
    ------
    ConfigError
        When a rule is made of rules that are not there, or of itself; and as :func:`make_rule` does.
    LabelingError
        As :func:`make_rule` does; when the parts of a rule do not vote for one label, and it names none.
    """
    made = {
        i: make_rule(rule, folder)
        for i, rule in enumerate(rules)
        if i not in faulty and rule.kind not in COMPOSITES
    }
    known = {lf.name: lf for lf in made.values()}
    waiting = {i: rule for i, rule in enumerate(rules) if rule.kind in COMPOSITES and i not in faulty}
    while ready := [i for i, rule in waiting.items() if known.keys() >= set(parts_of(rule))]:
        for i in ready:
            made[i] = _composite(waiting.pop(i), known)
            known[made[i].name] = made[i]
    if waiting and not faulty:
        missing = {name for rule in waiting.values() for name in parts_of(rule)} - known.keys()
        raise ConfigError(
            f"rules must be made of other rules of this file, by their names; got {', '.join(sorted(missing))}. "
            f"Known: {', '.join(sorted(known)) or 'none'}."
        )
    return [made[i] for i, rule in enumerate(rules) if i in made and rule.votes]


def rule_names(rules: Sequence[RuleSettings], folder: Path) -> list[str]:
    """The name of each rule: as written, else that of the labeling function made of it."""
    made = iter(make_rules(rules, folder))
    return [next(made).name if rule.votes else str(rule.name) for rule in rules]


def parts_of(rule: RuleSettings) -> list[str]:
    """Names of the rules that a rule is made of."""
    return [*(rule.all or ()), *(rule.any or ()), *(rule.but_not or ())]


def _composite(rule: RuleSettings, known: Mapping[str, LabelingFunction]) -> LabelingFunction:
    parts = [known[name] for name in rule.all or rule.any or ()]
    if rule.label is not None:  # what the parts vote for does not count
        parts = [part.voting(rule.label, task=str(rule.task), name=part.name) for part in parts]
    lf = reduce(and_ if rule.all is not None else or_, parts)
    for name in rule.but_not or ():
        lf = lf & ~known[name]
    label = next(iter(lf.labels or ()))
    return lf.voting(label, task=str(rule.task), name=rule.name or lf.name)


def make_rule(rule: RuleSettings, folder: Path) -> LabelingFunction:
    """The labeling function of a rule that is not made of others; files it names lie relative to ``folder``.

    Raises
    ------
    ConfigError
        When a file that it names cannot be read, or holds nothing.
    LabelingError
        When the function of its kind refuses an argument.
    """
    if rule.llm is not None:
        from metalwork.sources import llm  # which few projects need

        return llm(rule.task, name=rule.name, **_llm_arguments(rule.llm, folder))
    task = str(rule.task)
    if rule.column is not None:
        return from_column(task, rule.column, mapping=rule.mapping, name=rule.name)
    if rule.probabilities is not None:
        return from_probabilities(task, rule.probabilities, rule.name)
    named = [option for option in RULE_OPTIONS[rule.kind] if option != "label"]
    options: dict[str, Any] = {option: getattr(rule, option) for option in named} | {"name": rule.name}
    if rule.threshold is not None:
        return threshold(task, str(rule.label), rule.threshold, **options)
    if rule.equals is not None:
        return equals(task, str(rule.label), rule.equals, **options)
    if rule.regex is not None:
        return regex(task, str(rule.label), rule.regex, **options)
    words = rule.keywords if rule.words_file is None else read_words(folder / rule.words_file)
    return keywords(task, str(rule.label), words or [], **options)


def files_of(rule: RuleSettings, folder: Path) -> list[Path]:
    """The files that a rule is made of."""
    named = [rule.words_file, None if rule.llm is None else rule.llm.template]
    return [folder / name for name in named if name is not None]


def _llm_arguments(settings: LLMSettings, folder: Path) -> dict[str, Any]:
    """What is said of a language model, as keyword arguments."""
    given = settings.model_dump(exclude_unset=True)
    if settings.template is not None:
        given["template"] = _read_template(folder / settings.template)
    if settings.cache is not None:
        given["cache"] = folder / settings.cache
    if settings.examples:
        given["examples"] = [({k: v for k, v in e.items() if k != "label"}, e["label"]) for e in settings.examples]
    return given


def _read_template(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: must be UTF-8 text, the template of a prompt; got {error}.") from None
    if not text.strip():
        raise ConfigError(
            f"{path}: must hold the template of a prompt; it is empty. Write {{{{ record }}}} in it."
        )
    return text


def read_words(path: Path) -> list[str]:
    """The words and phrases of a text file, one a line, but for empty lines and those that begin with ``#``."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: must be UTF-8 text, a word or phrase a line; got {error}.") from None
    words = [word for line in lines if (word := line.strip()) and not word.startswith("#")]
    if not words:
        raise ConfigError(f"{path}: must hold a word or phrase a line; it holds none. Write at least one.")
    return words
