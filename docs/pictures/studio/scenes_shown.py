"""Pictures of what is only looked at, and of what a form says about itself."""

from typing import Any

from parts import NAME, NOTE, WEIGHT, field, options
from plan import PLAN
from scene import Finish, Scene

from forms.schema.paths import Json
from forms.session.events import Typed

__all__ = ["SHOWN"]


def _shown(kind: str, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "id": f"a_{kind}", **properties}


_NIGHTS = field("number", "Nights", validate={"min": 1, "max": 21})
_PRICE = field("expression", "Price", expression='=string(nights * 28) + " €"', computeOn="change")
_RULES = _shown(
    "text",
    text="## Before you come\n\n- Bring the **vaccination papers** of {{pet}}.\n- Come between *8:00* and *20:00*.\n\n"
    "Everything else is in the [house rules](https://example.org/rules).",
)
_NEWS = _shown(
    "html",
    content="<h3>New this winter</h3><p>The garden is <b>heated</b> now, and walks end with <i>biscuits</i>.</p>"
    "<ol><li>Ask at the desk</li><li>Choose a garden hour</li></ol>",
)
_IMAGE = _shown("image", source=PLAN, alt="Where the rooms are")
_TABLE = _shown(
    "table",
    label="Your bookings",
    dataSource="=bookings",
    columns=[{"key": "pet", "label": "Pet"}, {"key": "from", "label": "From"}, {"key": "nights", "label": "Nights"}],
)
_WIDE_COLUMNS = {"pet": "Pet", "from": "From", "nights": "Nights", "room": "Room", "food": "Food", "contact": "Contact"}
_WIDE = _shown(
    "table",
    label="Guests today",
    dataSource="=guests",
    columns=[{"key": key, "label": label} for key, label in _WIDE_COLUMNS.items()],
)
_DOCUMENTS = _shown("documentPreview", label="Your papers", dataSource="=papers")
_FRAME = _shown("iframe", label="Pictures of the garden", url="https://example.org/garden")
_ACCEPT = _shown("button", label="Accept", action="submit", properties={"action": "accepted", "style": "success"})
_REFUSE = _shown(
    "button", label="Refuse", action="submit", properties={"action": "refused", "style": "danger", "confirm": "true"}
)
_ASKED = _shown("text", text="**{{guest}}** asks for a room for {{pet}}, {{nights}} nights.")
_OWNER = _shown("group", label="The owner", components=[field("textfield", "Full name"), field("textfield", "Address")])
_PETS = _shown(
    "dynamiclist",
    label="Pets",
    path="pets",
    isRepeating=True,
    allowAddRemove=True,
    defaultRepetitions=0,
    components=[
        field("textfield", "Pet's name", key="name", validate={"required": True}),
        field("radio", "Kind", values=options("Dog", "Cat", "Rabbit")),
        field("checkbox", "Friendly?", key="friendly"),
    ],
)
_PIN = field("textfield", "PIN of the door", properties={"sensitive": "true"})
_MEMBER = field("textfield", "Member since", key="member", readonly=True)
_EMAIL = field("textfield", "E-mail", key="email", validate={"required": True, "validationType": "email"})
_BOOKINGS: Json = [
    {"pet": "Rex", "from": "20 Nov", "nights": 3},
    {"pet": "Mia", "from": "2 Dec", "nights": 14},
    {"pet": "Sir Barks-a-lot", "from": "24 Dec", "nights": 7},
]
_GUESTS: Json = [
    {"pet": "Rex", "from": "20 Nov", "nights": 3, "room": "Garden 2", "food": "Diet", "contact": "Ada"},
    {"pet": "Mia", "from": "14 Nov", "nights": 9, "room": "Attic", "food": "Usual", "contact": "Grace"},
]
_PAPERS: Json = [
    {"documentId": name, "endpoint": f"https://example.org/{name}", "metadata": {"fileName": name}}
    for name in ("contract.pdf", "invoice.pdf")
]
_REX: Json = {"name": "Rex", "kind": "dog", "friendly": True}
_MIA: Json = {"name": "Mia", "kind": "cat", "friendly": False}

SHOWN = (
    Scene("expression", (_NIGHTS, _PRICE, NAME), variables={"nights": 3, "name": "Rex"}, acts=("Keep", "Keep")),
    Scene("text", (_RULES, NAME), variables={"pet": "Rex"}),
    Scene("html", (_NEWS, NAME)),
    Scene("image", (_IMAGE, field("radio", "Your room", values=options("Garden 1", "Garden 2", "Attic")), NOTE)),
    Scene("table", (_TABLE, NOTE), variables={"bookings": _BOOKINGS}),
    Scene("table-cards", (_WIDE, NOTE), variables={"guests": _GUESTS}),
    Scene("documentPreview", (_DOCUMENTS, NOTE), variables={"papers": _PAPERS}),
    Scene("iframe", (_FRAME, NOTE)),
    Scene("separator", (_RULES, _shown("separator"), _NEWS, NAME), variables={"pet": "Rex"}),
    Scene("spacer", (_RULES, _shown("spacer"), _NEWS, NAME), variables={"pet": "Rex"}),
    Scene(
        "button", (_ASKED, _ACCEPT, _REFUSE), variables={"guest": "Ada", "pet": "Rex", "nights": 3}, title="A request"
    ),
    Scene(
        "button-confirm",
        (_ASKED, _ACCEPT, _REFUSE),
        ("Refuse",),
        variables={"guest": "Ada", "pet": "Rex", "nights": 3},
        title="A request",
    ),
    Scene("group", (NAME, _OWNER), (Typed("Rex"),)),
    Scene("dynamiclist", (_PETS, NOTE), variables={"pets": [_REX, _MIA]}),
    Scene("dynamiclist-item", (_PETS, NOTE), ("2. Mia", Typed("Mia")), variables={"pets": [_REX, _MIA]}),
    Scene("keep", (_EMAIL, NOTE), variables={"email": "ada@example.org"}),
    Scene("problem", (_EMAIL, NOTE), (Typed("ada at example.org"),), messages=2),
    Scene("readonly", (_MEMBER, NAME), variables={"member": "2024"}),
    Scene("unsupported", (_shown("signature", label="Sign here"), NAME)),
    Scene("secret", (NAME, _PIN), (Typed("Rex"), "Submit")),
    Scene("summary", (NAME, WEIGHT, _NIGHTS, _PRICE), (Typed("Rex"), Typed("12.5"), Typed("3"))),
    Scene("leave", (NAME, WEIGHT, _NIGHTS), (Typed("Rex"), Typed("12.5"), Typed("3"), "Cancel")),
    Scene("done", (NAME, WEIGHT, _NIGHTS, _PRICE), (Typed("Rex"), Typed("12.5"), Typed("3"), Finish("Submit"))),
)
