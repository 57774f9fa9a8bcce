"""The bridge's figures for Prometheus. The first to watch: the time since the last successful fetch, per queue."""

from prometheus_client import Counter, Gauge, Histogram

__all__ = [
    "BUNDLE_JOBS",
    "FETCHED",
    "LAST_FETCH",
    "LEASES",
    "POISON",
    "PUBLISHED",
    "REPORTS",
    "REPORT_SECONDS",
    "ROOM",
    "WORKERS",
]

FETCHED = Counter("baton_bridge_fetched_total", "External tasks locked in the engine", ["queue"])
PUBLISHED = Counter("baton_bridge_published_total", "Jobs handed to the broker, by result", ["queue", "result"])
REPORTS = Counter("baton_bridge_reports_total", "Outcomes told to the engine, by answer", ["outcome", "result"])
LEASES = Counter("baton_bridge_leases_total", "Locks extended, by answer", ["result"])
POISON = Counter("baton_bridge_poison_total", "Messages that are no envelope of ours", ["queue"])
LAST_FETCH = Gauge("baton_bridge_last_fetch_timestamp_seconds", "When the engine last answered a fetch", ["queue"])
ROOM = Gauge("baton_bridge_room", "Tasks that the pool could take at the last look", ["queue"])
WORKERS = Gauge("baton_bridge_workers", "Concurrent jobs that the pool's workers allow", ["queue"])
REPORT_SECONDS = Histogram("baton_bridge_report_seconds", "From taking an outcome to the engine's answer")
BUNDLE_JOBS = Histogram(
    "baton_bridge_bundle_jobs", "Jobs in one message to the workers", ["queue"], buckets=(1, 2, 5, 10, 20, 50, 100, 500)
)
