"""The onboarding as a scripted person walks through it: for the demo, the scenarios and the figures."""

from dataclasses import dataclass
from datetime import timedelta

from baton.sandbox.person import Person, Shown

MODEL_PATIENCE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the person says. Texts are labels as the person reads them."""

    language: str = "English"
    name: str = "Ada"
    role: str = "Developer"
    newsletter: str = "Yes"
    interests: tuple[str, ...] = ("Workflows", "Language models")
    last: str = "Join"


async def walk_onboarding(person: Person, answers: Answers | None = None) -> Shown:
    """Go from `/start` to the end; returns the message with the personal welcome as it was before the last press.

    Raises `PersonStuck` where the bot does not show what a person would need to go on.
    """
    answers = answers or Answers()
    await person.say("/start")
    await person.sees(answers.language)
    await person.press(answers.language)
    await fill_profile(person, answers)
    welcome = await person.sees(answers.last, patience=MODEL_PATIENCE)
    await person.press(answers.last)
    await person.sees("✅")
    return welcome


async def fill_profile(person: Person, answers: Answers) -> None:
    """The second form, field by field, and its summary."""
    await person.sees("1 of 4")
    await person.say(answers.name)
    await person.sees(answers.role)
    await person.press(answers.role)
    await person.sees(answers.newsletter)
    await person.press(answers.newsletter)
    for interest in answers.interests:
        await person.sees(interest)
        await person.press(interest)
        await person.sees(f"☑ {interest}")
    await person.press("Done")
    await person.sees("Submit")
    await person.press("Submit")
