"""What a server counts, as Prometheus reads it."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts of one server; those of several in a process stay apart."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = Counter(
            "metalwork_requests", "Requests by path and status code", ["path", "code"], registry=self._registry
        )
        self.seconds = Histogram(
            "metalwork_request_seconds", "Time of a request to predict", buckets=_SECONDS, registry=self._registry
        )
        self.batches = Histogram(
            "metalwork_batch_records",
            "Records that were predicted together",
            buckets=_RECORDS,
            registry=self._registry,
        )
        self.waiting = Gauge(
            "metalwork_waiting_records", "Records that wait to be predicted", registry=self._registry
        )
        self.labels = Counter(
            "metalwork_predictions", "Predictions by end label", ["end_label"], registry=self._registry
        )
        self.abstained = Counter(
            "metalwork_abstained", "Records without an end label that is sure enough", registry=self._registry
        )

    def predicted(self, names: Sequence[str | None]) -> None:
        """Count what was answered about some records."""
        for name in names:
            if name is None:
                self.abstained.inc()
            else:
                self.labels.labels(name).inc()

    def text(self) -> bytes:
        """All counts, as text."""
        return generate_latest(self._registry)
