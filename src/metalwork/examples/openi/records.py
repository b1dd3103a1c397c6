"""The reports in the paper's own split; train labels are not published.

The end model counts the words of ``prose``, findings and impression: the indication states the complaint and the
comparison lists older studies.
"""

import polars as pl
from reports import body

from metalwork.data import find_data, read_records


def load() -> pl.DataFrame:
    """All reports, with the columns ``uid``, ``split``, ``text``, ``label`` and ``prose``."""
    records = read_records(find_data("openi"), columns=["uid", "split", "text", "label"])
    return records.with_columns(pl.Series("prose", map(body, records["text"]), dtype=pl.String))
