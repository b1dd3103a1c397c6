"""A rule as the fields of a form, as the keys of a project file, and as Python to paste."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from metalwork.errors import ConfigError
from metalwork.pipeline import REGEX_FLAGS, RuleSettings
from metalwork.studio._asked import Asked

KINDS: Final = {
    "keywords": "Words or phrases",
    "regex": "Regular expression",
    "words_file": "Words of a file",
    "threshold": "A number within bounds",
    "equals": "A column has a value",
    "all": "All of some rules hold",
    "any": "One of some rules holds",
    "column": "Labels of a column",
}
"""The kinds of rules that the editor writes; others of the project file are shown, and left as they are."""

TEXT_KINDS: Final = ("keywords", "words_file", "regex")
BOUNDS: Final = ("above", "at_least", "below", "at_most")
_OPTIONS: Final = (
    "name",
    "task",
    "label",
    "column",
    "words",
    "pattern",
    "file",
    "negation",
    "cues",
    "window",
    "values",
)


@dataclass(frozen=True)
class Draft:
    """The fields of the form; all are texts as they are typed, but for boxes and choices of several."""

    kind: str = "keywords"
    name: str = ""
    task: str = ""
    label: str = ""
    column: str = "text"
    words: str = ""
    pattern: str = ""
    flags: tuple[str, ...] = ("ignorecase",)
    file: str = ""
    negation: str = ""
    """Empty for none, ``usual`` for what English has, ``own`` for ``cues``."""
    cues: str = ""
    window: str = ""
    ignore_case: bool = True
    whole_words: bool = True
    bounds: Mapping[str, str] = field(default_factory=dict)
    values: str = ""
    parts: tuple[str, ...] = ()
    but_not: tuple[str, ...] = ()
    votes: bool = True

    @classmethod
    def of_form(cls, asked: Asked) -> "Draft":
        """As it was typed."""
        kind = asked.one("kind", "keywords")
        texts = {name: asked.one(name) for name in _OPTIONS if asked.form.get(name) or asked.query.get(name)}
        fresh = not asked.flag("sent")  # a new form has the boxes ticked that are ticked by default
        return cls(
            kind=kind if kind in KINDS else "keywords",
            flags=cls.flags if fresh else tuple(name for name in asked.all("flags") if name in REGEX_FLAGS),
            ignore_case=fresh or asked.flag("ignore_case"),
            whole_words=fresh or asked.flag("whole_words"),
            votes=fresh or asked.flag("votes"),
            bounds={name: asked.one(name).strip() for name in BOUNDS},
            parts=tuple(asked.all("parts")),
            but_not=tuple(asked.all("but_not")),
            **texts,
        )

    @classmethod
    def of_rule(cls, rule: RuleSettings) -> "Draft":
        """As it stands in a project file."""
        negated, kind = rule.negated_by, rule.kind
        own = isinstance(negated, tuple)
        values = rule.equals if isinstance(rule.equals, list) else [rule.equals]
        mapping = [f"{value} = {'' if label is None else label}" for value, label in (rule.mapping or {}).items()]
        named = {"threshold": rule.threshold, "column": rule.column}
        return cls(
            kind=kind,
            name=rule.name or "",
            task=str(rule.task),
            label=rule.label or "",
            column=named.get(kind) or rule.field,
            words="\n".join(rule.keywords or ()),
            pattern=rule.regex or "",
            flags=tuple(name for name, flag in REGEX_FLAGS.items() if rule.flags & flag),
            file=rule.words_file or "",
            negation="own" if own else "usual" if negated else "",
            cues="\n".join(negated) if isinstance(negated, tuple) else "",
            window="" if rule.window is None else str(rule.window),
            ignore_case=rule.ignore_case,
            whole_words=rule.whole_words,
            bounds={name: "" if (bound := getattr(rule, name)) is None else f"{bound:g}" for name in BOUNDS},
            values="\n".join(mapping if kind == "column" else map(str, values if kind == "equals" else ())),
            parts=tuple(rule.all or rule.any or ()),
            but_not=tuple(rule.but_not or ()),
            votes=rule.votes,
        )

    @property
    def is_empty(self) -> bool:
        """Whether what it looks for has not been typed yet."""
        needed = {
            "keywords": lines_of(self.words),
            "regex": self.pattern,
            "words_file": self.file.strip(),
            "threshold": self.column.strip() and any(self.bounds.values()),
            "equals": lines_of(self.values),
            "column": self.column.strip(),
        }
        return not needed.get(self.kind, self.parts)

    def rule(self) -> dict[str, Any]:
        """The keys of the rule in a project file, without those that have their default values.

        Raises
        ------
        ConfigError
            For a number that is none, and a file outside the project's folder.
        """
        found: dict[str, Any] = self._condition() | {"task": self.task}
        if self.kind != "column" and self.label:
            found["label"] = self.label
        if self.name.strip():
            found["name"] = self.name.strip()
        if self.kind in TEXT_KINDS:
            found |= self._of_texts()
        if self.kind in (*TEXT_KINDS, "equals") and self.column.strip() != "text":
            found["field"] = self.column.strip()
        if not self.votes:
            found["votes"] = False
        return found

    def _condition(self) -> dict[str, Any]:
        """The key that says of which kind the rule is, and what belongs to it alone."""
        if self.kind == "threshold":
            bounds = {name: _number(name, text) for name, text in self.bounds.items() if text}
            return {"threshold": self.column.strip(), **bounds}
        if self.kind == "equals":
            values = lines_of(self.values)
            return {"equals": values[0] if len(values) == 1 else values}
        if self.kind == "column":
            mapping = _mapping_of(self.values)
            return {"column": self.column.strip(), **({"mapping": mapping} if mapping else {})}
        if self.kind in ("all", "any"):
            return {self.kind: list(self.parts), **({"not": list(self.but_not)} if self.but_not else {})}
        if self.kind == "words_file":
            return {"words_file": _inside(self.file.strip())}
        return {"regex": self.pattern} if self.kind == "regex" else {"keywords": words_of(self.words)}

    def _of_texts(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.negation:
            found["negated_by"] = True if self.negation == "usual" else words_of(self.cues)
            if self.window.strip():
                found["window"] = int(_number("window", self.window.strip()))
        if self.kind == "regex":
            return found if self.flags == Draft.flags else found | {"flags": list(self.flags)}
        if not self.ignore_case:
            found["ignore_case"] = False
        if not self.whole_words:
            found["whole_words"] = False
        return found

    def python(self) -> str:
        """The same as a line of Python, for the project's own file."""
        rule = self.rule()
        label = rule.get("label")
        named = ("field", "negated_by", "window", "ignore_case", "whole_words", "name")
        options: dict[str, Any] = {key: rule[key] for key in named if key in rule}
        if self.kind in ("all", "any"):
            return self._combined(label, rule.get("name"))
        if self.kind == "regex":
            flags = " | ".join(f"re.{flag.upper()}" for flag in self.flags) or "0"
            given = [*_arguments([self.task, label, self.pattern], options)]
            return f"mw.regex({', '.join([*given, *([] if self.flags == Draft.flags else [f'flags={flags}'])])})"
        if self.kind == "words_file":
            words = f"Path({rule['words_file']!r}).read_text(encoding='utf-8').splitlines()"
            return f"mw.keywords({', '.join([repr(self.task), repr(label), words, *_arguments([], options)])})"
        bounds: dict[str, Any] = {bound: rule[bound] for bound in BOUNDS if bound in rule}
        mapping: dict[str, Any] = {"mapping": rule["mapping"]} if "mapping" in rule else {}
        calls: dict[str, tuple[str, list[Any], dict[str, Any]]] = {
            "threshold": ("threshold", [self.task, label, self.column], bounds | options),
            "equals": ("equals", [self.task, label, rule.get("equals")], {"field": "text"} | options),
            "column": ("from_column", [self.task, self.column], mapping | options),
            "keywords": ("keywords", [self.task, label, rule.get("keywords")], options),
        }
        function, values, given_too = calls[self.kind]
        return f"mw.{function}({', '.join(_arguments(values, given_too))})"

    def _combined(self, label: Any, name: Any) -> str:
        """Of rules by their names: these are what the Python variables are to be called."""
        sign = " & " if self.kind == "all" else " | "
        parts = sign.join(map(variable, self.parts))
        whole = f"({parts})" + "".join(f" & ~{variable(other)}" for other in self.but_not)
        shown = ", ".join(_arguments([label], {"task": self.task} | ({} if name is None else {"name": name})))
        return f"({whole}).voting({shown})" if self.but_not else f"{whole}.voting({shown})"


def lines_of(text: str) -> list[str]:
    """The lines of a text that hold something."""
    return [line for part in text.splitlines() if (line := part.strip())]


def words_of(text: str) -> list[str]:
    """Words and phrases, one a line or with commas between them."""
    return [word for part in re.split(r"[\n,]", text) if (word := part.strip())]


def variable(name: str) -> str:
    """A name for Python that is like another."""
    found = re.sub(r"\W+", "_", name).strip("_").lower() or "rule"
    return f"_{found}" if found[0].isdigit() else found


def _arguments(values: list[Any], named: Mapping[str, Any]) -> list[str]:
    return [*map(repr, values), *(f"{key}={value!r}" for key, value in named.items())]


def _number(name: str, text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        raise ConfigError(f"{name} must be a number; got {text!r}.") from None
    return int(found) if found.is_integer() else found


def _mapping_of(text: str) -> dict[str, str | None]:
    """From lines such as ``1 = spam``; nothing after the sign abstains."""
    pairs = [line.rpartition("=") if "=" in line else (line, "=", "") for line in lines_of(text)]
    return {value.strip(): label.strip() or None for value, _, label in pairs}


def _inside(name: str) -> str:
    """A path below the project's folder: what a page asks for may lie nowhere else."""
    path = Path(name)
    if path.is_absolute() or ".." in path.parts:
        raise ConfigError(f"words_file must lie in the project's folder; got {name!r}. Copy it there.")
    return name
