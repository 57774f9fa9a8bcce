"""The onboarding as a scripted person walks through it: for the demo, the scenarios and the figures."""

from dataclasses import dataclass
from datetime import timedelta

from baton.sandbox.person import SandboxPerson, Shown

MODEL_PATIENCE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class OnboardingAnswers:
    """What the person says. Texts are labels as the person reads them."""

    language: str = "English"
    name: str = "Ada"
    role: str = "Developer"
    newsletter: str = "Yes"
    interests: tuple[str, ...] = ("Workflows", "Language models")
    last: str = "Join"


async def walk_onboarding(person: SandboxPerson, answers: OnboardingAnswers | None = None) -> Shown:
    """Go from `/start` to the end; returns the message with the personal welcome as it was before the last press.

    Raises `PersonStuck` where the bot does not show what a person would need to go on.
    """
    answers = answers or OnboardingAnswers()
    await person.say("/start")
    await person.see(answers.language)
    await person.press(answers.language)
    await fill_profile(person, answers)
    welcome = await person.see(answers.last, patience=MODEL_PATIENCE)
    await person.press(answers.last)
    await person.see("✅")
    return welcome


async def fill_profile(person: SandboxPerson, answers: OnboardingAnswers) -> None:
    """Fill the second form, field by field, and its summary."""
    await person.see("1 of 4")
    await person.say(answers.name)
    await person.see(answers.role)
    await person.press(answers.role)
    await person.see(answers.newsletter)
    await person.press(answers.newsletter)
    for interest in answers.interests:
        await person.see(interest)
        await person.press(interest)
        await person.see(f"☑ {interest}")
    await person.press("Done")
    await person.see("Submit")
    await person.press("Submit")
