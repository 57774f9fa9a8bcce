"""The onboarding as the scenarios know it: what people press in it, and how it ends."""

from typing import Any

from baton.sandbox.person import SandboxPerson, Shown

__all__ = ["PATH", "went_through_once", "wish"]

PATH = ["start", "choose-language", "tell-us", "write-welcome", "welcome", "end"]


def wish(message: Shown) -> str | None:
    """The button that a person presses who knows what they want."""
    for label in ("English", "Developer", "Yes", "Submit", "Join"):
        if message.label(label):
            return label
    if message.label("☑"):
        return "Done"
    return "Workflows" if message.label("Workflows") else None


async def went_through_once(house: Any, person: SandboxPerson) -> None:
    """Assert that the person began one onboarding and that it took its whole path."""
    (instance,) = await house.engine.list_history_processes(business_key=f"onboarding:telegram-{person.user_id}")
    assert instance.state == "COMPLETED"
    assert await house.path_of(person) == PATH
