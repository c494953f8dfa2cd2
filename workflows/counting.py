"""Counts what only workflows know; a replay counts nothing again."""

from temporalio import workflow

from workflows.contract.metrics import Metric


def count(metric: Metric, **labels: str) -> None:
    """Add one to a counter."""
    counter = workflow.metric_meter().create_counter(metric.name, metric.meaning, metric.unit)
    counter.add(1, {name: str(value) for name, value in labels.items()})
