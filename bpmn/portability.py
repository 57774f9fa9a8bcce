"""What a model says that an engine passes over, or cannot run: words of other products, and languages of scripts."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

from bpmn.document import BPMN, CAMUNDA, EXTENSIONS, OPERATON, walk

__all__ = ["find_missing_languages", "find_passed_over", "is_for_operaton"]

# Without a language a script is JUEL. The embedded engine has these two, and no others.
LANGUAGES = frozenset({"juel", "feel"})

_ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
_FLOWABLE = "{http://flowable.org/bpmn}"
_PLATFORM = "{http://camunda.org/schema/modeler/1.0}executionPlatform"
# Which attribute tells the language.
_LANGUAGE_OF = {
    f"{BPMN}scriptTask": "scriptFormat",
    f"{BPMN}conditionExpression": "language",
    **{f"{namespace}script": "scriptFormat" for namespace in EXTENSIONS},
}


def is_for_operaton(root: ElementTree.Element) -> bool:
    """Tell whether a model uses Operaton's own namespace; then it depends on the engine what it means."""
    return bool(_count(root, OPERATON))


def find_passed_over(root: ElementTree.Element, engine_version: str | None) -> list[str]:
    """Say for which other product a model was written. Camunda's versions begin with 7; None: not known."""
    said = []
    operaton = _count(root, OPERATON)
    if operaton and (engine_version or "").startswith("7."):
        said.append(
            f"written for Operaton: this engine, Camunda {engine_version}, passes over {_count_words(operaton)} of "
            f'{OPERATON.strip("{}")}; use xmlns:camunda="{CAMUNDA.strip("{}")}" instead'
        )
    zeebe = _count(root, _ZEEBE)
    if zeebe:
        said.append(
            f"written for Camunda 8: this engine passes over {_count_words(zeebe)} of {_ZEEBE.strip('{}')}; "
            "convert it to Camunda 7"
        )
    elif root.get(_PLATFORM) == "Camunda Cloud":
        said.append(
            "drawn for Camunda 8 (modeler:executionPlatform); what it means by that is not known to this engine"
        )
    if flowable := _count(root, _FLOWABLE):
        said.append(
            f"written for Flowable: this engine passes over {_count_words(flowable)} of {_FLOWABLE.strip('{}')}; "
            f'use xmlns:camunda="{CAMUNDA.strip("{}")}" instead'
        )
    return said


def find_missing_languages(root: ElementTree.Element) -> list[str]:
    """Name the scripts and conditions in languages that the embedded engine does not have."""
    return [
        f"{owner!r} has a script in {language!r}: an engine without this language fails whenever it gets there, "
        f"and the embedded one has only {', '.join(sorted(LANGUAGES))}"
        for owner, language in dict.fromkeys(_list_languages(root))
        if language.lower() not in LANGUAGES and "${" not in language
    ]


def _list_languages(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for element, owner in walk(root):
        if language := element.get(_LANGUAGE_OF.get(element.tag, ""), ""):
            yield owner, language


def _count(root: ElementTree.Element, namespace: str) -> int:
    return sum(
        element.tag.startswith(namespace) + sum(name.startswith(namespace) for name in element.attrib)
        for element in root.iter()
    )


def _count_words(count: int) -> str:
    return "1 attribute or element" if count == 1 else f"{count} attributes and elements"
