"""What the bot says by itself; texts of forms come from `forms`, texts of models from the models.

To add a text: put its code as msgid into `bot/locale/<language>/LC_MESSAGES/bot.po` of every language.
"""

from forms.messages import find_supported
from kit.texts import Catalogue

__all__ = ["say"]

_CATALOGUE = Catalogue.of("bot")


def say(code: str, locale: str, **params: object) -> str:
    """Return one of the texts in a supported language, with its parameters filled in."""
    return _CATALOGUE.get_text(code, find_supported(locale), params)
