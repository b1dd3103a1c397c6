"""Lines, columns and comments of a text, and parts in brackets put in and taken out."""

from collections.abc import Sequence
from dataclasses import dataclass

from metalwork.editing._yaml_nodes import Node


@dataclass(frozen=True)
class Layout:
    """Where lines of a text begin and end."""

    text: str

    def line_start(self, place: int) -> int:
        """Where the line of a place starts."""
        return self.text.rfind("\n", 0, place) + 1

    def line_end(self, place: int) -> int:
        """Where the line of a place ends, before its line break."""
        end = self.text.find("\n", place)
        if end < 0:
            return len(self.text)
        return end - 1 if end > place and self.text[end - 1] == "\r" else end

    def column(self, place: int) -> int:
        """How far in a place is, from 0."""
        return place - self.line_start(place)

    def dash(self, item: Node) -> int:
        """The dash before an item of a block, between which and the item comments may stand; -1 where none is."""
        start = self.line_start(item.start)
        while not self.text[start:].lstrip(" ").startswith("-"):
            if start == 0:
                return -1
            start = self.line_start(start - 1)
        return self.text.index("-", start)

    def end_of_part(self, stop: int, margin: int) -> int:
        """The end of the line on which a value ends, or of the comments below it, further in than ``margin``."""
        end = self.line_end(max(stop - 1, 0))
        while following := self.text.find("\n", end) + 1:
            line = self.text[following : self.line_end(following)]
            comment = line.lstrip(" ")
            if not comment.startswith("#") or len(line) - len(comment) <= margin:
                break
            end = self.line_end(following)
        return end

    def without_lines(self, start: int, stop: int, margin: int) -> str:
        """Without the lines from ``start`` to those of the value that ends at ``stop``, and of its comments."""
        after = self.text.find("\n", self.end_of_part(stop, margin)) + 1
        return self.text[:start] + self.text[after:] if after else self.text[:start].rstrip("\r\n")


def into_brackets(text: str, node: Node, new: str, newline: str) -> str:
    """Put a part before the closing bracket, on a line of its own where the last one has one."""
    parts, layout = parts_of(node), Layout(text)
    if not parts:
        inside = text[node.start : node.stop - 1].rstrip(" ")
        return text[: node.start] + inside + new + text[node.stop - 1 :]
    start, last = parts[-1]
    comma = _comma(text, last)
    stop = last if comma is None else comma + 1
    first, end = layout.line_start(start), layout.line_end(stop)
    if not text[first:start].strip(" \t") and not text[stop:end].split("#")[0].strip(" \t"):
        between = "," + text[last:end] if comma is None else text[last:end]
        return text[:last] + between + newline + text[first:start] + new + text[end:]
    return text[:stop] + (", " if comma is None else " ") + new + text[stop:]


def out_of_brackets(text: str, node: Node, place: int) -> str:
    """Take a part out, with a comma beside it, and with the line that is empty then."""
    parts = parts_of(node)
    start, stop = parts[place]
    comma = _comma(text, stop)
    if comma is not None:
        stop = comma + 1
    elif place:
        before = _comma(text, parts[place - 1][1])
        if before is not None:
            text = text[:before] + text[before + 1 :]
            start, stop = start - 1, stop - 1
    layout = Layout(text)
    first, end = layout.line_start(start), layout.line_end(stop)
    if first > node.start and not text[first:start].strip(" \t") and not text[stop:end].strip(" \t"):
        return text[:first] + text[text.find("\n", end) + 1 :]
    if comma is None:
        return text[:start].rstrip(" ") + text[stop:]
    return text[:start] + text[stop:].lstrip(" ")


def parts_of(node: Node) -> Sequence[tuple[int, int]]:
    """Start and stop of each item of a list, or of each key with its value."""
    if node.kind == "seq":
        return [(item.start, item.stop) for item in node.items]
    return [(key.start, max(key.stop, value.stop)) for key, value in node.entries]


def _comma(text: str, place: int) -> int | None:
    """Where the comma stands that follows a part; comments may come before it."""
    while place < len(text):
        if text[place] == ",":
            return place
        if text[place] == "#":
            place = text.find("\n", place)
            if place < 0:
                return None
        elif not text[place].isspace():
            return None
        place += 1
    return None
