"""The worker of camunda-external-task-client-python3, as its README shows it.

python -m external_task_rivals.stock_python; ENGINE_URL, ENGINE_TOKEN, MAX_TASKS (absent: its default, 1).
"""

import os

from camunda.external_task.external_task import ExternalTask, TaskResult
from camunda.external_task.external_task_worker import ExternalTaskWorker

TOPIC = "noop"


def noop(task: ExternalTask) -> TaskResult:
    return task.complete({})


if __name__ == "__main__":
    settings: dict[str, object] = {"auth_bearer": {"access_token": os.environ["ENGINE_TOKEN"]}}
    if "MAX_TASKS" in os.environ:
        settings["maxTasks"] = int(os.environ["MAX_TASKS"])
    ExternalTaskWorker("stock-python", base_url=os.environ["ENGINE_URL"], config=settings).subscribe([TOPIC], noop)
