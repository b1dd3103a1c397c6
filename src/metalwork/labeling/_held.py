"""Records held in memory, on which declarative rules are tried one after another."""

import polars as pl

from metalwork._checks import BoolArray
from metalwork.labeling._chunk import Chunk
from metalwork.labeling._declared import YES, ColumnRule, Reading
from metalwork.labeling._function import LabelingFunction


class HeldRecords:
    """Records on which rules are tried as they are written: each form of a column is made once, for all of them.

    Parameters
    ----------
    records : polars DataFrame (n_points)
    """

    def __init__(self, records: pl.DataFrame) -> None:
        self.records = records
        self._reading = Reading(Chunk(records))

    def __len__(self) -> int:
        return self.records.height

    def holds(self, lf: LabelingFunction) -> BoolArray | None:
        """Of which records (n_points,) a declarative rule holds; None where ``lf`` is none.

        It does not hold of a record with a missing value, nor of one that it cannot read.
        """
        if not isinstance(lf.function, ColumnRule):
            return None
        found: BoolArray = lf.function.verdicts(self._reading, lf.fields).truth == YES
        return found
