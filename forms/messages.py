"""What a form says by itself, in the languages of Baton; texts of models come from the models.

To add a text: put its code as msgid into `forms/locale/<language>/LC_MESSAGES/forms.po` of every language.
"""

from functools import lru_cache

from babel.core import Locale, UnknownLocaleError, negotiate_locale

from kit.texts import SOURCE_LOCALE, Catalogue

__all__ = ["LOCALES", "find_supported", "get_text", "is_language"]

_CATALOGUE = Catalogue.of("forms")
LOCALES = _CATALOGUE.locales
_BY_TAG = {locale.lower(): locale for locale in LOCALES}


@lru_cache(maxsize=1024)
def find_supported(locale: str | None) -> str:
    """Return the language of ours that fits a language tag such as `ru-RU`; English for all others."""
    found = negotiate_locale([(locale or "").replace("-", "_").lower()], _BY_TAG)
    return _BY_TAG[found.lower()] if found else SOURCE_LOCALE


def is_language(locale: str) -> bool:
    """Tell whether a language tag names a language that there is; whether it is one of ours `find_supported` says."""
    try:
        Locale.parse(locale.replace("-", "_").partition("_")[0].lower())
    except (UnknownLocaleError, ValueError):
        return False
    return True


def get_text(code: str, locale: str, **params: object) -> str:
    """Return one of the texts in a supported language, with its parameters filled in."""
    return _CATALOGUE.get_text(code, find_supported(locale), params)
