"""Where everything in the text of a YAML or JSON file stands, so that a part can be changed and the rest kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from metalwork._documents import Key
from metalwork.errors import ConfigError


@dataclass
class Node:
    """A value in the text.

    Attributes
    ----------
    kind : {"map", "seq", "scalar", "alias"}
    start, stop : int
        Its place: from an anchor or tag before it to the end of what it says, without white space and comments.
    is_flow : bool
        Whether it is in brackets or braces.
    value : str
        Of a scalar.
    items : list of Node
        Of a sequence.
    entries : list of (Node, Node)
        Of a mapping.
    """

    kind: Literal["map", "seq", "scalar", "alias"]
    start: int
    stop: int
    is_flow: bool = False
    value: str = ""
    items: list["Node"] = field(default_factory=list)
    entries: list[tuple["Node", "Node"]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written: a null that is left out."""
        return self.kind == "scalar" and self.start == self.stop

    def entry(self, key: Key) -> int | None:
        """Which entry of a mapping has this key; None where none has."""
        places = (i for i, (own, _) in enumerate(self.entries) if own.kind == "scalar" and own.value == str(key))
        return next(places, None)


def read_nodes(text: str) -> Node | None:
    """The tree of a text that has been read without an error; None where it says nothing."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    events = (event for event in yaml.parse(text) if isinstance(event, _WITH_PLACE))
    first = next(events, None)
    return None if first is None else _node(text, first, events)


_WITH_PLACE = (
    AliasEvent,
    ScalarEvent,
    MappingStartEvent,
    MappingEndEvent,
    SequenceStartEvent,
    SequenceEndEvent,
)


def _node(text: str, event: Any, events: Iterator[Any]) -> Node:
    start, stop = event.start_mark.index, event.end_mark.index
    if isinstance(event, AliasEvent):
        return Node("alias", start, stop)
    if isinstance(event, ScalarEvent):
        return Node("scalar", start, _trimmed(text, start, stop), value=event.value)
    is_map = isinstance(event, MappingStartEvent)
    node = Node("map" if is_map else "seq", start, stop, bool(event.flow_style))
    while not isinstance(event := next(events), MappingEndEvent | SequenceEndEvent):
        child = _node(text, event, events)
        if is_map:
            node.entries.append((child, _after_colon(text, child, _node(text, next(events), events))))
        else:
            node.items.append(child)
    last = [*node.items, *(value for _, value in node.entries[-1:])][-1:]
    node.stop = event.end_mark.index if node.is_flow or not last else last[0].stop
    return node


def _after_colon(text: str, key: Node, value: Node) -> Node:
    """An empty value stands at its colon, and not before whatever comes next."""
    if value.is_empty:
        colon = text.find(":", key.stop, value.stop + 1)
        value.start = value.stop = key.stop if colon < 0 else colon + 1
    return value


def _trimmed(text: str, start: int, stop: int) -> int:
    return start + len(text[start:stop].rstrip())


def find_node(root: Node, keys: Sequence[Key], name: str) -> tuple[Node, int]:
    """The deepest value there is on the way down ``keys``, and how many keys lead to it.

    ``ConfigError`` where an alias stands on the way: what it stands for is written elsewhere.
    """
    node, depth = root, 0
    for depth, key in enumerate(keys):
        if node.kind == "map" and (place := node.entry(key)) is not None:
            below = node.entries[place][1]
        elif node.kind == "seq" and isinstance(key, int) and key < len(node.items):
            below = node.items[key]
        else:
            return node, depth
        if below.kind == "alias":
            raise ConfigError(
                f"{'.'.join(map(str, keys[: depth + 1]))} of {name} must be written out to be edited; it is an "
                "alias (*) of another place. Write its value there."
            )
        node = below
    return node, len(keys)
