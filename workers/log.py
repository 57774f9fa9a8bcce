"""One JSON object per line on standard error, ours and the libraries' alike.

Errors are told as `bpmn.reasons` tells them: what people typed is in no line.
"""

import logging
import sys
import threading
from types import TracebackType

import structlog

from bpmn.reasons import traceback_of

__all__ = ["configure_logging"]


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
            _without_quoted_error,
            structlog.processors.ExceptionRenderer(_traceback),
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
    sys.excepthook = _ended
    threading.excepthook = _thread_ended


def _traceback(exc_info: structlog.typing.ExcInfo) -> str:
    return traceback_of(exc_info[1])


def _without_quoted_error(
    _logger: object, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:  # fmt: skip
    """asyncio writes the task that failed, and with it the error, below its message; the traceback tells both."""
    if line.get("logger") == "asyncio" and "exc_info" in line:
        line["event"] = str(line["event"]).partition("\n")[0]
    return line


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """In the place of Python's own last words, which quote the error."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger(__name__).critical("ended by an error", exc_info=error)


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    name = ended.thread.name if ended.thread is not None else "unknown"
    structlog.get_logger(__name__).critical("a thread was ended by an error", thread=name, exc_info=ended.exc_value)
