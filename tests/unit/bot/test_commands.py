"""Commands and presses at aiogram's edge: which update becomes which event."""

from dataclasses import replace
from typing import Any

import pytest
from aiogram import Bot, Dispatcher

from bot.handlers.commands import create_commands_router, list_command_names
from bot.handlers.deep_links import create_links_router
from bot.handlers.groups import create_group_router
from bot.handlers.language import create_group_language_router, create_language_router
from bot.handlers.messages import create_conversation_router
from bot.handlers.tasks import create_tasks_router
from bot.people.chat import ChatPlace
from bot.people.replied import RepliedMessage
from bot.receiving.dispatch import UpdateDispatcher
from bpmn.catalog import Catalog
from forms.telegram import Button, TelegramView
from unit.bot_edge import Languages, Links, Memberships, NoNetwork, Runner, Screen, Tasks

TOKEN = "42:" + "A" * 35


def catalog() -> Catalog:
    """The packaged models and one with a command and a title that is no HTML."""
    onboarding = Catalog.of_packaged().processes["onboarding"]
    properties = {"baton.command": "quest", "baton.title": "Quests <R&D>"}
    return Catalog({"onboarding": onboarding, "quest": replace(onboarding, key="quest", properties=properties)})


@pytest.fixture
def runner() -> Runner:
    return Runner()


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def languages() -> Languages:
    return Languages()


@pytest.fixture
def memberships() -> Memberships:
    return Memberships()


@pytest.fixture
def network() -> NoNetwork:
    return NoNetwork()


@pytest.fixture
def feed(runner: Any, screen: Any, languages: Any, memberships: Any, network: NoNetwork) -> Any:
    tasks: Any = Tasks()
    dispatcher = Dispatcher(disable_fsm=True)
    dispatcher.include_routers(
        create_group_language_router(screen, languages, memberships, "baton_bot"),
        create_group_router(runner, screen, languages, tasks, memberships, catalog(), "baton_bot"),
        create_language_router(runner, screen, languages, catalog()),
        create_tasks_router(runner, screen, languages, tasks),
        create_links_router(runner, screen, languages, Links(), memberships, list_command_names(catalog())),  # type: ignore[arg-type]
        create_commands_router(runner, screen, catalog(), languages),
        create_conversation_router(runner, screen, languages),
    )
    bot = Bot(TOKEN, network)
    handle = UpdateDispatcher(bot, dispatcher, runner)

    async def fed(*, pressed: str = "", **message: Any) -> None:
        chat = message.pop("chat", {"id": 7, "type": "private"})
        person = {"id": 7, "is_bot": False, "first_name": "Ada", "language_code": "ru"}
        whole: dict[str, Any] = {"message_id": 1, "date": 1, "chat": chat, "from": person, **message}
        update = {"message": whole}
        if pressed:
            query = {"id": "1", "from": person, "chat_instance": "1", "data": pressed, "message": whole}
            update = {"callback_query": query}
        await handle({"update_id": 1, **update})

    return fed


GROUP = {"id": -100, "type": "supergroup", "title": "G"}
PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("/start", ("goes on", "onboarding")),
        ("/start ", ("goes on", "onboarding")),
        ("/start campaign", ("started", "quest", {"campaign": "spring"})),
        ("/start quest", ("started", "quest")),
        ("/start start", ("goes on", "onboarding")),
        ("/start cancel", ("cancelled", "ru")),
        ("/start task", ("opened", "t1")),
        ("/start offer", ("claimed", ChatPlace(7, 7), "Ada", "t2", ("chat:-100",))),
        ("/quest", ("started", "quest")),
        ("/quest@baton_bot", ("started", "quest")),
        ("/cancel", ("cancelled", "ru")),
        ("hello", ("said", "hello")),
        ("/ is a slash", ("said", "/ is a slash")),
    ],
)
async def test_a_text_is_a_command_or_an_answer(feed: Any, runner: Runner, text: str, event: tuple[Any, ...]) -> None:
    await feed(text=text)
    assert runner.events == [event]


async def test_an_unknown_command_is_no_answer_to_a_form(feed: Any, runner: Runner, screen: Screen) -> None:
    await feed(text="/qeust")
    assert (runner.events, screen.sent) == ([], ["Я не знаю такой команды. Отправьте /help, чтобы увидеть список."])


async def test_a_link_that_is_unknown_says_so_and_begins_nothing(feed: Any, runner: Runner, screen: Screen) -> None:
    await feed(text="/start who-knows")
    assert runner.events == []
    assert screen.sent == ["Ссылка недействительна или устарела. Отправьте /start, чтобы начать без неё."]


async def test_a_chosen_language_wins_over_that_of_telegram(feed: Any, runner: Runner, screen: Screen) -> None:
    await feed(text="/language")
    assert screen.views[0].rows == ((Button("English", "l:en"),), (Button("Русский", "l:ru"),))
    await feed(pressed="l:en")
    await feed(text="/qeust")
    assert runner.events == [("spoken", "en")]
    assert screen.sent[1:] == [
        "Language: English.", "I don't know this command. Send /help to see what I can do.",
    ]  # fmt: skip


async def test_a_language_that_there_is_not_changes_nothing(feed: Any, runner: Runner, languages: Languages) -> None:
    await feed(pressed="l:xx")
    assert (runner.events, languages.chosen) == ([], {})


IN_PRIVATE = "Свой язык можно выбрать в личном чате."
OWN = (Button("Выбрать свой язык", url="https://t.me/baton_bot?start=language"),)
CHOICE = ((Button("English", "l:en"),), (Button("Русский", "l:ru"),))


async def test_group_link_leads_to_the_private_language_choice(feed: Any, runner: Runner, screen: Screen) -> None:
    await feed(chat=GROUP, text="/language@baton_bot")
    assert screen.views == [TelegramView(IN_PRIVATE, (OWN,))]
    await feed(text="/start language")
    assert screen.views[1] == TelegramView("Выберите язык.", CHOICE)
    assert runner.events == []


async def test_administrator_chooses_the_group_language(
    feed: Any, screen: Screen, languages: Languages, memberships: Memberships, network: NoNetwork
) -> None:
    memberships.is_in_charge = True
    await feed(chat=GROUP, text="/language")
    assert screen.views[0].rows == (OWN, *CHOICE)
    assert screen.sent[0].startswith(f"{IN_PRIVATE}\n\nЯзык сообщений для всей группы")
    assert "English" in screen.sent[0]
    await feed(chat=GROUP, pressed="l:ru")
    assert screen.views[1] == TelegramView("Теперь язык сообщений для всей группы: Русский.", (OWN,))
    assert (languages.chosen, network.alerts) == ({-100: "ru"}, [])


async def test_anonymous_administrator_is_asked_in_group_language(
    feed: Any, screen: Screen, languages: Languages
) -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    await feed(chat=GROUP, text="/language", sender_chat=GROUP, **{"from": anonymous})
    assert screen.sent[0].startswith("You can change your language")
    assert screen.views[0].rows[1:] == CHOICE


@pytest.mark.parametrize("sender_chat", [GROUP, {"id": -200, "type": "channel", "title": "News"}])
async def test_anonymous_author_is_led_to_private_chat(
    feed: Any, screen: Screen, languages: Languages, sender_chat: Any
) -> None:
    await languages.choose(-100, "ru")
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    await feed(chat=GROUP, text="/help", sender_chat=sender_chat, **{"from": anonymous})
    assert screen.sent == ["Напишите мне в личный чат."]


@pytest.mark.parametrize(
    ("is_in_charge", "data", "alert"),
    [
        (False, "l:ru", "Язык группы могут выбрать только администраторы."),
        (None, "l:ru", "Telegram не сообщает мне, кто здесь администратор."),
        (True, "l:xx", "Эта кнопка больше не действует"),
    ],
)
async def test_only_administrators_choose_a_known_group_language(
    feed: Any, languages: Languages, memberships: Memberships, network: NoNetwork,
    is_in_charge: bool | None, data: str, alert: str,
) -> None:  # fmt: skip
    memberships.is_in_charge = is_in_charge
    await feed(chat=GROUP, pressed=data)
    assert languages.chosen == {}
    assert [told.startswith(alert) for told in network.alerts] == [True]


async def test_help_shows_titles_as_text(feed: Any, screen: Screen) -> None:
    await feed(text="/help")
    assert "/quest — Quests &lt;R&amp;D&gt;" in screen.sent[0]


async def test_a_caption_is_no_command(feed: Any, runner: Runner, screen: Screen) -> None:
    await feed(photo=PHOTO, caption="/start")
    assert runner.events == [("sent", "image/jpeg")]
    assert screen.sent == []


@pytest.mark.parametrize("command", ["start", "help", "quest"])
async def test_private_command_in_a_group_leads_to_private_chat(
    feed: Any, runner: Runner, screen: Screen, command: str
) -> None:
    await feed(chat=GROUP, text=f"/{command}@baton_bot now")
    there = Button("Открыть личный чат", url=f"https://t.me/baton_bot?start={command}")
    assert screen.views == [TelegramView("Напишите мне в личный чат.", ((there,),))]
    assert runner.events == []


@pytest.mark.parametrize(
    "said",
    [{"text": "/ban@other_bot"}, {"text": "/start@other_bot"}, {"text": "hi"}, {"photo": PHOTO, "caption": "/start"}],
)
async def test_in_a_group_it_is_silent_otherwise(feed: Any, runner: Runner, screen: Screen, said: Any) -> None:
    await feed(chat=GROUP, **said)
    assert (runner.events, screen.sent) == ([], [])


ADA_THERE = ChatPlace(-100, 7)
QUESTION = {"message_id": 5, "date": 1, "chat": GROUP, "from": {"id": 42, "is_bot": True, "first_name": "Baton"}}
BOB = {"id": 9, "is_bot": False, "first_name": "Bob"}
# "👤 Bob" and what is asked, which may name others.
TO_BOB = [
    {"type": "text_mention", "offset": 3, "length": 3, "user": BOB},
    {"type": "text_mention", "offset": 9, "length": 3, "user": {**BOB, "id": 7}},
]
OF_OTHERS = {**QUESTION, "from": BOB}


async def test_reply_in_a_group_is_the_answer_of_its_author(feed: Any, runner: Runner) -> None:
    await feed(chat=GROUP, text="Ada", reply_to_message=QUESTION)
    await feed(chat=GROUP, photo=PHOTO, reply_to_message=QUESTION)
    await feed(chat=GROUP, text="not for you", reply_to_message=OF_OTHERS)
    assert runner.events == [("said", ADA_THERE, "Ada", RepliedMessage(5)), ("sent", "image/jpeg", RepliedMessage(5))]


@pytest.mark.parametrize("words", [{"text": "👤 Bob, Ada", "entities": TO_BOB}, {"caption_entities": TO_BOB}])
async def test_in_a_group_a_reply_tells_whom_the_bot_had_asked(feed: Any, runner: Runner, words: Any) -> None:
    await feed(chat=GROUP, text="Ada", reply_to_message={**QUESTION, **words})
    assert runner.events == [("said", ADA_THERE, "Ada", RepliedMessage(5, 9))]


async def test_who_writes_as_the_group_itself_answers_nothing(feed: Any, runner: Runner) -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    await feed(chat=GROUP, text="Ada", reply_to_message=QUESTION, **{"from": anonymous})
    assert runner.events == []


async def test_in_a_group_tasks_are_listed_taken_and_given_back(
    feed: Any, runner: Runner, screen: Screen, memberships: Memberships, languages: Languages
) -> None:
    await feed(chat=GROUP, text="/tasks@baton_bot")
    languages.chosen = {-100: "ru", 7: "en"}
    await feed(chat=GROUP, pressed="t:p:2")
    await feed(chat=GROUP, pressed="t:c:t1")
    await feed(chat=GROUP, pressed="f:abcdefgh:0:n:0")
    await feed(chat=GROUP, text="/cancel")
    assert screen.sent == ["offers of -100, page 0, in en", "offers of -100, page 2, in ru"]
    assert runner.events == [
        ("claimed", ADA_THERE, "Ada", "t1", ("chat:-100",)),
        ("pressed", ADA_THERE, "f:abcdefgh:0:n:0"),
        ("cancelled", ADA_THERE),
    ]
    assert memberships.people == [ADA_THERE, ADA_THERE]


async def test_a_task_that_is_somebodys_is_opened_in_private_only(feed: Any, runner: Runner) -> None:
    await feed(chat=GROUP, pressed="t:o:t1")
    assert runner.events == []
    await feed(pressed="t:o:t1")
    assert runner.events == [("opened", "t1")]


async def test_in_private_a_task_is_taken_as_a_member_of_ones_groups(feed: Any, runner: Runner, screen: Screen) -> None:
    await feed(text="/tasks")
    await feed(pressed="t:p:x")
    await feed(pressed="t:c:t1")
    assert screen.sent == ["inbox of 7, page 0", "inbox of 7, page 0"]
    assert runner.events == [("claimed", ChatPlace(7, 7), "Ada", "t1", ("chat:-100",))]


@pytest.mark.parametrize(("is_there", "events"), [(False, 0), (None, 1)])
async def test_forwarded_offer_is_for_members_of_its_group(
    feed: Any, runner: Runner, screen: Screen, memberships: Memberships, is_there: bool | None, events: int
) -> None:
    memberships.is_there = is_there
    await feed(text="/start offer")
    assert (len(runner.events), len(screen.sent)) == (events, 1 - events)


async def test_offers_follow_a_group_to_its_supergroup(feed: Any, runner: Runner, languages: Languages) -> None:
    languages.chosen[-7] = "ru"
    await feed(chat=GROUP, migrate_from_chat_id=-7)
    assert languages.chosen == {-100: "ru"}
    languages.chosen[-100] = "en"
    await feed(chat=GROUP, migrate_from_chat_id=-7)  # it comes again
    assert languages.chosen == {-100: "en"}
    await feed(chat=GROUP, pressed="t:c:t1")
    assert runner.events == [("claimed", ADA_THERE, "Ada", "t1", ("chat:-100", "chat:-7"))]
