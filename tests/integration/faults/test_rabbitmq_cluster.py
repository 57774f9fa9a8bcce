"""A node of a RabbitMQ cluster dies: bridge and worker go on with the others."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]


@pytest.mark.parametrize("node", ["rabbitmq-1", "rabbitmq-2"])
async def test_a_node_that_is_killed_under_load_takes_nothing_with_it(rig: Any, node: str) -> None:
    await rig.stack.start("cluster-worker")
    mark = f"{node}-{uuid.uuid4().hex[:8]}"
    await rig.start(50, mark, key="cluster-run")
    rig.kill(node)
    await rig.start(50, mark, key="cluster-run")
    await rig.all_end(100, mark, within=timedelta(seconds=150))
