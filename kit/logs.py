"""One JSON object per line on standard error, ours and the libraries' alike.

Errors are told as `kit.reasons` tells them: what people typed is in no line.
"""

import logging
import sys
import threading
from types import TracebackType

import structlog

from kit.reasons import format_traceback

__all__ = ["configure_logging"]

# What libraries write behind these signs: an error, which the traceback tells, or a message that they cannot use.
_QUOTED_BEHIND = {
    "asyncio": ("\n",),
    "celery.app.trace": (": ",),
    "celery.worker.consumer.consumer": ("\n", " body: "),
    "celery.worker.request": (" error: ",),
}


def configure_logging(process: str, *, level: str = "INFO") -> None:
    """Set up the root logger of this process; `process` is in every line."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(allow=())],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _remove_quoted,
            structlog.processors.ExceptionRenderer(_format_traceback),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(render)
    logging.basicConfig(handlers=[lines], level=level, force=True)
    sys.excepthook = _report_end
    threading.excepthook = _report_thread_end


def _format_traceback(exc_info: structlog.typing.ExcInfo) -> str:
    # None is what `exc_info=True` makes of no error.
    return format_traceback(exc_info[1]) if exc_info[1] is not None else "no error"


def _remove_quoted(_logger: object, _method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for sign in _QUOTED_BEHIND.get(line.get("logger", ""), ()):
        line["event"] = str(line["event"]).strip().partition(sign)[0]
    return line


def _report_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Report the end in the place of Python's own last words, which quote the error."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger(__name__).critical("ended by an error", exc_info=error)


def _report_thread_end(ended: threading.ExceptHookArgs) -> None:
    if issubclass(ended.exc_type, SystemExit):
        return  # it was meant to end
    name = ended.thread.name if ended.thread is not None else "unknown"
    structlog.get_logger(__name__).critical("a thread was ended by an error", thread=name, exc_info=ended.exc_value)
