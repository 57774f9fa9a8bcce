"""The sandbox's chat page as a person with a phone uses it: the real bot answers."""

import signal
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

pytestmark = pytest.mark.browser

NARROWEST_TOUCH_PX = 36


async def join(page: Page, url: str, name: str, language: str = "en") -> None:
    await page.goto(url)
    # With a single person there, the page opens that chat; else it offers the people.
    await expect(page.locator("#people.open, .chat-head:visible").first).to_be_visible()
    if not await page.locator("#new-name").is_visible():
        await page.locator("#people-toggle").tap()
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Language").fill(language)
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()


async def fits(page: Page) -> bool:
    """Whether nothing sticks out to the right."""
    return bool(await page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth"))


def key(page: Page, label: str) -> Any:
    return page.locator(".inline-keyboard .key", has_text=label).last


async def say(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Message").fill(text)
    await page.get_by_role("button", name="Send", exact=True).tap()


@pytest.mark.usefixtures("model")
async def test_a_person_goes_through_the_whole_onboarding_on_a_phone(house: Any, phone: Page, pictures: Path) -> None:
    await join(phone, house.telegram_url, "Ada")
    await phone.screenshot(path=pictures / "phone-1-start.png")
    await phone.get_by_role("button", name="Start", exact=True).tap()
    await key(phone, "English").tap()
    await expect(phone.get_by_text("1 of 4")).to_be_visible()
    await say(phone, "Ada Lovelace")
    await expect(key(phone, "Developer")).to_be_visible()
    assert (await key(phone, "Developer").bounding_box())["height"] >= NARROWEST_TOUCH_PX
    await phone.screenshot(path=pictures / "phone-2-choice.png")
    await key(phone, "Developer").tap()
    await key(phone, "Yes").tap()
    await key(phone, "Workflows").tap()
    await expect(key(phone, "☑ Workflows")).to_be_visible()
    await phone.screenshot(path=pictures / "phone-3-several.png")
    assert await fits(phone)
    await key(phone, "Done").tap()
    await key(phone, "Submit").tap()
    await expect(key(phone, "Join the community")).to_be_visible(timeout=60_000)
    await phone.screenshot(path=pictures / "phone-4-welcome.png")
    await key(phone, "Join the community").tap()
    await expect(phone.get_by_text("All done")).to_be_visible()
    assert await fits(phone)
    await phone.reload()
    await expect(phone.get_by_text("All done")).to_be_visible()  # the chat is still there


async def test_a_stale_button_opens_an_alert_that_can_be_closed(house: Any, phone: Page, pictures: Path) -> None:
    await join(phone, house.telegram_url, "Bob")
    await phone.get_by_role("button", name="Start", exact=True).tap()
    old = await key(phone, "Русский").element_handle()
    await key(phone, "English").tap()
    await expect(phone.get_by_text("1 of 4")).to_be_visible()
    await old.evaluate("button => button.click()")  # a finger on a screen that has not caught up
    dialog = phone.get_by_role("dialog")
    await expect(dialog).to_contain_text("out of date")
    await phone.screenshot(path=pictures / "phone-5-alert.png")
    await dialog.get_by_role("button", name="OK").tap()
    await expect(dialog).to_be_hidden()


async def test_a_wrong_answer_is_explained_in_the_chat(house: Any, phone: Page, pictures: Path) -> None:
    await join(phone, house.telegram_url, "Carol with a name that is rather long for a small screen", "ru")
    await phone.get_by_role("button", name="Start", exact=True).tap()
    await key(phone, "Русский").tap()
    await expect(phone.get_by_text("1 из 4")).to_be_visible()
    await say(phone, "x" * 61)
    await expect(phone.get_by_text("1 из 4").last).to_be_visible()
    await expect(phone.locator(".from-bot").last).to_contain_text("61")
    await phone.screenshot(path=pictures / "phone-6-wrong.png")
    assert await fits(phone)


async def test_what_the_sandbox_refuses_stands_in_a_banner(house: Any, phone: Page, pictures: Path) -> None:
    await join(phone, house.telegram_url, "Dan")
    await phone.get_by_role("button", name="Start", exact=True).tap()
    await expect(key(phone, "English")).to_be_visible()
    await phone.get_by_role("button", name="Switches").tap()
    await phone.get_by_label("Dan has blocked the bot").tap()
    await expect(phone.locator(".chat-status")).to_contain_text("bot blocked")
    await phone.get_by_role("button", name="Switches").tap()
    await say(phone, "hello?")
    await expect(phone.get_by_role("alert")).to_contain_text("has blocked the bot")
    await phone.screenshot(path=pictures / "phone-7-refused.png")
    assert await fits(phone)


async def test_a_lost_connection_is_said_and_comes_back(house: Any, phone: Page, pictures: Path) -> None:
    await join(phone, house.telegram_url, "Eve")
    house.signal_all("telegram", signal.SIGKILL)
    await expect(phone.get_by_role("alert")).to_contain_text("connection to the sandbox is lost", timeout=15_000)
    await phone.screenshot(path=pictures / "phone-8-lost.png")
    # The sandbox is started again, and knows nobody: as the page then shows.
    await expect(phone.get_by_role("alert")).to_be_empty(timeout=30_000)
    await expect(phone.get_by_text("Choose or add a person")).to_be_visible()


async def test_on_a_desktop_people_and_chat_stand_side_by_side(house: Any, phone: Page, pictures: Path) -> None:
    await phone.set_viewport_size({"width": 1280, "height": 800})
    await phone.goto(house.telegram_url)
    await phone.get_by_label("Name", exact=True).fill("Fay")
    await phone.get_by_role("button", name="Add", exact=True).click()
    await phone.get_by_role("button", name="Start", exact=True).click()
    await expect(key(phone, "English")).to_be_visible()
    people = await phone.get_by_role("complementary", name="People").bounding_box()
    chat = await phone.get_by_role("main").bounding_box()
    assert people is not None
    assert chat is not None
    assert people["x"] + people["width"] <= chat["x"] + 1
    await phone.screenshot(path=pictures / "desktop.png")
