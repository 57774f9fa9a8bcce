"""The Celery application: what must hold on both brokers, and what only Redis needs."""

from datetime import timedelta

import pytest
from pydantic import BaseModel

from workers.broker.celery_app import create_celery, make_message_queue, make_task_queue
from workers.registry import handler
from workers.settings import WorkerSettings


class Nothing(BaseModel):
    pass


@handler("test-celery-long", queue="test-celery", timeout=timedelta(minutes=50))
def long_handler(job: Nothing) -> None: ...


def settings(url: str) -> WorkerSettings:
    return WorkerSettings.model_validate({"rabbitmq_url": url, "worker_type": "test-celery"})


@pytest.mark.parametrize("url", ["redis://h/0", "amqp://u:p@h//"])
def test_work_is_acknowledged_late_and_nothing_but_json_is_read(url: str) -> None:
    conf = create_celery(settings(url)).conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.accept_content == ["json"]
    assert conf.result_backend is None
    assert "test-celery" in {queue.name for queue in conf.task_queues}


def test_redis_keeps_no_second_copy_of_what_the_engine_locks() -> None:
    options = create_celery(settings("redis://h/0")).conf.broker_transport_options
    assert options["ack_emulation"] is False
    assert options["socket_timeout"] > 0
    with create_celery(settings("redis://h/0")).connection_for_write() as connection:
        assert not connection.transport.Channel.do_restore


def test_rabbitmq_confirms_what_it_took_and_limits_deliveries() -> None:
    rabbit = settings("amqp://u:p@h//")
    assert create_celery(rabbit).conf.broker_transport_options["confirm_publish"]
    arguments = make_task_queue("test-celery", rabbit).queue_arguments
    assert arguments["x-queue-type"] == "quorum"
    assert arguments["x-delivery-limit"] > 3
    assert make_message_queue("report").durable


def test_a_queue_of_messages_has_one_of_two_names() -> None:
    with pytest.raises(ValueError, match="reports"):
        make_message_queue("reports")
