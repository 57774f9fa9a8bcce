"""The schemas of drafts: each is stored once by its hash, and read once by a process."""

import json
from collections import OrderedDict
from collections.abc import Mapping

import redis.asyncio

from forms.schema.paths import Json

__all__ = ["FormSchemas"]

MAX_KEPT = 256


class FormSchemas:
    """Schemas by hash; what a hash stands for never changes, so what was read is kept."""

    def __init__(self, client: redis.asyncio.Redis, prefix: str) -> None:
        self._redis = client
        self._prefix = prefix
        self._kept: OrderedDict[str, Mapping[str, Json]] = OrderedDict()

    def make_key(self, form_hash: str) -> str:
        return f"{self._prefix}:{form_hash}"

    def keep(self, form_hash: str, schema: Mapping[str, Json]) -> None:
        """Remember a schema that is known already."""
        self._kept[form_hash] = schema
        self._kept.move_to_end(form_hash)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    async def get(self, form_hash: str) -> Mapping[str, Json]:
        """Return the schema. Raises `KeyError` when it is not stored, `ValueError` for one that is no JSON."""
        if form_hash not in self._kept:
            written = await self._redis.get(self.make_key(form_hash))
            if written is None:
                raise KeyError(form_hash)
            self.keep(form_hash, json.loads(written))
        return self._kept[form_hash]
