"""Files that people send for a form: taken in, fetched by signed links, and erased with what they belong to."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from fastapi import UploadFile
from pydantic import SecretStr

from api.engine.form_answers import DRAFT_VARIABLE
from api.engine.form_drafts import FormDrafts, own_draft
from api.engine.form_models import FileLinkOut
from api.kit.problems import Problem
from bpmn.client import EngineClient
from bpmn.files import FileReference
from drafts.errors import DraftGone
from files.links import LinkRefused, read_token, token_of
from files.places import draft_folder, erase_instance, sweep
from files.store import Files
from files.uploads import HEAD_BYTES, clean_name, content_type_of, contradicts
from forms.fields.file import accepts
from forms.model import Field, Mode
from forms.paths import spell
from forms.session import FormSession
from forms.threads import in_thread

__all__ = ["FormFiles"]

CHUNK_BYTES = 256 * 1024
# Of one draft, those that the person threw away included: nobody may fill the store.
MAX_FILES = 100


class FormFiles:
    """Of one store. Methods raise `FilesUnavailable` when it is away."""

    def __init__(
        self,
        files: Files,
        forms: FormDrafts,
        engine: EngineClient,
        *,
        secret: SecretStr,
        max_bytes: int,
        link_life: timedelta,
    ) -> None:
        self._files = files
        self._forms = forms
        self._engine = engine
        self._secret = secret.get_secret_value()
        self._max_bytes = max_bytes
        self._link_life = link_life

    async def take(self, session_id: str, user: str, place: str, upload: UploadFile) -> FileReference:
        """Keep a file for a field of a draft. Raises `Problem` 403, 404, 409, 410, 413 or 422."""
        session = (await own_draft(self._forms.store, session_id, user)).session
        field = await in_thread(lambda: _field(session, place))
        head = await upload.read(HEAD_BYTES)
        if not head:
            raise Problem(422, "empty_file", "The file is empty.")
        if upload.size is not None and upload.size > self._max_bytes:
            raise Problem(
                413, "too_large", f"A file may have at most {self._max_bytes} bytes.", max_bytes=self._max_bytes
            )
        name = clean_name(upload.filename)
        content_type = content_type_of(head, name)
        accept = field.written("accept")
        accept = accept if isinstance(accept, str) else ""
        if contradicts(content_type, name):
            raise Problem(422, "disguised_file", f"The file is {content_type}, which is not what its name says.")
        if not accepts(accept, name or "", content_type):
            raise Problem(422, "wrong_file_type", f"The file is {content_type}; this field takes {accept}.")
        folder = draft_folder(session_id, session.subject.process_instance_id)
        if await self._files.count(folder, up_to=MAX_FILES) == MAX_FILES:
            raise Problem(
                409, "too_many_files", f"{MAX_FILES} files were sent for this draft; that must do.", max=MAX_FILES
            )
        kept = await self._files.put(_pieces(head, upload), name=name, content_type=content_type, folder=folder)
        await self._forms.store.note_file(session_id, kept)
        return kept

    def link(self, reference: FileReference) -> FileLinkOut:
        """A link by which a browser fetches a file without a service token."""
        expires = datetime.now(UTC) + self._link_life
        return FileLinkOut(path=f"/files/{token_of(reference, self._secret, self._link_life)}", expires=expires)

    async def fetched(self, token: str) -> tuple[FileReference, AsyncIterator[bytes]]:
        """The file of a link. Raises `Problem` 403, `FileMissing`, `FileDamaged`."""
        try:
            reference = read_token(token, self._secret)
        except LinkRefused as error:
            raise Problem(403, "link_refused", str(error)) from error
        pieces = self._files.stream(reference)
        # The first piece is asked for here: what is missing must be said before the answer begins.
        first = await anext(pieces, b"")
        return reference, _after(first, pieces)

    async def erase_instance(self, instance_id: str) -> int:
        """Delete the files of an instance that is over. Raises `Problem` 409 while it runs."""
        if await self._engine.known_to_history([instance_id]):
            instance = await self._engine.history_process(instance_id)
            if instance.end is None:
                raise Problem(409, "still_running", f"Instance {instance_id} runs: it may need its files.")
        return await erase_instance(self._files, instance_id)

    async def sweep(self) -> int:
        """Delete the files of instances that the history has forgotten, and of starts that nobody went on with."""
        return await sweep(self._files, self._engine.known_to_history, self._has_draft, self._started_by)

    async def _has_draft(self, session_id: str) -> bool:
        try:
            await self._forms.store.get(session_id)
        except DraftGone:
            return False
        return True

    async def _started_by(self, session_id: str) -> str | None:
        instance = await self._engine.started_with(DRAFT_VARIABLE, session_id)
        return instance.id if instance is not None else None


def _field(session: FormSession, place: str) -> Field:
    for field in session.form.all_fields():
        if field.kind == "file" and field.mode is Mode.ASKED and spell(field.path) == place:
            return field
    raise Problem(422, "no_such_field", f"The form asks for no file at {place!r:.100}.")


async def _pieces(head: bytes, upload: UploadFile) -> AsyncIterator[bytes]:
    yield head
    while piece := await upload.read(CHUNK_BYTES):
        yield piece


async def _after(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for piece in pieces:
        yield piece
