"""Reply markups in the Telegram sandbox: Telegram's limits."""

import pytest

from baton.sandbox.telegram.errors import ApiError
from baton.sandbox.telegram.text.markup import read_markup


def inline(**button: object) -> dict[str, object]:
    return {"inline_keyboard": [[{"text": "Go", **button}]]}


def test_inline_keyboard_loses_empty_rows() -> None:
    button = {"text": "Go", "callback_data": "x", "style": "danger"}
    assert read_markup({"inline_keyboard": [[], [button]]}) == {"inline_keyboard": [[button]]}
    assert read_markup({"inline_keyboard": []}) is None


def test_plain_labels_of_a_reply_keyboard_become_buttons() -> None:
    read = read_markup({"keyboard": [["Yes", {"text": "No"}]], "resize_keyboard": True})
    assert read == {"keyboard": [[{"text": "Yes"}, {"text": "No"}]], "resize_keyboard": True}


@pytest.mark.parametrize("markup", [{"force_reply": True, "selective": True}, {"remove_keyboard": True}])
def test_other_markups_pass(markup: dict[str, object]) -> None:
    assert read_markup(markup) == markup


@pytest.mark.parametrize(
    ("markup", "problem"),
    [
        (inline(callback_data="ж" * 33), "BUTTON_DATA_INVALID"),
        (inline(callback_data=""), "BUTTON_DATA_INVALID"),
        (inline(), "Text buttons are unallowed"),
        (inline(callback_data="x", url="https://example.org"), "exactly one action"),
        (inline(url="javascript:alert(1)"), "is invalid"),
        (inline(callback_data="x", style="pink"), "style"),
        ({"inline_keyboard": [[{"text": " ", "callback_data": "x"}]]}, "text"),
        ({"inline_keyboard": [[{"text": "x", "callback_data": "x"}] * 8] * 13}, "too long"),
        ({"inline_keyboard": [{"text": "x"}]}, "Array of Array"),
        ({"force_reply": True, "input_field_placeholder": "x" * 65}, "placeholder"),
        ({"nonsense": 1}, "no known kind"),
        ([1], "object expected"),
    ],
)
def test_what_telegram_refuses_is_refused(markup: object, problem: str) -> None:
    with pytest.raises(ApiError, match=problem) as refused:
        read_markup(markup)
    assert refused.value.error_code == 400


def test_callback_data_is_limited_in_bytes() -> None:
    assert read_markup(inline(callback_data="ж" * 32)) is not None
