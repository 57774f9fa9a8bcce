"""The bridge's figures for Prometheus. The first to watch: the time since the last successful fetch, per queue."""

from prometheus_client import Counter, Gauge, Histogram

__all__ = [
    "BUNDLE_JOBS",
    "DEAD_LETTERS",
    "EMPTY_POLLS",
    "FETCHED",
    "FETCH_SECONDS",
    "HANDLER_SECONDS",
    "LAST_FETCH",
    "LEASES",
    "POISON",
    "POLLS",
    "PUBLISHED",
    "PUBLISH_SECONDS",
    "REPORTS",
    "REPORT_SECONDS",
    "RETRIES_LEFT",
    "ROOM",
    "UNTOLD",
    "WAIT_SECONDS",
    "WORKERS",
]

_SIZES = (1, 2, 5, 10, 20, 50, 100, 500)
_SHORT_TIMES = (0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600)

POLLS = Counter("baton_bridge_polls_total", "Fetches that the engine answered", ["queue"])
EMPTY_POLLS = Counter("baton_bridge_empty_polls_total", "Of these, those that brought nothing", ["queue"])
FETCH_SECONDS = Histogram("baton_bridge_fetch_seconds", "How long a fetch took, its waiting included", ["queue"])
FETCHED = Counter("baton_bridge_fetched_total", "External tasks locked in the engine", ["queue"])
LAST_FETCH = Gauge("baton_bridge_last_fetch_timestamp_seconds", "When the engine last answered a fetch", ["queue"])
WAIT_SECONDS = Histogram(
    "baton_bridge_task_wait_seconds", "Age of a task when it was fetched, by the engine's clock", ["topic"]
)
RETRIES_LEFT = Histogram(
    "baton_bridge_retries_left", "Retries left of tasks fetched after a failure", ["topic"], buckets=(1, 2, 3, 5, 10)
)
ROOM = Gauge("baton_bridge_room", "Tasks that the pool could take at the last look", ["queue"])
WORKERS = Gauge("baton_bridge_workers", "Concurrent jobs that the pool's workers allow", ["queue"])
PUBLISHED = Counter("baton_bridge_published_total", "Jobs handed to the broker, by result", ["queue", "result"])
PUBLISH_SECONDS = Histogram("baton_bridge_publish_seconds", "Handing one fetch to the broker", ["queue"])
BUNDLE_JOBS = Histogram("baton_bridge_bundle_jobs", "Jobs in one message to the workers", ["queue"], buckets=_SIZES)
HANDLER_SECONDS = Histogram(
    "baton_bridge_handler_seconds", "How long handlers ran, as workers report it", ["topic"], buckets=_SHORT_TIMES
)
REPORTS = Counter("baton_bridge_reports_total", "Outcomes told to the engine, by answer", ["outcome", "result"])
REPORT_SECONDS = Histogram("baton_bridge_report_seconds", "From taking an outcome to the engine's answer")
UNTOLD = Gauge("baton_bridge_untold", "Outcomes taken from the broker and not yet answered by the engine")
LEASES = Counter("baton_bridge_leases_total", "Locks extended, by answer", ["result"])
POISON = Counter("baton_bridge_poison_total", "Messages that are no envelope of ours", ["queue"])
DEAD_LETTERS = Counter("baton_bridge_dead_letters_total", "Jobs that the broker gave up on, by reason", ["reason"])
