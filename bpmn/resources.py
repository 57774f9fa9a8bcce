"""The files of a deployment: what a person names, and what its models refer to.

In a deployment a file has a name, which may have folders in it. Models refer to forms and decisions by their ids, to
scripts, pages and some forms by these names.
"""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from bpmn.document import BPMN, read_document
from bpmn.errors import ModelUnreadable
from bpmn.references import Kind, Reference, find_references

__all__ = ["SUFFIXES", "Gathered", "Resource", "gather", "is_model", "normalise_name"]

_MODELS = (".bpmn", ".bpmn20.xml")
_DECISIONS = (".dmn", ".dmn11.xml")
_FORMS = (".form",)
SUFFIXES = (*_MODELS, *_DECISIONS, *_FORMS)
"""What the engine reads; it looks at small letters only. Other files are there for models that refer to them."""
MAX_FILE_BYTES = 10 * 2**20


def is_model(name: str) -> bool:
    """Tell whether the engine reads a file of this name as BPMN."""
    return name.endswith(_MODELS)


def normalise_name(name: str) -> str:
    """Return the name with a suffix that the engine reads: it takes `.bpmn`, and stores `.BPMN` without looking into
    it.
    """
    suffix = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    return name.removesuffix(name[-len(suffix) :]) + suffix if suffix else name


@dataclass(slots=True)
class Resource:
    """A file that has been read: what it defines, and what it refers to. `problem` says why it cannot be read."""

    path: Path
    content: bytes = b""
    defines: tuple[tuple[Kind, str], ...] = ()
    references: tuple[Reference, ...] = ()
    root: ElementTree.Element | None = None
    form: Mapping[str, Any] | None = None
    problem: str = ""


@dataclass(slots=True)
class Gathered:
    """The files of a deployment by name.

    `missing` says which references the engine must know already. `left_out` says which files of a folder cannot be
    deployed; no model refers to them.
    """

    resources: dict[str, Resource] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def contents(self) -> dict[str, bytes]:
        """What is sent."""
        return {name: resource.content for name, resource in self.resources.items()}


def gather(paths: Sequence[Path]) -> Gathered:
    """Read files and folders, and what the models among them refer to, from beside each model.

    Raises `ModelUnreadable` that lists everything that keeps these files from being deployed.
    """
    gathering = _Gathering()
    for path in paths:
        if path.is_dir():
            for file in sorted(file for file in path.rglob("*") if file.is_file()):
                if normalise_name(file.name).endswith(SUFFIXES):
                    gathering.add(normalise_name(file.relative_to(path).as_posix()), file)
        else:
            gathering.add(normalise_name(path.name), path, is_named=True)
    gathering.resolve()
    return gathering.finish()


class _Gathering:
    def __init__(self) -> None:
        self._found = Gathered()
        self._read: dict[Path, Resource] = {}
        self._named: set[Path] = set()
        self._wanted: set[str] = set()
        self._problems: list[str] = []

    def add(self, name: str, path: Path, *, is_named: bool = False) -> None:
        """Take a file under a name, unless another one has it."""
        if is_named:
            self._named.add(path.resolve())
            if any(entry.path.resolve() == path.resolve() for entry in self._found.resources.values()):
                return  # it lies in a folder that was named before
        resource = self._open(path)
        other = self._found.resources.setdefault(name, resource)
        if other.content != resource.content or bool(other.problem) != bool(resource.problem):
            self._problems.append(f"two files are called {name}: {other.path} and {path}; rename one of them")

    def resolve(self) -> None:
        """Find what the models refer to; what is found may refer to more."""
        done: set[Path] = set()
        while waiting := [entry for entry in self._found.resources.values() if entry.path not in done]:
            for resource in waiting:
                done.add(resource.path)
                for reference in resource.references:
                    self._find(resource.path, reference)

    def _find(self, model: Path, reference: Reference) -> None:
        if reference.kind == "file":
            is_there = self._find_file(model, reference.name)
        else:
            is_there = self._is_defined(reference) or self._find_beside(model, reference)
        if is_there:
            return
        unread = [f"{entry.path}: {entry.problem}" for entry in self._read.values() if entry.problem]
        if reference.is_bound:
            where = "has this name" if reference.kind == "file" else "defines it"
            said = f"{model}: {reference}, which must be in the same deployment, but no file here {where}"
            self._problems.append("; ".join((said, *unread)))
        elif reference.kind != "process":  # a called process has a deployment of its own
            said = f"{model}: {reference}, and no file here defines it: it must be deployed already"
            self._found.missing.append("; ".join((said, *unread)))

    def _find_file(self, model: Path, name: str) -> bool:
        """Return a file whose name in the deployment is `name`: the path from the folder, or from the model."""
        self._wanted.add(name)
        path = model.parent / name
        if not _is_inside(name) or not path.is_file():
            return name in self._found.resources
        for other, resource in list(self._found.resources.items()):
            if resource.path.resolve() == path.resolve() and other not in self._wanted:
                del self._found.resources[other]
        self.add(name, path)
        return True

    def _is_defined(self, reference: Reference) -> bool:
        wanted = (reference.kind, reference.name)
        return any(wanted in resource.defines for resource in self._found.resources.values())

    def _find_beside(self, model: Path, reference: Reference) -> bool:
        if reference.kind == "process" and not reference.is_bound:
            return False
        for path in sorted(model.parent.iterdir()):
            if path.is_file() and normalise_name(path.name).endswith(SUFFIXES):
                resource = self._open(path)
                if (reference.kind, reference.name) in resource.defines:
                    self.add(normalise_name(path.name), path)
                    return True
        return False

    def finish(self) -> Gathered:
        """Return what can be deployed. Raises `ModelUnreadable`."""
        for name, resource in list(self._found.resources.items()):
            is_needed = resource.path.resolve() in self._named or name in self._wanted or not name.endswith(_FORMS)
            why = resource.problem or ("" if resource.defines or is_needed else "a form without an id")
            if why and not is_needed:
                self._found.left_out.append(f"{resource.path} is left out, as no model here refers to it: {why}")
                del self._found.resources[name]
            elif resource.problem:
                self._problems.append(f"{resource.path}: {resource.problem}")
        self._check_definitions()
        if self._problems:
            entries = self._found.resources.values()
            good = [str(entry.path) for entry in entries if not any(str(entry.path) in said for said in self._problems)]
            raise ModelUnreadable(_join_problems(self._problems, good))
        return self._found

    def _check_definitions(self) -> None:
        """Check the engine refuses a deployment that defines something twice, and all forms without an id are one to
        it.
        """
        first: dict[tuple[str, str], Path] = {}
        for name, resource in self._found.resources.items():
            nameless = name.endswith(_FORMS) and not resource.defines and not resource.problem
            for kind, key in [("form", "")] if nameless else resource.defines:
                before = first.setdefault((kind, key), resource.path)
                if before != resource.path:
                    what = f"define the {kind} {key!r}" if key else "are forms without an id"
                    self._problems.append(f"{before} and {resource.path} both {what}; one deployment takes only one")

    def _open(self, path: Path) -> Resource:
        if path not in self._read:
            self._read[path] = _read(path)
        return self._read[path]


def _read(path: Path) -> Resource:
    if path.stat().st_size > MAX_FILE_BYTES:
        return Resource(path, problem=f"larger than {MAX_FILE_BYTES >> 20} MiB")
    content = path.read_bytes()
    name = normalise_name(path.name)
    if name.endswith(_FORMS):
        return _read_form(path, content)
    if is_model(name):
        return _read_model(path, content)
    if name.endswith(_DECISIONS):
        return _read_decisions(path, content)
    return Resource(path, content)


def _read_form(path: Path, content: bytes) -> Resource:
    try:
        form = json.loads(content)
    except (ValueError, RecursionError) as error:
        return Resource(path, content, problem=f"not JSON: {error}")
    if not isinstance(form, dict):
        return Resource(path, content, problem="no form: a form is a JSON object")
    form_id = form.get("id")
    return Resource(path, content, defines=(("form", str(form_id)),) if form_id else (), form=form)


def _read_model(path: Path, content: bytes) -> Resource:
    try:
        root = read_document(content, str(path))
    except ModelUnreadable as error:
        return Resource(path, content, problem=str(error).removeprefix(f"{path}: "))
    keys = [process.get("id", "") for process in root.iter(f"{BPMN}process") if process.get("isExecutable") == "true"]
    if not keys:
        return Resource(path, content, problem='no executable process (isExecutable="true")')
    return Resource(
        path,
        content,
        defines=tuple(("process", key) for key in keys),
        references=tuple(find_references(root)),
        root=root,
    )


def _read_decisions(path: Path, content: bytes) -> Resource:
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 -- expat refuses what entities could swell to
    except (ElementTree.ParseError, ValueError) as error:
        return Resource(path, content, problem=f"not well-formed XML: {error}")
    ids = [entry.get("id", "") for entry in root.iter() if entry.tag.endswith("}decision")]
    return Resource(path, content, defines=tuple(("decision", key) for key in ids if key))


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _join_problems(problems: list[str], good: list[str]) -> str:
    if len(problems) == 1 and not good:
        return problems[0]
    lines = problems if len(problems) == 1 else [f"{len(problems)} things keep these files from being deployed:"]
    if len(problems) > 1:
        lines += [f"  {problem}" for problem in problems]
    if good:
        lines.append(f"nothing is wrong with: {', '.join(good)}")
    return "\n".join(lines)
