"""The bot's figures for Prometheus. The first to watch: updates put aside, and how long handling one takes."""

from prometheus_client import Counter, Histogram

__all__ = ["CALLS", "CALL_SECONDS", "HANDLE_SECONDS", "LOST", "PUT_ASIDE", "SILENCES", "TURN_SECONDS", "UPDATES"]

_TIMES = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

UPDATES = Counter("baton_bot_updates_total", "Updates handled, by kind and result", ["kind", "result"])
HANDLE_SECONDS = Histogram("baton_bot_handle_seconds", "Handling one update", ["kind"], buckets=_TIMES)
PUT_ASIDE = Counter("baton_bot_put_aside_total", "Updates that could not be handled and are kept for an operator")
CALLS = Counter("baton_bot_calls_total", "Calls to the Bot API, by method and answer", ["method", "result"])
CALL_SECONDS = Histogram(
    "baton_bot_call_seconds", "One call to the Bot API, its turn apart", ["method"], buckets=_TIMES
)
TURN_SECONDS = Histogram("baton_bot_turn_seconds", "Waiting for a turn", ["urgency"], buckets=_TIMES)
SILENCES = Counter("baton_bot_silences_total", "429 answers: Telegram asked for silence", ["method"])
LOST = Counter("baton_bot_chats_lost_total", "Calls that found a chat unreachable: blocked, deleted, thrown out")
