"""The path of engine-api by which models are deployed."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile

from api.engine.deployments.service import MAX_FILES, Deployments, check_file_name, check_kinds
from api.kit.problems import ProblemError
from contracts.engine.schemas import DeploymentOut

__all__ = ["router"]

router = APIRouter()


def _get_deployments(request: Request) -> Deployments:
    deployments: Deployments = request.app.state.deployments
    return deployments


@router.post("/deployment/create", tags=["deployments"])
async def create_deployment(
    deployments: Annotated[Deployments, Depends(_get_deployments)],
    files: Annotated[list[UploadFile], File(description="Models and forms, deployed as one set.")],
    name: Annotated[str, Form(min_length=1, max_length=255)],
) -> DeploymentOut:
    """Deploy models and forms; says what is new, unchanged or replaced."""
    if len(files) > MAX_FILES:
        raise ProblemError(422, "too_many_files", f"At most {MAX_FILES} files are one deployment; got {len(files)}.")
    resources = {check_file_name(file.filename): await file.read() for file in files}
    if len(resources) < len(files):
        raise ProblemError(422, "file_name", "Two files have the same name; the engine would keep only one.")
    check_kinds(resources)
    return await deployments.create(name, resources)
