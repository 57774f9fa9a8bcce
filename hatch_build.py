"""Puts the engine's sources into the wheel; an editable installation finds them in the checkout."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class EngineSources(BuildHookInterface[Any]):
    """A `force-include` in pyproject.toml would lay a second `baton` beside the editable one."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling; `version` is "standard" or "editable"."""
        if self.target_name != "wheel" or version != "standard":
            return
        for part in ("pom.xml", "src", "m2"):
            build_data["force_include"][f"engine/{part}"] = f"baton/_engine/{part}"
