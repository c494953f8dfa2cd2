"""Numbers for Prometheus, served by the Temporal SDK's runtime beside its own.

Without `OVERNIGHT_METRICS_ADDRESS` nothing is kept and nothing is served.
"""

from functools import cache

from temporalio.common import MetricCounter, MetricGauge, MetricHistogramFloat
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from runtime.settings import Settings
from workflows.contract import metrics
from workflows.contract.metrics import Kind, Metric

SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0)
"""Upper bounds of the histograms' buckets."""

MODELS_LIMIT = 50
"""So many models have numbers of their own; all further ones of a process are `other`."""


class MetricsRefusedError(Exception):
    """The metrics cannot be served where they should be."""


def configure(settings: Settings, process: str) -> None:
    """Serve this process's metrics; to be called before anything of Temporal is used.

    Raises:
        MetricsRefusedError: the address is taken or not of this machine.
    """
    address = settings.metrics_address
    if address is None:
        return
    served = PrometheusConfig(
        bind_address=address,
        counters_total_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides={
            metric.name: SECONDS for metric in metrics.ALL if metric.kind is Kind.HISTOGRAM
        },
    )
    telemetry = TelemetryConfig(
        metrics=served, global_tags={"process": process}, attach_service_name=False
    )
    try:
        runtime = Runtime(telemetry=telemetry)
    except ValueError as error:
        message = (
            f"metrics cannot be served on {address!r}: {error}; "
            "set OVERNIGHT_METRICS_ADDRESS to a free address of this machine, or to nothing"
        )
        raise MetricsRefusedError(message) from error
    Runtime.set_default(runtime)


def count(metric: Metric, amount: int = 1, **labels: str) -> None:
    """Add to a counter."""
    _counter(metric).add(amount, {name: str(value) for name, value in labels.items()})


def measure(metric: Metric, value: float, **labels: str) -> None:
    """Take a value into a histogram."""
    _histogram(metric).record(max(0.0, value), labels)


def set_level(metric: Metric, value: int) -> None:
    """Set a gauge."""
    _gauge(metric).set(value)


class FewNames:
    """Bounds what a label can be: whoever names models could otherwise name any number."""

    def __init__(self, limit: int = MODELS_LIMIT) -> None:
        self._limit = limit
        self._known: set[str] = set()

    def label(self, name: str) -> str:
        """Return the name, or `other` once too many others have come before it."""
        if name not in self._known and len(self._known) >= self._limit:
            return "other"
        self._known.add(name)
        return name


# Of the process's own meter, also in activities: theirs adds labels for task queue and type.
# Made once: that takes ten times as long as to use one (measured).
@cache
def _counter(metric: Metric) -> MetricCounter:
    meter = Runtime.default().metric_meter
    return meter.create_counter(metric.name, metric.meaning, metric.unit)


@cache
def _histogram(metric: Metric) -> MetricHistogramFloat:
    meter = Runtime.default().metric_meter
    return meter.create_histogram_float(metric.name, metric.meaning, metric.unit)


@cache
def _gauge(metric: Metric) -> MetricGauge:
    meter = Runtime.default().metric_meter
    return meter.create_gauge(metric.name, metric.meaning, metric.unit)
