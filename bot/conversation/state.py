"""The conversation with one person as it is stored: what is asked, where it is shown, and what it waits for."""

from dataclasses import dataclass, field

from bot.conversation.albums import Album
from bot.conversation.pastes import Paste
from bot.people.chat import ChatPlace
from bot.people.replied import RepliedMessage
from drafts.record import ClosedDraft
from forms.session.state import FormSession, Surface

__all__ = ["Conversation", "Prompt"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A message beside the form that opens the person's field for an answer, or has a key for it; `question` identifies
    what is asked: draft, field and words.
    """

    message_id: int
    question: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where one person and the bot are. `message_id` is the message whose buttons count."""

    user_id: str
    chat_id: int
    locale: str
    session: FormSession | None = None
    """The draft that is being filled. It is not stored here: `draft_id` says where it is."""
    draft_id: str | None = None
    title: str = ""
    """Of the task, in the person's language."""
    closed: ClosedDraft | None = None
    """Who ended the draft's form, when somebody has; not stored either."""
    message_id: int | None = None
    instance_id: str | None = None
    """Where the person's own matter is, which they wait for when others are at work."""
    is_errand: bool = False
    """The form is of a task that the person took from an offer: nobody waits here for what becomes of it."""
    name: str = ""
    """What the person is called; needed in groups, where others read whom the bot asks."""
    prompt: Prompt | None = None
    """The message that opens the person's field for an answer, or has a key for it."""
    may_have_stray_key: bool = False
    """A key that shares was about to be sent when the bot was killed: it may stand, by a message that is not known."""
    asked_before: int = 0
    """The newest prompt of an earlier question; a message to the person that is newer asks what is asked now."""
    origin: dict[str, str] = field(default_factory=dict)
    """Variables of the instance that the form of a start will make."""
    last_text_id: int = 0
    """The newest message of the person of which all was carried out; the same one again is a repeated delivery."""
    album: Album | None = None
    """The files that the person sent at once last."""
    paste: Paste | None = None
    submitted: str = ""
    """What the button carried that submitted the last form; the same again is a finger that pressed twice."""

    @property
    def surface(self) -> Surface:
        """Where the form is shown."""
        return Surface("telegram", self.chat_id, self.message_id)

    @property
    def place(self) -> ChatPlace:
        return ChatPlace.of(self.chat_id, self.user_id)

    def is_addressed_by(self, replied_to: RepliedMessage | None) -> bool:
        """Tell whether a message is for this form; in groups a reply to the question is, and nothing else."""
        if not self.place.is_group or replied_to is None:
            return not self.place.is_group
        return self.has_noted(replied_to) or (
            self.has_spoken_in(replied_to) and replied_to.message_id > self.asked_before
        )

    def has_noted(self, replied_to: RepliedMessage) -> bool:
        """Tell whether it is known that this message asks; of one after which the bot was killed it is not."""
        return replied_to.message_id in {self.message_id, self.prompt.message_id if self.prompt is not None else None}

    def has_spoken_in(self, replied_to: RepliedMessage) -> bool:
        """Tell whether the bot spoke to this person in a message, who has a form here now."""
        return self.message_id is not None and replied_to.person_id == self.place.person_id

    @property
    def is_busy_elsewhere(self) -> bool:
        """The person is at somebody else's task: their own matter does not come in between."""
        return self.is_errand and self.session is not None and self.session.is_open and self.closed is None

    @property
    def form_instance_id(self) -> str | None:
        """Where the open form belongs; None where none is open, or its answers are to start an instance."""
        if self.session is None or self.session.subject.is_start:
            return None
        return self.session.subject.process_instance_id if self.is_errand else self.instance_id

    def format_message_id(self, message_id: int) -> str:
        """Return a message of this chat, as the draft names it."""
        return f"{self.chat_id}:{message_id}"

    def has_taken(self, message_id: int) -> bool:
        """Tell whether a message of the person is in the draft as its last answer."""
        return self.session is not None and self.session.taken == self.format_message_id(message_id)
