"""Answers from options and files: `--set pets.0.name=Rex`, `--file photo=cat.jpg`, a JSON object."""

import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from baton.cli.errors import AnswersRefused, Usage
from forms.evaluate.checking import check
from forms.evaluate.initial import make_item
from forms.evaluate.resolve import resolve_form
from forms.fields import find_kind
from forms.kinds.kind import ValueRefused
from forms.messages import get_text
from forms.model import Field, Form, Mode
from forms.schema.paths import Json, put, spell
from forms.schema.paths import Path as Place
from forms.session.state import FormSession

__all__ = ["GivenAnswers", "read_object"]

# A file of answers is typed by people and scripts, not by machines.
MAX_CHARACTERS = 10 * 2**20

SendFile = Callable[[str, Path], dict[str, Json]]


class GivenAnswers:
    """Collects answers to one form, each read as its field means it."""

    def __init__(self, session: FormSession) -> None:
        self._session = session
        self._data = dict(session.data)
        self._names: set[str] = set()
        self._errors: list[dict[str, object]] = []

    def set(self, pairs: Sequence[str]) -> None:
        """Set `place=text` pairs; values of several choices are parted by commas, or JSON. Raises `Usage`.

        In any order: an answer may be what makes another one's field appear.
        """
        waiting = [_split_assignment(pair) for pair in pairs]
        before = -1
        while waiting and len(waiting) != before:
            before = len(waiting)
            waiting = [(place, value) for place, value in waiting if not self._is_set(place, value)]
        for place, _ in waiting:
            self._refuse(place, "not_in_form")

    def send(self, pairs: Sequence[str], send: SendFile) -> None:
        """Send `place=path` pairs; several for one place are several files. Raises `Usage`, `AnswersRefused`."""
        sent: dict[Place, list[Json]] = {}
        for pair in pairs:
            place, separator, named = pair.partition("=")
            path = Path(named).expanduser()
            if not separator or not path.is_file():
                raise Usage(f"--file {pair!r}: give a file as name=path of a file that is there")
            field = self._find_field(place)
            if field is None or field.kind != "file":
                raise Usage(f"--file {pair!r}: the form asks for no file {place!r}")
            sent.setdefault(field.path, []).append(send(spell(field.path), path))
        for at, files in sent.items():
            self._put(at, files)

    def add(self, told: dict[str, Any]) -> None:
        """Add an object of answers by variable, as they are."""
        for name, value in told.items():
            self._put((name,), value)

    def press(self, action: str | None) -> None:
        """Press the key or label of the button that ends the form. Raises `Usage` when there is no such button."""
        if action is None:
            return
        actions = self._resolve_form().actions
        found = next((entry for entry in actions if action in {entry.key, entry.label}), None)
        if found is None:
            known = ", ".join(entry.key for entry in actions) or "none but the plain one"
            raise Usage(f"--action {action!r}: the form has no such button; it has {known}")
        self._put((found.key,), True)

    def apply(self) -> dict[str, Json]:
        """Return the answers by variable. Raises `AnswersRefused` with all that could not be read."""
        if self._errors:
            raise AnswersRefused(self._errors)
        return {name: self._data[name] for name in sorted(self._names)}

    def _is_set(self, place: str, value: str) -> bool:
        """Tell whether there is such a field yet; then the answer is taken, or refused for good."""
        field = self._find_field(place)
        if field is None:
            return False
        try:
            read = self._read(field, value)
            problem = check(field, read)
        except ValueRefused as refusal:
            problem = refusal.problem
        if problem is not None:
            self._refuse(place, problem.code, **problem.params)
        else:
            self._put(field.path, read)
        return True

    def _read(self, field: Field, value: str) -> Json:
        kind = find_kind(field)
        if value == "":
            return kind.empty
        if field.kind in {"several", "choice", "items"} and value[:1] in {"[", "{"}:
            try:
                read: Json = _load_json(value)
            except ValueError as error:
                raise ValueRefused("wrong_type") from error
            return read
        return kind.parse_text(field, value, self._session)

    def _find_field(self, place: str) -> Field | None:
        """Return the field at a place; items of lists on the way there are added where the list may grow."""
        for _ in range(len(place)):
            form = self._resolve_form()
            if (found := _read_at(form, place)) is not None:
                return found
            grown = next((items for items in _list_paths(form) if _is_last_item(items, place)), None)
            if grown is None:
                return None
            self._put(grown.path, [*_list_items(self._data, grown), make_item(grown.component, self._data, grown.path)])
        return None

    def _resolve_form(self) -> Form:
        session = self._session
        return resolve_form(session.source, session.initial, self._data, locale=session.locale).form

    def _put(self, place: Place, value: Json) -> None:
        self._data = put(self._data, place, value)
        self._names.add(str(place[0]))

    def _refuse(self, place: str, code: str, **params: object) -> None:
        message = get_text(code, self._session.locale, **params)
        self._errors.append({"field": place, "code": code, "message": message})


def read_object(source: str) -> dict[str, Any]:
    """Return the JSON object of a file, or of standard input for `-`. Raises `Usage`."""
    name = "standard input" if source == "-" else source
    try:
        spelled = _spell_path(source)
        if len(spelled) > MAX_CHARACTERS:
            raise Usage(f"{name} is too long: answers have at most {MAX_CHARACTERS} characters")
        found = _load_json(spelled)
    except ValueError as error:  # also for bytes that are no text
        raise Usage(f"{name} holds no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Usage(f"{name} must hold one JSON object of answers by name")
    return found


def _spell_path(source: str) -> str:
    if source == "-":
        return sys.stdin.read(MAX_CHARACTERS + 1)
    path = Path(source)
    if not path.is_file():
        raise Usage(f"there is no file {source!r}: name a file with the answers as JSON, or - for standard input")
    with path.open(encoding="utf-8") as told:
        return told.read(MAX_CHARACTERS + 1)


def _load_json(spelled: str) -> Any:
    """Load JSON as its standard has it. Raises `ValueError`, also for what Python alone reads, like NaN and 1e400."""
    try:
        return json.loads(spelled, parse_constant=_refuse_infinite, parse_float=_refuse_infinite)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse_infinite(spelled: str) -> float:
    number = float(spelled)
    if not math.isfinite(number):
        raise ValueError(f"{spelled:.40} is no number of JSON, or too large")
    return number


def _split_assignment(pair: str) -> tuple[str, str]:
    place, separator, value = pair.partition("=")
    if not separator or not place:
        raise Usage(f"--set {pair!r}: give an answer as name=value, for example --set age=18")
    return place, value


def _read_at(form: Form, place: str) -> Field | None:
    asked = (found for found in form.list_all_fields() if found.mode is Mode.ASKED)
    return next((found for found in asked if spell(found.path) == place), None)


def _list_paths(form: Form) -> list[Field]:
    return [found for found in form.list_all_fields() if found.kind == "items" and found.mode is Mode.ASKED]


def _is_last_item(items: Field, place: str) -> bool:
    """Tell whether a place is inside the item that the list would get next."""
    may_grow = items.component.read_property("allowAddRemove") is True
    return may_grow and place.startswith(f"{spell(items.path)}.{len(items.items)}.")


def _list_items(data: dict[str, Json], items: Field) -> list[Json]:
    found: Any = data
    for step in items.path:
        found = found[step]
    return found if isinstance(found, list) else []
