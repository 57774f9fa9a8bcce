"""`baton deploy`: models and forms to engine-api, or straight to an engine."""

import os
from pathlib import Path
from typing import Annotated

import typer

from baton.cli.api import BlockingEngineApi
from baton.cli.engine_deployment import deploy_to_engine
from baton.cli.errors import Usage
from baton.cli.output import AsJson, build_table, console, print_json
from bpmn.catalog import Catalog, read_model

__all__ = ["collect", "deploy"]

SUFFIXES = (".bpmn", ".form", ".dmn")
PACKAGED_NAME = "baton"


def deploy(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Models, forms or folders of them; default: the packaged models.")
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(help="Name of the deployment; default: the first path's name.")] = None,
    engine: Annotated[str | None, typer.Option(help="Deploy straight to this engine (…/engine-rest).")] = None,
    as_json: AsJson = False,
) -> None:
    """Deploy models and forms; shows what is new, unchanged or replaced. ENGINE_TOKEN is used with --engine."""
    resources = collect(paths) if paths else list_packaged_files()
    name = name or (paths[0].resolve().stem if paths else PACKAGED_NAME)
    if engine:
        deployed = deploy_to_engine(engine, os.environ.get("ENGINE_TOKEN", ""), name, resources)
    else:
        deployed = BlockingEngineApi.from_environment().deploy(name, resources)
    if as_json:
        print_json(deployed)
        return
    console.print(
        build_table(("resource", "state"), [(entry["name"], entry["state"]) for entry in deployed["resources"]])
    )
    for definition in deployed["definitions"]:
        console.print(f"{definition['key']} is now version {definition['version']}", markup=False)
    if not deployed["definitions"]:
        console.print("no process definition changed")


def list_packaged_files() -> dict[str, bytes]:
    """Return the files of the models that come with Baton."""
    return {
        name: content for model in Catalog.of_packaged().processes.values() for name, content in model.resources.items()
    }


def collect(paths: list[Path]) -> dict[str, bytes]:
    """Return the deployable files of files and folders, by file name. Raises `Usage`, and `ModelUnreadable` for bad
    models.
    """
    found: dict[str, Path] = {}
    for path in paths:
        for file in _list_files(path):
            if file.name in found and found[file.name].read_bytes() != file.read_bytes():
                raise Usage(f"two files are called {file.name}: {found[file.name]} and {file}; rename one of them")
            found[file.name] = file
            if file.suffix == ".bpmn":
                read_model(file)  # before anything is sent: the message names the file
    return {name: file.read_bytes() for name, file in found.items()}


def _list_files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES)
        if not files:
            raise Usage(f"{path} holds no {', '.join(SUFFIXES)} file")
        return files
    if not path.is_file():
        raise Usage(f"{path} does not exist")
    if path.suffix not in SUFFIXES:
        raise Usage(f"{path} is none of {', '.join(SUFFIXES)}")
    return [path]
