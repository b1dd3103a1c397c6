"""Where labeling functions find what they read: in columns, in preprocessors, or in each other's votes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

from metalwork.errors import LabelingError
from metalwork.labeling._chunk import Chunk
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._made import Keeper, Watching, make, said
from metalwork.labeling._preprocess import Preprocessor, in_modules_of
from metalwork.labeling._returns import Reader
from metalwork.labeling._votes import Votes
from metalwork.schema import unknown_name


@dataclass(frozen=True)
class Inputs:
    """What some labeling functions read beside columns; it travels to the workers.

    Attributes
    ----------
    order : tuple of int
        Positions of the LFs, each after those whose votes it reads.
    preprocessors : mapping of str to Preprocessor
        By output, those that are asked for.
    votes : mapping of str to int
        By name, the positions of the LFs that other LFs read.
    columns : tuple of tuple of str
        By LF, the columns of the records that its votes depend on.
    behind : tuple of tuple
        By LF, the preprocessors and the positions of the LFs that its votes depend on.
    of_preprocessors : mapping of str to tuple of str
        By output, the columns of the records that a preprocessor depends on.
    """

    order: tuple[int, ...]
    preprocessors: Mapping[str, Preprocessor]
    votes: Mapping[str, int]
    columns: tuple[tuple[str, ...], ...]
    behind: tuple[tuple[Preprocessor | int, ...], ...]
    of_preprocessors: Mapping[str, tuple[str, ...]]

    @property
    def all_columns(self) -> list[str]:
        """All columns that any LF depends on."""
        return list(dict.fromkeys(name for names in self.columns for name in names))

    def behind_preprocessor(self, made: Preprocessor) -> list[Preprocessor]:
        """The other preprocessors that one depends on."""
        found: dict[str, Preprocessor] = {}
        waiting = list(made.fields)
        while waiting:
            name = waiting.pop(0)
            if (other := self.preprocessors.get(name)) is not None and name not in found:
                found[name] = other
                waiting += other.fields
        return list(found.values())

    def offer(self, chunk: Chunk, keeper: Keeper | None, watching: Watching) -> None:
        """Let the LFs find the preprocessors' outputs in a chunk; ``keeper`` has those of earlier times.

        ``watching`` guards a preprocessor while it runs, given its position and whether it takes a batch.
        """
        for place, (output, made) in enumerate(self.preprocessors.items()):
            around = partial(watching, place, made.batch)
            chunk.offer(output, partial(make, made, chunk, keeper if made.cache else None, around))

    def offer_votes(self, chunk: Chunk, j: int, name: str, votes: Votes, reader: Reader) -> None:
        """Let other LFs find the votes of LF ``j``, where any reads them."""
        if self.votes.get(name) == j:
            chunk.offer(name, partial(said, name, votes, reader))


class Search:
    """Finds what labeling functions read, given the columns of the records.

    Attributes
    ----------
    found_faults : list of (str, str)
        All that is wrong, a line each, and the name that it is about.
    """

    def __init__(self, lfs: Sequence[LabelingFunction], columns: Iterable[str], preprocessors: Any = None) -> None:
        self._lfs = lfs
        self._columns = dict.fromkeys(columns)
        self._given = given_preprocessors(preprocessors)
        self._modules = [in_modules_of(lf) for lf in lfs]
        self._all: dict[str, Preprocessor] = {}
        for module in self._modules:
            self._all |= module
        self._names = {lf.name: j for j, lf in enumerate(lfs)}
        self.found_faults: list[tuple[str, str]] = []
        self._found: dict[str, Preprocessor] = {}
        self._votes: dict[str, int] = {}
        self._needs: dict[Any, list[Any]] = {}
        for j, lf in enumerate(lfs):
            self._needs[j] = [self._find(name, f"LF {lf.name!r}", j, self._names) for name in lf.fields]
        self._order = self._in_order()

    @property
    def faults(self) -> list[str]:
        """All that is wrong, a line each."""
        return [fault for fault, _ in self.found_faults]

    def _fault(self, name: str, text: str) -> None:
        if (text, name) not in self.found_faults:
            self.found_faults.append((text, name))

    def _find(self, name: str, what: str, j: int, votes: Mapping[str, int]) -> Any:
        """The column, preprocessor or LF that a name stands for; None where it is nowhere."""
        found = self._given.get(name) or self._modules[j].get(name) or self._all.get(name)
        if found is not None and name in self._columns:
            self._fault(
                name,
                f"{what} reads {name!r}, which is both a column of the records and the output of a preprocessor. "
                "Give the preprocessor another output.",
            )
            return name
        if name in self._columns:
            return name
        if found is not None:
            self._ask(found, what, j)
            return found
        if name in votes:
            self._votes[name] = votes[name]
            return votes[name]
        known = [*self._columns, *(p for p in {**self._all, **self._given} if p not in self._columns)]
        self._fault(name, f"{what} reads a column that is not there: " + unknown_name("column", name, known))
        return None

    def _ask(self, made: Preprocessor, what: str, j: int) -> None:
        known = self._found.setdefault(made.output, made)
        if known is not made:
            self._fault(
                made.output,
                f"{what} reads {made.output!r}, the output of two preprocessors. "
                "Rename one, or pass preprocessors=[...] with the one that all are to read.",
            )
        if made not in self._needs:
            self._needs[made] = []
            self._needs[made] += [self._find(name, f"preprocessor {made.output!r}", j, {}) for name in made.fields]

    def _in_order(self) -> list[Any]:
        graph = {
            node: [need for need in needs if not isinstance(need, str | None)]
            for node, needs in self._needs.items()
        }
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            names = [self._lfs[n].name if isinstance(n, int) else n.output for n in reversed(error.args[1])]
            self._fault(
                "",
                f"What is read must not go in a circle; got {' > '.join(map(repr, names))}. "
                "Let one of them read columns alone.",
            )
            return []

    def inputs(self) -> Inputs:
        """What was found; only where there are no faults."""
        behind: dict[Any, dict[Any, None]] = {}
        for node in self._order:
            behind[node] = {}
            for need in self._needs[node]:
                behind[node] |= {**(behind[need] if not isinstance(need, str) else {}), need: None}
        places = range(len(self._lfs))
        return Inputs(
            order=tuple(sorted(places, key=self._order.index)) if self._votes else tuple(places),
            preprocessors=self._found,
            votes=self._votes,
            columns=tuple(tuple(sorted(n for n in behind[j] if isinstance(n, str))) for j in places),
            behind=tuple(tuple(n for n in behind[j] if not isinstance(n, str)) for j in places),
            of_preprocessors={
                output: tuple(sorted(n for n in behind[made] if isinstance(n, str)))
                for output, made in self._found.items()
            },
        )


def given_preprocessors(preprocessors: Any) -> dict[str, Preprocessor]:
    """By output, the preprocessors that a user passed."""
    if preprocessors is None:
        return {}
    if isinstance(preprocessors, Preprocessor) or not isinstance(preprocessors, Iterable):
        raise LabelingError(f"preprocessors must be a list of preprocessors; got {preprocessors!r}.")
    found: dict[str, Preprocessor] = {}
    for item in preprocessors:
        if not isinstance(item, Preprocessor):
            raise LabelingError(
                f"preprocessors must be preprocessors; got {item!r}. Put @mw.preprocessor(output='...') above it."
            )
        if found.setdefault(item.output, item) is not item:
            raise LabelingError(
                f"preprocessors must have distinct outputs; got {item.output!r} twice. Rename one."
            )
    return found


def names_read(lfs: Sequence[LabelingFunction], preprocessors: Any = None) -> list[str]:
    """Every name that LFs, and the preprocessors that these may ask for, read: columns and others."""
    made = given_preprocessors(preprocessors)
    for lf in lfs:
        made = in_modules_of(lf) | made
    names = dict.fromkeys(name for lf in lfs for name in lf.fields)
    waiting = list(names)
    while waiting:
        found = made.get(waiting.pop())
        new = [name for name in (found.fields if found is not None else ()) if name not in names]
        names |= dict.fromkeys(new)
        waiting += new
    return list(names)
