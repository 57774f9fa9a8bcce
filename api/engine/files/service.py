"""Files that people send for a form: taken in, fetched by signed links, and erased with what they belong to."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from fastapi import UploadFile
from pydantic import SecretStr

from api.engine.forms.answers import DRAFT_VARIABLE
from api.engine.forms.drafts import FormDrafts, find_own_draft
from api.kit.problems import ProblemError
from bpmn.engine.client import EngineClient
from bpmn.file_reference import FileReference
from contracts.engine.form_schemas import FileLinkOut
from drafts.errors import DraftGone
from files.links import LinkRefused, make_token, read_token
from files.places import erase_instance, make_draft_folder, sweep
from files.store import Files
from files.uploads import HEAD_BYTES, clean_name, detect_content_type, is_contradicted
from forms.fields.file import is_accepted
from forms.model import Field, Mode
from forms.schema.paths import spell
from forms.session.state import FormSession
from forms.session.threads import run_in_thread

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
        """Keep a file for a field of a draft. Raises `ProblemError` 403, 404, 409, 410, 413 or 422."""
        session = (await find_own_draft(self._forms.store, session_id, user)).session
        field = await run_in_thread(lambda: _find_field(session, place))
        head = await upload.read(HEAD_BYTES)
        if not head:
            raise ProblemError(422, "empty_file", "The file is empty.")
        if upload.size is not None and upload.size > self._max_bytes:
            raise ProblemError(
                413, "too_large", f"A file may have at most {self._max_bytes} bytes.", max_bytes=self._max_bytes
            )
        name = clean_name(upload.filename)
        content_type = detect_content_type(head, name)
        accept = field.read_property("accept")
        accept = accept if isinstance(accept, str) else ""
        if is_contradicted(content_type, name):
            raise ProblemError(422, "disguised_file", f"The file is {content_type}, which is not what its name says.")
        if not is_accepted(accept, name or "", content_type):
            raise ProblemError(422, "wrong_file_type", f"The file is {content_type}; this field takes {accept}.")
        folder = make_draft_folder(session_id, session.subject.process_instance_id)
        if await self._files.count(folder, up_to=MAX_FILES) == MAX_FILES:
            raise ProblemError(
                409, "too_many_files", f"{MAX_FILES} files were sent for this draft; that must do.", max=MAX_FILES
            )
        kept = await self._files.put(_read_pieces(head, upload), name=name, content_type=content_type, folder=folder)
        await self._forms.store.note_file(session_id, kept)
        return kept

    def link(self, reference: FileReference) -> FileLinkOut:
        """Return a link by which a browser fetches a file without a service token."""
        expires = datetime.now(UTC) + self._link_life
        return FileLinkOut(path=f"/files/{make_token(reference, self._secret, self._link_life)}", expires=expires)

    async def fetch(self, token: str) -> tuple[FileReference, AsyncIterator[bytes]]:
        """Yield the file of a link. Raises `ProblemError` 403, `FileMissing`, `FileDamaged`."""
        try:
            reference = read_token(token, self._secret)
        except LinkRefused as error:
            raise ProblemError(403, "link_refused", str(error)) from error
        pieces = self._files.stream(reference)
        # The first piece is asked for here: what is missing must be said before the answer begins.
        first = await anext(pieces, b"")
        return reference, _chain(first, pieces)

    async def erase_instance(self, instance_id: str) -> int:
        """Delete the files of an instance that is over. Raises `ProblemError` 409 while it runs."""
        if await self._engine.list_known_to_history([instance_id]):
            instance = await self._engine.fetch_history_process(instance_id)
            if instance.end is None:
                raise ProblemError(409, "still_running", f"Instance {instance_id} runs: it may need its files.")
        return await erase_instance(self._files, instance_id)

    async def sweep(self) -> int:
        """Delete the files of instances that the history has forgotten, and of starts that nobody went on with."""
        return await sweep(self._files, self._engine.list_known_to_history, self._has_draft, self._find_started_by)

    async def _has_draft(self, session_id: str) -> bool:
        try:
            await self._forms.store.get(session_id)
        except DraftGone:
            return False
        return True

    async def _find_started_by(self, session_id: str) -> str | None:
        instance = await self._engine.find_started_with(DRAFT_VARIABLE, session_id)
        return instance.id if instance is not None else None


def _find_field(session: FormSession, place: str) -> Field:
    for field in session.form.list_all_fields():
        if field.kind == "file" and field.mode is Mode.ASKED and spell(field.path) == place:
            return field
    raise ProblemError(422, "no_such_field", f"The form asks for no file at {place!r:.100}.")


async def _read_pieces(head: bytes, upload: UploadFile) -> AsyncIterator[bytes]:
    yield head
    while piece := await upload.read(CHUNK_BYTES):
        yield piece


async def _chain(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for piece in pieces:
        yield piece
