"""From rules written in a project file to labeling functions."""

from pathlib import Path
from typing import Any

from metalwork.errors import ConfigError
from metalwork.labeling import LabelingFunction, from_column, from_probabilities, keywords, regex
from metalwork.pipeline._settings import RULE_OPTIONS, RuleSettings


def make_rule(rule: RuleSettings, folder: Path) -> LabelingFunction:
    """The labeling function of a rule; a words file lies relative to ``folder``.

    Raises
    ------
    ConfigError
        When its words file cannot be read, or holds no word.
    LabelingError
        When the function of its kind refuses an argument.
    """
    if rule.column is not None:
        return from_column(rule.task, rule.column, mapping=rule.mapping, name=rule.name)
    if rule.probabilities is not None:
        return from_probabilities(rule.task, rule.probabilities, rule.name)
    named = [option for option in RULE_OPTIONS[rule.kind] if option != "label"]
    options: dict[str, Any] = {option: getattr(rule, option) for option in named} | {"name": rule.name}
    if rule.regex is not None:
        return regex(rule.task, str(rule.label), rule.regex, **options)
    words = rule.keywords if rule.words_file is None else read_words(folder / rule.words_file)
    return keywords(rule.task, str(rule.label), words or [], **options)


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
