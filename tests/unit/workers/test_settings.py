"""What bridge and workers are told wrongly is said in one line, before anything is opened, and without secrets."""

import os
import subprocess
import sys

import pytest

BRIDGE = {"ENGINE_URL": "http://127.0.0.1:1/engine-rest", "ENGINE_TOKEN": "t" * 40}
WORKER = {"WORKER_TYPE": "llm", "OPENAI_MODEL": "m", "OPENAI_API_KEY": "hush"}


def start(role: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    return subprocess.run(
        [sys.executable, "-m", "baton.run", role],
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("role", "environment", "says"),
    [
        ("worker", WORKER, "RABBITMQ_URL: Field required"),
        (
            "worker",
            WORKER | {"RABBITMQ_URL": "kafka://u:hush@h"},
            "RABBITMQ_URL: Value error, must be a URL",
        ),
        ("worker", WORKER | {"RABBITMQ_URL": "redis://h", "REDIS_URL": "h:6379"}, "REDIS_URL: Value error, must be"),
        ("worker", WORKER | {"RABBITMQ_URL": "redis://h", "WORKER_TYPE": "lmm"}, "no handler names this queue"),
        ("bridge", BRIDGE | {"RABBITMQ_URL": "localhost"}, "not no scheme"),
        ("bridge", BRIDGE | {"RABBITMQ_URL": "redis://h", "ENGINE_URL": "localhost:8080"}, "ENGINE_URL: String should"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(role: str, environment: dict[str, str], says: str) -> None:
    ended = start(role, environment)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hush" not in ended.stderr
