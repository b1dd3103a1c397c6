"""The declarative rules of some labeling functions, compiled together."""

from collections import defaultdict
from collections.abc import Iterable

from metalwork._checks import BoolArray
from metalwork.labeling._chunk import Chunk
from metalwork.labeling._declared import ColumnRule, Reading
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._lookup import Lookup
from metalwork.labeling._text_rules import KeywordRule


class Compiled:
    """Keyword rules by the column that they read; each column of a chunk is looked through once for all of them.

    It is made of the LFs where they run, and lives as long as what runs them.
    """

    def __init__(self, functions: Iterable[LabelingFunction]) -> None:
        grouped: dict[tuple[str, bool], dict[KeywordRule, None]] = defaultdict(dict)
        for lf in functions:
            if isinstance(lf.function, ColumnRule):
                for rule, fields in lf.function.leaves(lf.fields):
                    if isinstance(rule, KeywordRule):
                        grouped[fields[0], rule.ignore_case][rule] = None
        self._rules = {key: {rule: j for j, rule in enumerate(rules)} for key, rules in grouped.items()}
        self._lookups: dict[tuple[str, bool], Lookup] = {}

    def reading(self, chunk: Chunk) -> Reading:
        """The columns of a chunk, as these rules read them."""
        return _Compiled(chunk, self)

    def find(self, key: tuple[str, bool], reading: Reading) -> BoolArray:
        """Which of the rules hold of which texts (n_rules, n_points) of a column."""
        if key not in self._lookups:
            self._lookups[key] = Lookup(list(self._rules[key]))
        return self._lookups[key].matches(reading.texts(key[0])[0])

    def number(self, key: tuple[str, bool], rule: KeywordRule) -> int | None:
        """The row of a rule in what ``find`` gives."""
        return self._rules.get(key, {}).get(rule)


class _Compiled(Reading):
    def __init__(self, chunk: Chunk, compiled: Compiled) -> None:
        super().__init__(chunk)
        self._compiled = compiled
        self._found: dict[tuple[str, bool], BoolArray] = {}

    def found(self, rule: ColumnRule, name: str) -> BoolArray | None:
        if not isinstance(rule, KeywordRule):
            return None
        key = name, rule.ignore_case
        if (number := self._compiled.number(key, rule)) is None:
            return None
        if key not in self._found:
            self._found[key] = self._compiled.find(key, self)
        found: BoolArray = self._found[key][number]
        return found
