"""Reply markups: what Telegram would accept, in the form in which the page and the bot get them back."""

from typing import Any

from baton.sandbox.telegram.errors import ApiError, make_bad_request
from baton.sandbox.telegram.wire import Json, count_utf16

__all__ = ["check_place", "is_inline", "read_markup"]

MAX_BUTTONS = 100
MAX_CALLBACK_BYTES = 64
MAX_PLACEHOLDER = 64
_STYLES = frozenset({"danger", "success", "primary"})
_ACTIONS = frozenset(
    {"url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat",
     "switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay"}
)  # fmt: skip
_PRIVATE_ONLY = {"request_contact": "phone number", "request_location": "location", "request_users": "users"}
# Telegram demands HTTPS of a Mini App; on one machine plain HTTP is what a web server has.
_WEB_APPS = ("https://", "http://127.0.0.1", "http://localhost")
_LINKS = ("http://", "https://", "tg://", "mailto:")


def is_inline(markup: Json | None) -> bool:
    return markup is not None and "inline_keyboard" in markup


def read_markup(value: object) -> Json | None:
    """Check a reply markup; None and an empty inline keyboard are none. Raises error code 400."""
    if value is None or value == "":
        return None
    if not isinstance(value, dict):
        raise make_bad_request("object expected as reply markup")
    if "inline_keyboard" in value:
        rows = [[_read_inline_button(button) for button in row] for row in _read_rows(value["inline_keyboard"])]
        return {"inline_keyboard": rows} if rows else None
    if "keyboard" in value:
        _check_placeholder(value)
        return {**value, "keyboard": [[_reply_button(b) for b in row] for row in _read_rows(value["keyboard"])]}
    if value.get("force_reply") is True:
        _check_placeholder(value)
        return dict(value)
    if value.get("remove_keyboard") is True:
        return dict(value)
    if value:
        raise make_bad_request("can't parse reply markup JSON object: no known kind of markup")
    return None


def check_place(markup: Json | None, *, is_private: bool) -> None:
    """Check some buttons are for private chats only. Raises error code 400 for them in a group."""
    if markup is None or is_private:
        return
    for row in markup.get("inline_keyboard") or markup.get("keyboard") or ():
        for button in row:
            if "web_app" in button:
                raise make_bad_request("BUTTON_TYPE_INVALID")
            for kind, what in _PRIVATE_ONLY.items():
                if button.get(kind):
                    raise make_bad_request(f"{what} can be requested in private chats only")


def _read_rows(keyboard: object) -> list[list[Any]]:
    if not isinstance(keyboard, list) or not all(isinstance(row, list) for row in keyboard):
        raise make_bad_request("can't parse keyboard: expected an Array of Array of buttons")
    rows = [row for row in keyboard if row]
    if sum(map(len, rows)) > MAX_BUTTONS:
        raise make_bad_request("reply markup is too long")
    return rows


def _read_inline_button(button: object) -> Json:
    if not isinstance(button, dict):
        raise _find_button_problem("expected an Object")
    text = button.get("text")
    if not isinstance(text, str) or not text.strip():
        raise _find_button_problem('field "text" must be a non-empty String')
    actions = _ACTIONS & button.keys()
    if not actions:
        raise _find_button_problem("Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise _find_button_problem(f"exactly one action is allowed, not {', '.join(sorted(actions))}")
    if "style" in button and button["style"] not in _STYLES:
        raise _find_button_problem(f"invalid style {button['style']!r}")
    _check_action(button)
    return dict(button)


def _check_action(button: Json) -> None:
    if "callback_data" in button:
        data = button["callback_data"]
        if not isinstance(data, str) or not 1 <= len(data.encode()) <= MAX_CALLBACK_BYTES:
            raise make_bad_request("BUTTON_DATA_INVALID")
    if "web_app" in button:
        app = button["web_app"]
        url = app.get("url") if isinstance(app, dict) else None
        if not isinstance(url, str) or not url.startswith(_WEB_APPS):
            raise make_bad_request(
                f"inline keyboard button Web App URL '{url}' is invalid: Only HTTPS links are allowed"
            )
    if "url" in button and not str(button["url"]).startswith(_LINKS):
        raise make_bad_request(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")


def _reply_button(button: object) -> Json:
    read = {"text": button} if isinstance(button, str) else button
    if not isinstance(read, dict) or not isinstance(read.get("text"), str) or not read["text"].strip():
        raise make_bad_request('can\'t parse keyboard button: field "text" must be a non-empty String')
    return dict(read)


def _check_placeholder(markup: Json) -> None:
    placeholder = markup.get("input_field_placeholder")
    if placeholder is None:
        return
    if not isinstance(placeholder, str) or not 1 <= count_utf16(placeholder) <= MAX_PLACEHOLDER:
        raise make_bad_request("the input field placeholder must have 1 to 64 characters")


def _find_button_problem(what: str) -> ApiError:
    return make_bad_request(f"can't parse inline keyboard button: {what}")
