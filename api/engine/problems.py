"""Which error of engine-api is which status and code."""

from api.kit.problems import ProblemTable
from bpmn import errors
from bpmn.engine.variables import NotAVariable
from drafts.errors import DraftConflict, DraftGone
from files.store import FileDamaged, FileMissing, FilesUnavailable
from forms.errors import FormUnreadable

__all__ = ["PROBLEMS"]

PROBLEMS: ProblemTable = (
    (errors.NotFound, 404, "not_found"),
    (errors.ModelRefused, 422, "model_refused"),
    (errors.FormFieldRefused, 422, "field_refused"),
    (errors.InvalidVariable, 422, "invalid_variable"),
    (errors.ValueTooLong, 422, "value_too_long"),
    (NotAVariable, 422, "invalid_variable"),
    (FormUnreadable, 422, "form_unreadable"),
    (FileMissing, 404, "file_missing"),
    (FileDamaged, 422, "file_damaged"),
    (FilesUnavailable, 503, "files_unavailable"),
    (DraftGone, 404, "draft_gone"),
    (DraftConflict, 409, "revision_conflict"),
    (errors.EngineConflict, 409, "conflict"),
    (errors.InstanceSuspended, 409, "suspended"),
    (errors.EngineUnavailable, 503, "engine_unavailable"),
    (errors.NotAuthorised, 502, "engine_refused_token"),
    # Not 502: the engine is there, but a step of the model threw, and repeating the call does not help.
    (errors.EngineFault, 500, "engine_fault"),
    (errors.EngineRefused, 422, "engine_refused"),
)
