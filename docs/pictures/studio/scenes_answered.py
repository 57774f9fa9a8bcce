"""Pictures of what a person answers, named by the component of form-js and by what is special about it."""

from parts import NAME, NOTE, WEIGHT, field, options, sent
from scene import Scene

from forms.session.events import Typed, Uploaded

__all__ = ["ANSWERED"]

_CITIES = options(
    "Amsterdam", "Athens", "Barcelona", "Berlin", "Bern", "Bratislava", "Brussels", "Bucharest", "Budapest",
    "Copenhagen", "Dublin", "Helsinki", "Lisbon", "Ljubljana", "Madrid", "Oslo", "Paris", "Prague", "Riga", "Rome",
)  # fmt: skip
_NEEDS = options("Medicine", "Diet food", "Own blanket", "Single room", "Night light", "Brushing", "Long walks",
                 "Company", "Garden", "Photos every day", "Bath")  # fmt: skip
_NIGHTS = field("number", "Nights", validate={"min": 1, "max": 21})
_WALKS = field("number", "Walks a day", validate={"min": 1, "max": 5})
_ARRIVAL = field("datetime", "Arrival", subtype="date", disallowPassedDates=True, validate={"required": True})
_BREAKFAST = field("datetime", "Breakfast at", subtype="time", timeInterval=15, use24h=True)
_COMING = field("datetime", "We come at", subtype="datetime", timeInterval=60, use24h=True)
_VACCINATED = field("checkbox", "Is it vaccinated against rabies?", validate={"required": True})
_MEALS = field("checklist", "Meals", values=options("Breakfast", "Dinner", "Snacks"))
_PET = field("radio", "Kind of pet", key="pet", values=options("Dog", "Cat", "Rabbit", "Another one"))
_CITY = field("select", "City", searchable=True, values=_CITIES, validate={"required": True})
_NEEDED = field("taglist", "What it needs", values=_NEEDS)
_PAPERS = field("filepicker", "Vaccination papers", accept=".pdf,image/*", multiple=True)
_PHONE = field("textfield", "Your phone", properties={"accepts": "contact"})
_PLACE = field("textfield", "Where shall we fetch it?", properties={"accepts": "location"})

ANSWERED = (
    Scene("textfield", (NAME, WEIGHT, NOTE)),
    Scene("textarea", (NOTE, WEIGHT), (Typed("He is afraid of thunder."),), messages=2),
    Scene("number", (NAME, WEIGHT), (Typed("Rex"),)),
    Scene("number-steps", (_NIGHTS, NOTE), variables={"nights": 7}),
    Scene("number-few", (_WALKS, NOTE), variables={"walks_a_day": 2}),
    Scene("datetime", (_ARRIVAL, NOTE)),
    Scene("datetime-months", (_ARRIVAL, NOTE), ("November",)),
    Scene("datetime-time", (_BREAKFAST, NOTE)),
    Scene("datetime-minutes", (_BREAKFAST, NOTE), ("07",)),
    Scene("datetime-both", (_COMING, NOTE), ("20",)),
    Scene("checkbox", (_VACCINATED, NOTE)),
    Scene("checklist", (_MEALS, NOTE), ("Breakfast", "Dinner")),
    Scene("radio", (_PET, NOTE), variables={"pet": "cat"}),
    Scene("select", (_CITY, NOTE), ("›",)),
    Scene("select-search", (_CITY, NOTE), (Typed("ber"),), messages=2),
    Scene("taglist", (_NEEDED, NOTE), ("Medicine", "Single room")),
    Scene("filepicker", (_PAPERS, NOTE), (Uploaded((sent("rabies.pdf"), sent("passport.jpg"))),)),
    Scene("contact", (_PHONE, NOTE), messages=2, has_composer=True),
    Scene("location", (_PLACE, NOTE), messages=2, has_composer=True),
)
