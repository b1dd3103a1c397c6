"""Changes to the text of a YAML or JSON file that leave every other byte of it as it is."""

import os
from collections.abc import Sequence
from typing import Any

from metalwork._documents import Key, load_document
from metalwork.editing._layout import Layout, into_brackets, out_of_brackets
from metalwork.editing._yaml_nodes import Node, find_node, read_nodes
from metalwork.editing._yaml_values import Writer
from metalwork.errors import ConfigError


class YamlText:
    """The text of a file, and changes to it.

    After each change the text is read again, and must say what was there with this change alone: else
    ``ConfigError`` says that it has to be made by hand, and the text stays as it was.

    Parameters
    ----------
    path : path
        What errors name; nothing is read from there.
    text : str
    """

    def __init__(self, path: str | os.PathLike[str], text: str) -> None:
        self._path, self.text = path, text
        self._document = load_document(path, text=text)
        self._tree: Node | None = None
        newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
        self._writer = Writer(newline, self._document.path.suffix.lower() == ".json")

    @property
    def value(self) -> Any:
        """What the text says: dicts, lists and scalars."""
        return self._document.value

    def set(self, keys: Sequence[Key], value: Any) -> None:
        """Give a key this value: in what is there already, only that changes which differs."""
        if not keys:
            raise ConfigError("a change to a project file must name a key; got none.")
        node, depth = find_node(self._root, keys, self._name)
        if depth == len(keys):
            self._alter(keys, value)
            return
        for key in reversed(keys[depth + 1 :]):
            value = {key: value}
        self._add_entry(keys[:depth], node, keys[depth], value)

    def append(self, keys: Sequence[Key], value: Any) -> None:
        """Put a value at the end of the list under ``keys``, which is made where it is missing."""
        node, depth = find_node(self._root, keys, self._name)
        margin = self._margin(keys)
        if depth < len(keys) or (self.at(keys) is None and not node.is_empty):
            self.set(keys, [value])
            return
        if node.kind != "seq" and not node.is_empty:
            raise self._must(keys, "must be a list")
        if node.is_empty:
            lines = self._writer.item(value, margin + 2)
            self._change(self._with_lines(node.stop, margin, margin + 2, lines), keys, [value])
            return
        if node.is_flow or not node.items:
            text = into_brackets(self.text, node, self._writer.flow(value), self._writer.newline)
        else:
            column = self._column_of_dash(node.items[0])
            text = self._with_lines(node.stop, margin, column, self._writer.item(value, column))
        self._change(text, keys, [*self.at(keys), value])

    def remove(self, keys: Sequence[Key]) -> None:
        """Take away an item of a list, or a key with its value."""
        above, last = keys[:-1], keys[-1]
        node, _ = find_node(self._root, above, self._name)
        before = self.at(above)
        if node.kind == "seq" and isinstance(last, int):
            after: Any = [own for i, own in enumerate(before) if i != last]
            text = self._without_item(node, last, above)
        else:
            after = {key: own for key, own in before.items() if key != last}
            text = self._without_entry(node, last)
        self._change(text, above, after)

    def at(self, keys: Sequence[Key]) -> Any:
        """What the text says under ``keys``."""
        value = self.value
        for key in keys:
            value = value[key]
        return value

    # --- what a change is made of -------------------------------------------------------------------------------

    def _alter(self, keys: Sequence[Key], value: Any) -> None:
        """Turn what stands under ``keys`` into ``value``, part by part where both are of parts."""
        old = self.at(keys)
        if _same(old, value):
            return
        if isinstance(old, dict) and isinstance(value, dict) and old.keys() & value.keys():
            self._alter_mapping(keys, old, value)
        elif isinstance(old, list) and isinstance(value, list) and (kept := _kept(old, value)) is not None:
            for i in sorted(set(range(len(old))) - set(kept), reverse=True):
                self.remove([*keys, i])
            for own in value[len(kept) :]:
                self.append(keys, own)
        else:
            self._replace(keys, value)

    def _alter_mapping(self, keys: Sequence[Key], old: dict[str, Any], new: dict[str, Any]) -> None:
        gone, come = [key for key in old if key not in new], [key for key in new if key not in old]
        for key in old:
            if key in new and not _same(old[key], new[key]):
                self.set([*keys, key], new[key])  # what a merge (<<) brings is written out over it
        for was, key in zip(gone, come, strict=False):  # one kind of rule for another: it stands where that stood
            self._rename(keys, was, key, new[key])
        for key in gone[len(come) :]:
            self.remove([*keys, key])
        for key in come[len(gone) :]:
            self.set([*keys, key], new[key])

    def _rename(self, keys: Sequence[Key], was: Key, key: str, value: Any) -> None:
        self._replace([*keys, was], value)
        node, _ = find_node(self._root, keys, self._name)
        name = node.entries[self._entry(node, was)][0]
        text = self.text[: name.start] + self._writer.scalar(key) + self.text[name.stop :]
        after = {key if own == was else own: found for own, found in self.at(keys).items()}
        self._change(text, keys, after)

    def _replace(self, keys: Sequence[Key], value: Any) -> None:
        node, _ = find_node(self._root, keys, self._name)
        column = self._margin(keys) + 2
        if node.kind in ("map", "seq") and not node.is_flow and isinstance(keys[-1], str):
            text = self._replace_block(keys, node, value, column)
        else:
            new = self._writer.flow(value, column, self._layout.column(node.start))
            space = " " if node.is_empty else ""
            text = self.text[: node.start] + space + new + self.text[node.stop :]
        self._change(text, keys, value)

    def _replace_block(self, keys: Sequence[Key], node: Node, value: Any, column: int) -> str:
        """A block below its key, by a value beside it; a comment beside the key stays."""
        above, _ = find_node(self._root, keys[:-1], self._name)
        key = above.entries[self._entry(above, keys[-1])][0]
        colon = self.text.index(":", key.stop) + 1
        end = self._layout.line_end(colon)
        new = " " + self._writer.flow(value, column, self._layout.column(colon) + 1)
        if node.start < end:  # an anchor or a tag beside the key goes with the block
            end = colon
        return self.text[:colon] + new + self.text[colon:end] + self.text[node.stop :]

    def _add_entry(self, keys: Sequence[Key], node: Node, key: Key, value: Any) -> None:
        if node.is_empty and keys:
            margin = self._margin(keys)
            lines = self._writer.entry(key, value, margin + 2)
            self._change(self._with_lines(node.stop, margin, margin + 2, lines), keys, {key: value})
            return
        if node.kind != "map":
            raise self._must(keys, "must be a mapping")
        if node.is_flow or not node.entries:
            text = into_brackets(self.text, node, self._writer.flow({key: value})[1:-1], self._writer.newline)
        else:
            column = self._layout.column(node.entries[0][0].start)
            lines = self._writer.entry(key, value, column)
            text = self._with_lines(node.stop, column, column, lines)
        self._change(text, keys, {**self.at(keys), key: value})

    def _with_lines(self, stop: int, margin: int, column: int, lines: str) -> str:
        """Put lines below the value that ends at ``stop``, and below the comments that belong to it."""
        at, newline = self._layout.end_of_part(stop, margin), self._writer.newline
        return self.text[:at] + newline + " " * column + lines + self.text[at:]

    def _without_item(self, node: Node, place: int, keys: Sequence[Key]) -> str:
        item, text = node.items[place], self.text
        if node.is_flow:
            return out_of_brackets(text, node, place)
        column = self._column_of_dash(item)
        start = self._layout.line_start(self._layout.dash(item))
        if len(node.items) > 1:
            return self._layout.without_lines(start, item.stop, column)
        above, _ = find_node(self._root, keys[:-1], self._name)
        colon = text.index(":", above.entries[self._entry(above, keys[-1])][0].stop) + 1
        end = self._layout.end_of_part(item.stop, column)
        return text[:colon] + " []" + text[colon:start].rstrip("\r\n \t") + text[end:]

    def _without_entry(self, node: Node, key: Key) -> str:
        place, text = self._entry(node, key), self.text
        name, value = node.entries[place]
        if node.is_flow:
            return out_of_brackets(text, node, place)
        start = self._layout.line_start(name.start)
        if not text[start : name.start].strip(" ") or place + 1 == len(node.entries):
            return self._layout.without_lines(start, value.stop, self._layout.column(name.start))
        return text[: name.start] + text[node.entries[place + 1][0].start :]  # the first, beside a dash

    # --- places -------------------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return self._document.path.name

    @property
    def _layout(self) -> Layout:
        return Layout(self.text)

    @property
    def _root(self) -> Node:
        if self._tree is None:
            self._tree = read_nodes(self.text.replace("\t", " ") if self._writer.is_json else self.text)
        if self._tree is None or self._tree.kind != "map":
            raise ConfigError(f"{self._document.locate()}: a project file must be a mapping; got {self.value!r}.")
        return self._tree

    def _column_of_dash(self, item: Node) -> int:
        if (dash := self._layout.dash(item)) < 0:
            raise self._must([], "must have its lists written with dashes or brackets to be changed")
        return self._layout.column(dash)

    def _entry(self, node: Node, key: Key) -> int:
        place = node.entry(key)
        if place is None:  # it comes from a merge (<<), or its key is an alias
            raise self._must([key], "must be written out to be changed")
        return place

    def _margin(self, keys: Sequence[Key]) -> int:
        """The column of the key that a value stands under, or of its dash."""
        for depth in range(len(keys), 0, -1):
            above, _ = find_node(self._root, keys[: depth - 1], self._name)
            key = keys[depth - 1]
            if above.kind == "map" and not above.is_flow and (place := above.entry(key)) is not None:
                return self._layout.column(above.entries[place][0].start)
        return 0

    # --- checks -------------------------------------------------------------------------------------------------

    def _change(self, text: str, keys: Sequence[Key], after: Any) -> None:
        """Take over a text that says ``after`` under ``keys``, and all else as before."""
        wanted = _with(self.value, keys, after)
        try:
            document = load_document(self._path, text=text)
        except ConfigError:
            document = None
        if document is None or not _same(document.value, wanted):
            raise self._must(keys, "cannot be changed here without touching something else: change it by hand")
        self.text, self._document, self._tree = text, document, None

    def _must(self, keys: Sequence[Key], rule: str) -> ConfigError:
        where = ".".join(map(str, keys)) or "the file"
        return ConfigError(f"{self._document.locate(keys)}: {where} {rule}.")


def _kept(old: list[Any], new: list[Any]) -> list[int] | None:
    """Which items of ``old`` the list ``new`` starts with, in their order; None where none or it is mixed."""
    kept: list[int] = []
    for i, own in enumerate(old):
        if len(kept) < len(new) and _same(own, new[len(kept)]):
            kept.append(i)
    rest = new[len(kept) :]
    return kept if kept and not any(_same(own, other) for own in old for other in rest) else None


def _with(value: Any, keys: Sequence[Key], after: Any) -> Any:
    if not keys:
        return after
    if isinstance(value, list):
        return [_with(own, keys[1:], after) if i == keys[0] else own for i, own in enumerate(value)]
    return {key: _with(own, keys[1:], after) if key == keys[0] else own for key, own in value.items()}


def _same(one: Any, other: Any) -> bool:
    """Whether two values are written alike: true is not 1, and the order of keys does not count."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(own, other[key]) for key, own in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other
