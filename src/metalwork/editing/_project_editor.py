"""Changes to a project file: comments, order and line ends stay, and what would be wrong is never written."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from metalwork._documents import Key, load_document
from metalwork.editing._written import check_expected, digest_of, read_bytes, write_bytes
from metalwork.editing._yaml_edits import YamlText
from metalwork.errors import ConfigError
from metalwork.pipeline import load_project
from metalwork.schema import unknown_name

_RULES: Final = ("lfs", "rules")
_BOM: Final = b"\xef\xbb\xbf"


class ProjectEditor:
    """Changes the rules and other keys of a project file.

    A change touches the bytes that it must touch and no other: comments, order, quotes and line ends stay. The
    whole file is checked as :func:`metalwork.pipeline.load_project` does before it is written, at once and whole.

    Parameters
    ----------
    path : path
        The project file, YAML or JSON. It may have faults; a change is written if there are none after it.
    taken : collection of str
        Names that a rule may not have: those of the project's labeling functions in Python, which is not run.

    Raises
    ------
    ConfigError
        When it cannot be read, or is not YAML or JSON.

    Examples
    --------
    ::

        editor = ProjectEditor("project.yaml")
        editor.add_rule({"keywords": ["vat"], "task": "billing", "label": "Invoice", "name": "vat"})
        editor.set("label_model.use_dev", False)
    """

    def __init__(self, path: str | os.PathLike[str], *, taken: Collection[str] = ()) -> None:
        self.path = Path(path)
        self._taken = tuple(taken)
        load_document(self.path)  # says what is wrong with the file
        self._take(read_bytes(self.path))

    @property
    def digest(self) -> str:
        """SHA-256 of the file as this editor read or wrote it last."""
        return self._digest

    @property
    def text(self) -> str:
        """The file as this editor read or wrote it last."""
        return self._edited().text

    @property
    def rules(self) -> dict[str, dict[str, Any]]:
        """The rules by name, as they are written, in their order.

        Raises
        ------
        ConfigError
            When the project has faults, so that rules without a name of their own have none.
        """
        project = load_project(self.path, text=self.text, records=False)
        section = self._edited().value.get("lfs") or {}
        return dict(zip(project.rule_names, section.get("rules") or [], strict=True))

    def add_rule(self, rule: Mapping[str, Any], *, expected: str | None = None) -> str:
        """Put a rule at the end of ``lfs.rules``, which is made where it is missing.

        Parameters
        ----------
        rule : mapping
            As it would be written in the file.
        expected : str, optional
            The digest of the file that the caller has seen; by default what this editor read or wrote last.

        Returns
        -------
        str
            The digest of the file now.

        Raises
        ------
        ChangedError
            When the file is another than the expected one. Nothing is written.
        ConfigError
            When the project would have a fault then; the loader's own message. Nothing is written.
        """
        text = self._edited(expected)
        text.append(_RULES, dict(rule))
        return self._write(text)

    def replace_rule(self, name: str, rule: Mapping[str, Any], *, expected: str | None = None) -> str:
        """Put a rule in the place of the one of this name; keys that both have alike stay untouched.

        Parameters, returns and errors as for :meth:`add_rule`; ``ConfigError`` also where no rule has this name.
        """
        text = self._edited(expected)
        text.set(self._place(text, name), dict(rule))
        return self._write(text)

    def remove_rule(self, name: str, *, expected: str | None = None) -> str:
        """Take the rule of this name away; see :meth:`replace_rule`."""
        text = self._edited(expected)
        text.remove(self._place(text, name))
        return self._write(text)

    def set(self, key: str | Sequence[Key], value: Any, *, expected: str | None = None) -> str:
        """Give a key this value, and make the sections it stands in where they are missing.

        Parameters
        ----------
        key : str or sequence of str
            ``"data.dev"``, or ``("data", "dev")``.
        value : text, number, truth, None, list or dict
        expected : str, optional
            As for :meth:`add_rule`, as are returns and errors.
        """
        text = self._edited(expected)
        text.set(key.split(".") if isinstance(key, str) else list(key), value)
        return self._write(text)

    def _edited(self, expected: str | None = None) -> YamlText:
        """What stands in the file, to be changed."""
        check_expected(self.path, self._digest, expected)
        return YamlText(self.path, self._content.removeprefix(_BOM).decode("utf-8"))

    def _place(self, text: YamlText, name: str) -> tuple[Key, ...]:
        """The keys of a rule."""
        section = text.value.get("lfs") if isinstance(text.value, dict) else None
        rules = section.get("rules") if isinstance(section, dict) else None
        written: list[Any] = [rule.get("name") if isinstance(rule, dict) else None for rule in rules or ()]
        if name not in written:
            written = load_project(self.path, text=text.text, records=False).rule_names
        if name not in written:
            raise ConfigError(unknown_name(f"rule of {self.path.name}", name, [own for own in written if own]))
        return (*_RULES, written.index(name))

    def _write(self, text: YamlText) -> str:
        """Check the text, and write it where the file is what it was."""
        project = load_project(self.path, text=text.text)
        project.check_distinct([*project.rule_names, *self._taken])
        mark = _BOM if self._content.startswith(_BOM) else b""
        content = mark + text.text.encode("utf-8")
        write_bytes(self.path, content, self._digest)
        self._take(content)
        return self._digest

    def _take(self, content: bytes) -> None:
        self._content, self._digest = content, digest_of(content)
