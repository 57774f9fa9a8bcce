"""What the bot says by itself; texts of forms come from `forms`, texts of models from the models."""

from forms.messages import LOCALES, supported

__all__ = ["say"]

_TEXTS: dict[str, tuple[str, str]] = {
    "stale": (
        "This button is out of date: the conversation has moved on.",
        "Эта кнопка устарела: разговор ушёл дальше.",
    ),
    "working": ("⏳ One moment, somebody is at work on this…", "⏳ Минутку, уже готовим ответ…"),
    "still_working": (
        "⏳ This takes longer than usual. The answer comes here as soon as it is ready.",
        "⏳ Дольше обычного. Ответ придёт сюда, как только будет готов.",
    ),
    "finished": ("✅ That was all. Thank you!", "✅ Это всё. Спасибо!"),
    "nothing_open": (
        "There is nothing to answer right now. /start begins, /help explains.",
        "Сейчас отвечать не на что. /start начинает, /help объясняет.",
    ),
    "put_aside": (
        "Put aside; your answers are kept. /start goes on where you left.",
        "Отложено, ответы сохранены. /start продолжит с того же места.",
    ),
    "nothing_to_cancel": ("There is nothing to put aside.", "Откладывать нечего."),
    "unknown_command": (
        "I do not know this command. /help lists those that I know.",
        "Такой команды я не знаю. /help покажет, какие есть.",
    ),
    "text_only": (
        "I can only read text and buttons here.",
        "Здесь я понимаю только текст и кнопки.",
    ),
    "unavailable": (
        "The service does not answer right now. Nothing is lost; please try again in a minute.",
        "Сервис сейчас не отвечает. Ничего не потеряно, попробуйте через минуту.",
    ),
    "failed": (
        "Something went wrong here. Nothing is lost; please try again, or tell an operator.",
        "Что-то пошло не так. Ничего не потеряно, попробуйте ещё раз или сообщите оператору.",
    ),
    "no_form": (
        "The next step ({task}) has a form that cannot be shown here.",
        "У следующего шага ({task}) форма, которую здесь не показать.",
    ),
    "not_deployed": (
        "This conversation is not set up yet. An operator can do it with: baton deploy",
        "Этот разговор ещё не настроен. Оператор может сделать это командой: baton deploy",
    ),
    "private_only": (
        "Let us talk in private: write to me directly.",
        "Давайте поговорим лично: напишите мне напрямую.",
    ),
    "help": ("I know these commands:", "Я знаю эти команды:"),
    "command_start": ("begin, or go on where you left", "начать или продолжить"),
    "command_help": ("what I can do", "что я умею"),
    "command_cancel": ("put the current form aside", "отложить текущую форму"),
}


def say(code: str, locale: str, **params: object) -> str:
    """One of the texts in a supported language, with its parameters filled in."""
    return _TEXTS[code][LOCALES.index(supported(locale))].format(**params)
