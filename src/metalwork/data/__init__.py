"""Reading records, and finding data sets."""

from metalwork.data._sources import RecordSource, Shard, open_records

__all__ = ["RecordSource", "Shard", "open_records"]
