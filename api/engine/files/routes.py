"""The paths of engine-api about files."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request, UploadFile
from fastapi.responses import StreamingResponse

from api.engine.files.service import FormFiles
from api.kit.problems import ProblemError
from bpmn.file_reference import FileReference
from contracts.engine.form_schemas import ErasedOut, FileLinkOut
from contracts.engine.schemas import Name

__all__ = ["SIGNED_BELOW", "UPLOADS", "router", "signed_router"]

SIGNED_BELOW = "/files"
"""Links with a signature of ours; whoever has one needs no service token."""
UPLOADS = "/forms/*/files"

# Not `start`: there are the files of forms whose process is not started yet.
InstanceId = Annotated[str, Path(pattern=r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{1,20})$")]

router = APIRouter(tags=["files"])
signed_router = APIRouter(tags=["files"])


def _get_files(request: Request) -> FormFiles:
    files: FormFiles | None = request.app.state.files
    if files is None:
        raise ProblemError(503, "no_files", "This engine-api keeps no files: set FILES_URL and FILES_SECRET.")
    return files


Store = Annotated[FormFiles, Depends(_get_files)]


@router.post("/forms/{session_id}/files", status_code=201)
async def send_file(
    session_id: str,
    user: Name,
    field: Annotated[str, Query(min_length=1, max_length=500, description="Where the value is, with dots.")],
    file: UploadFile,
    files: Store,
) -> FileReference:
    """Keep one file (`file`, multipart/form-data) for a field; the answer belongs into the field's list.

    409 `too_many_files`; 413 `too_large`; 422 `wrong_file_type` and `disguised_file` by its content,
    `empty_file`, `no_such_field`.
    """
    return await files.take(session_id, user, field, file)


@router.post("/file/link")
async def make_link(reference: FileReference, files: Store) -> FileLinkOut:
    """Return a link by which a browser fetches a file, for a while."""
    return files.link(reference)


@signed_router.get("/files/{token}", response_class=StreamingResponse)
async def fetch_file(token: str, files: Store) -> StreamingResponse:
    """Return the content of a file by its signed link; always as a download, never shown as a page of ours."""
    reference, pieces = await files.fetch(token)
    name = quote(reference.name or "file", safe="")
    headers = {
        "Content-Length": str(reference.size_bytes),
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(pieces, media_type=reference.content_type, headers=headers)


@router.delete("/process-instance/{instance_id}/files")
async def erase_files(instance_id: InstanceId, files: Store) -> ErasedOut:
    """Delete the files that people sent for an instance that is over; 409 `still_running`."""
    return ErasedOut(files=await files.erase_instance(instance_id))


@router.post("/file/sweep")
async def sweep_files(files: Store) -> ErasedOut:
    """Delete the files of instances that are in no history any more, and of starts that nobody went on with."""
    return ErasedOut(files=await files.sweep())
