"""What tasks and processes are called, in the words of their models."""

from dataclasses import dataclass

from bot.engine_api import OpenTask
from bpmn.catalog import Catalog

__all__ = ["Titles"]


@dataclass(frozen=True, slots=True)
class Titles:
    """What tasks are called in a language, from the models' own metadata."""

    catalog: Catalog

    def of(self, task: OpenTask, locale: str) -> str:
        """Return the local title of a task, else its name."""
        model = self.catalog.processes.get(task.process_key)
        for drawn in model.user_tasks if model else ():
            if drawn.id == task.key:
                return drawn.properties.get(f"baton.title.{locale}") or drawn.properties.get("baton.title") or task.name
        return task.name

    def of_process(self, key: str, locale: str) -> str:
        """Return the local title of a process, else its key."""
        model = self.catalog.processes.get(key)
        return model.find_title(locale) if model is not None else key
