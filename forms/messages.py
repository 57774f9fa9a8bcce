"""What a form says by itself, in the languages of Baton; texts of models come from the models."""

__all__ = ["LOCALES", "supported", "text"]

LOCALES = ("en", "ru")

_TEXTS: dict[str, tuple[str, str]] = {
    "yes": ("Yes", "Да"),
    "no": ("No", "Нет"),
    "done": ("Done", "Готово"),
    "skip": ("Skip", "Пропустить"),
    "back": ("‹ Back", "‹ Назад"),
    "keep": ("Keep: {value}", "Оставить: {value}"),
    "submit": ("Submit", "Отправить"),
    "progress": ("{number} of {count}", "{number} из {count}"),
    "check_answers": ("Please check your answers.", "Проверьте, пожалуйста, ответы."),
    "type_answer": ("Please type your answer.", "Напишите ответ сообщением."),
    "required": ("An answer is needed here.", "Здесь нужен ответ."),
    "too_short": (
        "That is too short: {length} characters, at least {min} are needed.",
        "Слишком коротко: символов {length}, нужно не меньше {min}.",
    ),
    "too_long": (
        "That is too long: {length} characters, at most {max} are possible.",
        "Слишком длинно: символов {length}, можно не больше {max}.",
    ),
    "pattern": ("That does not look as it should.", "Ответ не подходит по форме."),
    "email": (
        "That is no e-mail address. An example: ada@example.org",
        "Это не адрес электронной почты. Пример: ada@example.org",
    ),
    "phone": (
        "Please give the number in the international form. An example: +44 20 7946 0000",
        "Напишите номер в международном виде. Пример: +7 495 123-45-67",
    ),
    "use_buttons": ("Please use one of the buttons.", "Выберите, пожалуйста, одну из кнопок."),
    "type_text": ("Please type your answer.", "Напишите ответ сообщением."),
    "not_an_option": ("There is no such choice.", "Такого варианта нет."),
    "wrong_type": ("This value is of another kind than the form asks for.", "Значение не того вида, что просит форма."),
    "not_in_form": ("is not in the form", "нет в форме"),
    "one_action": ("Only one button can have been pressed.", "Нажата может быть только одна кнопка."),
    "left_with_answers": (
        "Whoever leaves a form submits no answers.",
        "Кто выходит из формы, ответов не отправляет.",
    ),
    "choose_some": ("Please choose at least one.", "Выберите хотя бы один вариант."),
    "must_agree": ("Please agree to go on.", "Чтобы продолжить, нужно согласие."),
    "unsupported": (
        "This step needs a form element ({component}) that cannot be shown here yet.",
        "Для этого шага нужен элемент формы ({component}), который здесь пока не показать.",
    ),
}


def supported(locale: str | None) -> str:
    """The language of ours that fits a language tag such as `ru-RU`; English for all others."""
    short = (locale or "").split("-")[0].lower()
    return short if short in LOCALES else LOCALES[0]


def text(code: str, locale: str, **params: object) -> str:
    """One of the texts in a supported language, with its parameters filled in."""
    return _TEXTS[code][LOCALES.index(supported(locale))].format(**params)
