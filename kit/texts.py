"""Texts by code in every language that has a gettext catalogue: `<package>/locale/<language>/LC_MESSAGES/<domain>.po`.

The msgid of a text is its code. Where something is counted, the msgid_plural is the name of the parameter that is.
A language is a folder: a new one needs no code. What it lacks is said in English.
"""

import io
from collections.abc import Mapping
from gettext import GNUTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Self

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

__all__ = ["SOURCE_LOCALE", "Catalogue"]

SOURCE_LOCALE = "en"


class Catalogue:
    """The texts of one package."""

    def __init__(self, languages: Mapping[str, GNUTranslations], counted: Mapping[str, str | None]) -> None:
        self._languages = languages
        self._counted = counted

    @classmethod
    def of(cls, package: str) -> Self:
        """Read the catalogues of a package; the domain is the package's name. A broken one is a `PoFileError`."""
        return cls.read(files(package) / "locale", package)

    @classmethod
    def read(cls, folder: Traversable, domain: str) -> Self:
        """Read every language of a folder; one without a catalogue of this domain is said in English."""
        languages = {}
        counted: dict[str, str | None] = {}
        for language in folder.iterdir():
            place = language / "LC_MESSAGES" / f"{domain}.po"
            if not place.is_file():
                continue
            found = read_po(io.BytesIO(place.read_bytes()), locale=language.name, abort_invalid=True)
            if language.name == SOURCE_LOCALE:
                ids = [message.id for message in found if message.id]
                counted = {one[0]: one[1] for one in ids if not isinstance(one, str)}
                counted |= dict.fromkeys((one for one in ids if isinstance(one, str)), None)
            compiled = io.BytesIO()
            write_mo(compiled, found)
            compiled.seek(0)
            languages[language.name] = GNUTranslations(compiled)
        source = languages[SOURCE_LOCALE]
        for name, translations in languages.items():
            if name != SOURCE_LOCALE:
                translations.add_fallback(source)
        return cls(languages, counted)

    @property
    def locales(self) -> tuple[str, ...]:
        """The languages, English first."""
        return (SOURCE_LOCALE, *sorted(self._languages.keys() - {SOURCE_LOCALE}))

    def get_text(self, code: str, locale: str, params: Mapping[str, object]) -> str:
        """Return a text with its parameters filled in. Raises `KeyError` for a code or a parameter that there is
        not.
        """
        counted = self._counted[code]
        translations = self._languages.get(locale) or self._languages[SOURCE_LOCALE]
        if counted is None:
            return translations.gettext(code).format(**params)
        return translations.ngettext(code, counted, int(str(params[counted]))).format(**params)
