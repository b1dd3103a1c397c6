"""Reading records, and finding data sets."""

from metalwork._public import offer
from metalwork.data._find import DatasetStatus, cache_folder, fetch, find_data, list_datasets
from metalwork.data._read import iter_records, read_records
from metalwork.data._registry import DatasetInfo
from metalwork.data._sources import RecordSource, Shard, open_records

__all__ = [
    "DatasetInfo",
    "DatasetStatus",
    "RecordSource",
    "Shard",
    "cache_folder",
    "fetch",
    "find_data",
    "iter_records",
    "list_datasets",
    "open_records",
    "read_records",
]

offer(__name__, globals())
