"""Reading records, and finding data sets."""

from metalwork._public import offer
from metalwork.data._as_text import as_text
from metalwork.data._columns import concatenate
from metalwork.data._csv import dialect_of
from metalwork.data._datasets import to_dataset
from metalwork.data._dialect import Dialect
from metalwork.data._find import DatasetStatus, cache_folder, fetch, find_data, list_datasets
from metalwork.data._finding import format_of
from metalwork.data._globs import find_files
from metalwork.data._held import HeldFiles
from metalwork.data._json import parse_object
from metalwork.data._limits import Limits
from metalwork.data._open import open_records
from metalwork.data._opening import is_packed
from metalwork.data._read import iter_records, read_records
from metalwork.data._registry import DatasetInfo
from metalwork.data._remote import is_address, without_secrets
from metalwork.data._sources import RecordSource, Shard
from metalwork.data._types import Kind, Reading, read_as

__all__ = [
    "DatasetInfo",
    "DatasetStatus",
    "Dialect",
    "HeldFiles",
    "Kind",
    "Limits",
    "Reading",
    "RecordSource",
    "Shard",
    "as_text",
    "cache_folder",
    "concatenate",
    "dialect_of",
    "fetch",
    "find_data",
    "find_files",
    "format_of",
    "is_address",
    "is_packed",
    "iter_records",
    "list_datasets",
    "open_records",
    "parse_object",
    "read_as",
    "read_records",
    "to_dataset",
    "without_secrets",
]

offer(__name__, globals())
