"""The bot: long polling into the inbox, conversations out of it."""

import asyncio
import gc
import logging
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from functools import partial

import redis.asyncio
import structlog
from aiogram import Bot, Dispatcher, Router
from aiogram.client.telegram import TelegramAPIServer

from bot.batches import BatchingRedis
from bot.cards import CardPainter, Cards
from bot.commands import commands_router, names_of_commands
from bot.deep_links import links_router
from bot.delivery import Delivery
from bot.engine_api import EngineApi
from bot.filling import Filling
from bot.groups import group_router
from bot.handling import Handling
from bot.inbox import Inbox
from bot.introduction import announce, introduce
from bot.language_choice import group_language_router, language_router
from bot.languages import Languages
from bot.lease import Lease
from bot.limits import Limits, Turns
from bot.links import Links
from bot.memberships import Memberships
from bot.people import People
from bot.polling import Updates
from bot.reach import Reach
from bot.reception import Reception
from bot.redraw import redraw
from bot.routers import conversation_router, membership_router
from bot.runner import Runner
from bot.screen import Screen
from bot.settings import BotSettings
from bot.store import Store
from bot.tasks import TaskList, tasks_router
from bot.telegram_session import TelegramSession
from bot.titles import Titles
from bot.watcher import watch
from bot.webhook import Webhook, serve_webhook, webhook_secret
from bpmn.catalog import Catalog
from bpmn.health import serve_health
from drafts.store import Drafts

__all__ = ["run_bot"]

# A line for each update would drown all others; the metrics count them.
logging.getLogger("aiogram.event").setLevel(logging.WARNING)

log = structlog.get_logger()


async def run_bot(settings: BotSettings) -> None:
    """Serve until SIGTERM or SIGINT; events under way are finished. Raises `ConfigurationError` for a wrong token."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(_redis(settings))
        session = TelegramSession(api=TelegramAPIServer.from_base(settings.telegram_api_url))
        bot, reach = _bot(settings, session, client)
        stack.push_async_callback(session.close)
        api = await stack.enter_async_context(_engine_api(settings))
        username = await introduce(bot)
        catalog = Catalog.packaged()
        titles = Titles(catalog)
        screen, languages = Screen(bot), Languages(client, bot.id)
        store, drafts = Store(client, bot.id, languages), Drafts(client)
        filling = Filling(drafts, api, bot, zone=settings.bot_zone)
        people, links, memberships = People(client, bot.id), Links(client, bot.id), Memberships(client, bot)
        runner = Runner(store, filling, api, screen, titles, people)
        tasks = TaskList(api, memberships, titles, zone=settings.bot_zone)
        painter = CardPainter(
            Cards(client, bot.id), api, screen, links=links, people=people, languages=languages, titles=titles,
            username=username, zone=settings.bot_zone,
        )  # fmt: skip
        inbox, webhook = Inbox(client, bot.id, runner.gave_up), _webhook(settings)
        updates = Updates(await session.create_session(), session.api.api_url(bot.token, "getUpdates"))
        reception = Reception(bot, inbox, updates, Lease(client, f"baton:bot:{bot.id}:reception"), webhook)
        await announce(bot, catalog)
        dispatcher = _dispatcher(
            membership_router(reach, languages),
            group_language_router(screen, languages, memberships, username),
            group_router(runner, screen, languages, tasks, memberships, catalog, username),
            language_router(runner, screen, languages, catalog),
            tasks_router(runner, screen, languages, tasks),
            links_router(runner, screen, languages, links, memberships, names_of_commands(catalog)),
            commands_router(runner, screen, catalog, languages),
            conversation_router(runner, screen, languages),
        )
        if webhook is not None:
            await stack.enter_async_context(serve_webhook(webhook, inbox))
        await _serve_health(stack, settings, reception)
        _spare_the_collector()
        log.info("ready", bot=bot.id, api=settings.telegram_api_url)
        stopping = asyncio.Event()
        await _until_stopped(
            stopping,
            reception.run(stopping),
            inbox.run(Handling(bot, dispatcher, runner), stopping),
            watch(store, runner, stopping),
            redraw(drafts, runner, stopping),
            Lease(client, f"baton:bot:{bot.id}:painter").run(partial(painter.run, stopping), stopping),
        )


def _spare_the_collector() -> None:
    """Two hundred thousand objects stay, most of them models of aiogram: it need not visit them again."""
    gc.freeze()


def _bot(settings: BotSettings, session: TelegramSession, client: redis.asyncio.Redis) -> tuple[Bot, Reach]:
    """The bot, whose calls keep Telegram's limits, and who cannot be reached by it."""
    bot = Bot(settings.telegram_bot_token.get_secret_value(), session)
    reach = Reach(client, bot.id)
    session.middleware(Delivery(Turns(client, bot.id, _limits(settings), away_key=reach.key), reach))
    return bot, reach


def _engine_api(settings: BotSettings) -> EngineApi:
    return EngineApi(settings.engineapi_url, settings.service_token.get_secret_value())


def _redis(settings: BotSettings) -> redis.asyncio.Redis:
    return BatchingRedis.from_url(
        settings.redis_url.get_secret_value(), decode_responses=True, socket_timeout=15, socket_connect_timeout=5
    )


async def _serve_health(stack: AsyncExitStack, settings: BotSettings, reception: Reception) -> None:
    if settings.bot_port is None:
        return
    serving = serve_health(settings.bot_host, settings.bot_port, lambda: _problems(reception))
    port = await stack.enter_async_context(serving)
    log.info("health is served", host=settings.bot_host, port=port)


def _problems(reception: Reception) -> list[str]:
    """Why the bot is not ready. engine-api is not asked for: without it updates are still kept, and people told."""
    return [reception.problem] if reception.problem else []


def _webhook(settings: BotSettings) -> Webhook | None:
    if settings.telegram_webhook_url is None:
        return None
    chosen = settings.telegram_webhook_secret
    secret = chosen.get_secret_value() if chosen else webhook_secret(settings.telegram_bot_token.get_secret_value())
    return Webhook(
        settings.telegram_webhook_url, secret, settings.telegram_webhook_host, settings.telegram_webhook_port
    )


def _limits(settings: BotSettings) -> Limits:
    return Limits(settings.telegram_messages_per_second) if settings.telegram_limits else Limits.off()


def _dispatcher(*routers: Router) -> Dispatcher:
    dispatcher = Dispatcher(disable_fsm=True)  # what is remembered stands in the store
    dispatcher.include_routers(*routers)
    return dispatcher


async def _until_stopped(stopping: asyncio.Event, *loops: Coroutine[None, None, None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    running = [asyncio.ensure_future(loop) for loop in loops]
    waiting = asyncio.ensure_future(stopping.wait())
    # A loop that breaks ends the process: whoever supervises it starts it anew.
    done, _ = await asyncio.wait({waiting, *running}, return_when=asyncio.FIRST_COMPLETED)
    # Both, because a cancellation alone may be lost: asyncio.wait_for of Python 3.11, which redis writes through,
    # swallows the one that comes as it ends.
    stopping.set()
    for task in (waiting, *running):
        task.cancel()
    await asyncio.gather(waiting, *running, return_exceptions=True)
    for task in done - {waiting}:
        task.result()
