"""A loop of fetch-and-lock and complete with pycamunda, which brings the calls but no worker.

python -m external_task_rivals.pycamunda_loop; ENGINE_URL, ENGINE_TOKEN, MAX_TASKS.
"""

import os

import pycamunda.externaltask
import requests

TOPIC = "noop"
WORKER = "pycamunda"
LOCK_MS = 600_000
WAIT_MS = 5_000


def work(url: str, session: requests.Session, max_tasks: int) -> None:
    """Until it is stopped. The session keeps connections, which its examples do not."""
    while True:
        fetch = pycamunda.externaltask.FetchAndLock(url, WORKER, max_tasks, async_response_timeout=WAIT_MS)
        fetch.add_topic(TOPIC, LOCK_MS, variables=[])
        fetch.session = session
        for task in fetch():
            done = pycamunda.externaltask.Complete(url, task.id_, WORKER)
            done.session = session
            done()


if __name__ == "__main__":
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {os.environ['ENGINE_TOKEN']}"
        work(os.environ["ENGINE_URL"], session, int(os.environ.get("MAX_TASKS", "100")))
