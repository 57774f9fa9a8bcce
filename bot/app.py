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

from bot.conversation.drafts import DraftKeeper
from bot.conversation.runner import ConversationRunner
from bot.conversation.store import ConversationStore
from bot.engine_api import EngineApi
from bot.followers.draft_changes import redraw
from bot.followers.waiting import watch
from bot.handlers.commands import create_commands_router, list_command_names
from bot.handlers.deep_links import create_links_router
from bot.handlers.groups import create_group_router
from bot.handlers.language import create_group_language_router, create_language_router
from bot.handlers.menu import announce, introduce
from bot.handlers.messages import create_conversation_router, create_membership_router
from bot.handlers.tasks import TaskList, create_tasks_router
from bot.offers.cards import CardPainter, Cards
from bot.offers.titles import Titles
from bot.people.languages import LanguageStore
from bot.people.links import DeepLinks
from bot.people.memberships import Memberships
from bot.people.names import PersonNames
from bot.receiving.dispatch import UpdateDispatcher
from bot.receiving.inbox import UpdateInbox
from bot.receiving.polling import UpdatePoller
from bot.receiving.source import UpdateSource
from bot.receiving.webhook import WebhookConfig, derive_webhook_secret, serve_webhook
from bot.settings import BotSettings
from bot.telegram.blocked import BlockedChats
from bot.telegram.delivery import DeliveryMiddleware
from bot.telegram.messenger import Messenger
from bot.telegram.rate_limits import CallTurns, TelegramLimits
from bot.telegram.session import TelegramSession
from bpmn.catalog import Catalog
from drafts.store import Drafts
from kit.health import serve_health
from kit.lease import Lease
from kit.redis_batching import BatchingRedis

__all__ = ["run_bot"]

# A line for each update would drown all others; the metrics count them.
logging.getLogger("aiogram.event").setLevel(logging.WARNING)

log = structlog.get_logger()


async def run_bot(settings: BotSettings) -> None:
    """Serve until SIGTERM or SIGINT; events under way are finished. Raises `ConfigurationError` for a wrong token."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(_connect_redis(settings))
        session = TelegramSession(api=TelegramAPIServer.from_base(settings.telegram_api_url))
        bot, reach = _create_bot(settings, session, client)
        stack.push_async_callback(session.close)
        api = await stack.enter_async_context(_create_engine_api(settings))
        username = await introduce(bot)
        catalog = Catalog.of_packaged()
        titles = Titles(catalog)
        messenger, languages = Messenger(bot), LanguageStore(client, bot.id)
        store, drafts = ConversationStore(client, bot.id, languages), Drafts(client)
        filling = DraftKeeper(drafts, api, bot, zone=settings.bot_zone)
        people, links, memberships = PersonNames(client, bot.id), DeepLinks(client, bot.id), Memberships(client, bot)
        runner = ConversationRunner(store, filling, api, messenger, titles, people)
        tasks = TaskList(api, memberships, titles, zone=settings.bot_zone)
        painter = CardPainter(
            Cards(client, bot.id), api, messenger, links=links, people=people, languages=languages, titles=titles,
            username=username, zone=settings.bot_zone,
        )  # fmt: skip
        inbox, webhook = UpdateInbox(client, bot.id, runner.report_failure), _create_webhook(settings)
        updates = UpdatePoller(await session.create_session(), session.api.api_url(bot.token, "getUpdates"))
        reception = UpdateSource(bot, inbox, updates, Lease(client, f"baton:bot:{bot.id}:reception"), webhook)
        await announce(bot, catalog)
        dispatcher = _create_dispatcher(
            create_membership_router(reach, languages),
            create_group_language_router(messenger, languages, memberships, username),
            create_group_router(runner, messenger, languages, tasks, memberships, catalog, username),
            create_language_router(runner, messenger, languages, catalog),
            create_tasks_router(runner, messenger, languages, tasks),
            create_links_router(runner, messenger, languages, links, memberships, list_command_names(catalog)),
            create_commands_router(runner, messenger, catalog, languages),
            create_conversation_router(runner, messenger, languages),
        )
        if webhook is not None:
            await stack.enter_async_context(serve_webhook(webhook, inbox))
        await _serve_health(stack, settings, reception)
        _freeze_objects()
        log.info("ready", bot=bot.id, api=settings.telegram_api_url)
        stopping = asyncio.Event()
        await _wait_until_stopped(
            stopping,
            reception.run(stopping),
            inbox.run(UpdateDispatcher(bot, dispatcher, runner), stopping),
            watch(store, runner, stopping),
            redraw(drafts, runner, stopping),
            Lease(client, f"baton:bot:{bot.id}:painter").run(partial(painter.run, stopping), stopping),
        )


def _freeze_objects() -> None:
    """Freeze two hundred thousand objects stay, most of them models of aiogram: it need not visit them again."""
    gc.freeze()


def _create_bot(
    settings: BotSettings, session: TelegramSession, client: redis.asyncio.Redis
) -> tuple[Bot, BlockedChats]:
    """Return the bot, whose calls keep Telegram's limits, and who cannot be reached by it."""
    bot = Bot(settings.telegram_bot_token.get_secret_value(), session)
    reach = BlockedChats(client, bot.id)
    session.middleware(
        DeliveryMiddleware(CallTurns(client, bot.id, _create_limits(settings), away_key=reach.key), reach)
    )
    return bot, reach


def _create_engine_api(settings: BotSettings) -> EngineApi:
    return EngineApi(settings.engineapi_url, settings.service_token.get_secret_value())


def _connect_redis(settings: BotSettings) -> redis.asyncio.Redis:
    return BatchingRedis.from_url(
        settings.redis_url.get_secret_value(), decode_responses=True, socket_timeout=15, socket_connect_timeout=5
    )


async def _serve_health(stack: AsyncExitStack, settings: BotSettings, reception: UpdateSource) -> None:
    if settings.bot_port is None:
        return
    serving = serve_health(settings.bot_host, settings.bot_port, lambda: _list_problems(reception))
    port = await stack.enter_async_context(serving)
    log.info("health is served", host=settings.bot_host, port=port)


def _list_problems(reception: UpdateSource) -> list[str]:
    """Return why the bot is not ready. engine-api is not asked for: without it updates are still kept, and people
    told.
    """
    return [reception.problem] if reception.problem else []


def _create_webhook(settings: BotSettings) -> WebhookConfig | None:
    if settings.telegram_webhook_url is None:
        return None
    chosen = settings.telegram_webhook_secret
    secret = (
        chosen.get_secret_value() if chosen else derive_webhook_secret(settings.telegram_bot_token.get_secret_value())
    )
    return WebhookConfig(
        settings.telegram_webhook_url, secret, settings.telegram_webhook_host, settings.telegram_webhook_port
    )


def _create_limits(settings: BotSettings) -> TelegramLimits:
    return (
        TelegramLimits(settings.telegram_messages_per_second)
        if settings.telegram_limits
        else TelegramLimits.of_no_limits()
    )


def _create_dispatcher(*routers: Router) -> Dispatcher:
    dispatcher = Dispatcher(disable_fsm=True)  # what is remembered stands in the store
    dispatcher.include_routers(*routers)
    return dispatcher


async def _wait_until_stopped(stopping: asyncio.Event, *loops: Coroutine[None, None, None]) -> None:
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
