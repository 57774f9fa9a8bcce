"""The process by which engines are held to their contract, for all tests that need tasks, jobs and incidents of one."""

from collections.abc import Mapping
from pathlib import Path

from bpmn.engine.client import EngineClient
from bpmn.engine.types import Deployment, ProcessInstance

__all__ = ["MODELS", "deploy_models", "start_work"]

MODELS = Path(__file__).parent / "engine-contract"


async def deploy_models(engine: EngineClient) -> Deployment:
    return await engine.deploy("engine-contract", {file.name: file.read_bytes() for file in MODELS.iterdir()})


async def start_work(
    engine: EngineClient,
    topic: str,
    user: str = "ada",
    *,
    business_key: str | None = None,
    variables: Mapping[str, object] | None = None,
) -> ProcessInstance:
    """A process whose external task waits in this topic; the user's task before it was completed with `variables`."""
    begin = {"topic": topic, "initiator": user}
    instance = await engine.start("engine-contract", variables=begin, business_key=business_key)
    (task,) = await engine.list_tasks(process_instance_id=instance.id)
    await engine.complete_task(task.id, variables or {})
    return instance
