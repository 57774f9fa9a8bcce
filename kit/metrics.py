"""Figures for Prometheus: of this process, or of all children of a pool together."""

import os
import tempfile
from collections.abc import MutableMapping

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

__all__ = ["MULTIPROCESS_FOLDER", "collect_metrics", "share_metrics"]

# prometheus-client reads it when it is imported: a process that shares its figures sets it before.
MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def collect_metrics() -> CollectorRegistry:
    """Return the registry to answer from; where children share their figures, one that adds them up."""
    if MULTIPROCESS_FOLDER not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def share_metrics(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let this process and its children write their figures into one folder. Call it before they are made."""
    if MULTIPROCESS_FOLDER not in environment:
        environment[MULTIPROCESS_FOLDER] = tempfile.mkdtemp(prefix="baton-metrics-")
