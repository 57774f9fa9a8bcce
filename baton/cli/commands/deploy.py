"""`baton deploy`: models and forms to engine-api, or straight to an engine."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from baton.cli.api import BlockingEngineApi
from baton.cli.engine_deployment import ask_version, deploy_to_engine
from baton.cli.errors import Usage
from baton.cli.output import AsJson, build_table, console, errors, print_json
from bpmn.catalog import Catalog
from bpmn.portability import find_missing_languages, find_passed_over, is_for_operaton
from bpmn.resources import SUFFIXES, Gathered, gather, normalise_name

__all__ = ["deploy"]

PACKAGED_NAME = "baton"


def deploy(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Models, forms or folders of them; default: the packaged models.")
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(help="Name of the deployment; default: the first path's name.")] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="Deploy straight to this engine (…/engine-rest), with the token in ENGINE_TOKEN if it has one."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Deploy models and forms; shows what is new, unchanged or replaced.

    Forms, decisions and scripts that a model refers to are deployed with it when they lie beside it. Files of a folder
    are named by their paths below it.
    """
    target = Target(engine)
    warnings: list[str] = []
    if paths:
        gathered = _gather(paths)
        resources = gathered.contents
        warnings = [*gathered.left_out, *gathered.missing, *_foresee(gathered, target)]
        for warning in warnings:
            errors.print(f"baton: {warning}", style="yellow", markup=False)
    else:
        resources = list_packaged_files()
    deployed = target.deploy(name or (paths[0].resolve().stem if paths else PACKAGED_NAME), resources)
    if as_json:
        print_json(deployed | {"warnings": warnings})
        return
    console.print(
        build_table(("resource", "state"), [(entry["name"], entry["state"]) for entry in deployed["resources"]])
    )
    for definition in deployed["definitions"]:
        console.print(f"{definition['key']} is now version {definition['version']}", markup=False)
    if not deployed["definitions"]:
        console.print("no process definition changed")


class Target:
    """Where the files go: an engine by its address, or engine-api."""

    def __init__(self, engine: str | None) -> None:
        self._engine = engine
        self._token = os.environ.get("ENGINE_TOKEN", "")

    def deploy(self, name: str, resources: Mapping[str, bytes]) -> dict[str, Any]:
        """Deploy the files, and say what changed."""
        if self._engine is not None:
            return deploy_to_engine(self._engine, self._token, name, resources)
        return BlockingEngineApi.from_environment().deploy(name, resources)

    def fetch_version(self) -> str:
        """Return the engine's version."""
        if self._engine is not None:
            return ask_version(self._engine, self._token)
        return BlockingEngineApi.from_environment().fetch_engine_version()


def list_packaged_files() -> dict[str, bytes]:
    """Return the files of the models that come with Baton."""
    return {
        name: content for model in Catalog.of_packaged().processes.values() for name, content in model.resources.items()
    }


def _gather(paths: list[Path]) -> Gathered:
    """Read what was named. Raises `Usage`, and `ModelUnreadable` for files that cannot be deployed."""
    for path in paths:
        if not path.exists():
            raise Usage(f"{path} does not exist")
    gathered = gather(paths)
    if not gathered.resources:
        raise Usage(f"{', '.join(map(str, paths))} holds no {', '.join(SUFFIXES)} file")
    needed = {reference.name for entry in gathered.resources.values() for reference in entry.references}
    for path in paths:
        name = normalise_name(path.name)
        if not path.is_dir() and not name.endswith(SUFFIXES) and not any(path.match(word) for word in needed):
            raise Usage(f"{path} is none of {', '.join(SUFFIXES)}, and no model here refers to it")
    return gathered


def _foresee(gathered: Gathered, target: Target) -> list[str]:
    """Return what models say that this engine passes over or cannot run."""
    models = [(entry.path, entry.root) for entry in gathered.resources.values() if entry.root is not None]
    # What Operaton's words mean depends on the engine; no others do.
    version = target.fetch_version() if any(is_for_operaton(root) for _, root in models) else None
    return [
        f"{path}: {said}"
        for path, root in models
        for said in (*find_passed_over(root, version), *find_missing_languages(root))
    ]
