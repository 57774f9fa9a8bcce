"""All that a Redis holds, whatever its type."""

from typing import Any

import redis.asyncio

__all__ = ["kept_in_redis"]


async def kept_in_redis(client: redis.asyncio.Redis, text: str) -> list[str]:
    """The keys which hold a text somewhere, or have it in their names."""
    return [str(key) async for key in client.scan_iter(count=1000) if text in f"{key} {await _value(client, key)}"]


async def _value(client: redis.asyncio.Redis, key: Any) -> object:
    match await client.type(key):
        case "string":
            return await client.get(key)
        case "list":
            return await client.lrange(key, 0, -1)
        case "set":
            return await client.smembers(key)
        case "zset":
            return await client.zrange(key, 0, -1)
        case "hash":
            return await client.hgetall(key)
        case "stream":
            groups = [await client.xinfo_consumers(key, group["name"]) for group in await client.xinfo_groups(key)]
            return await client.xrange(key), groups
        case "none":  # it ended meanwhile
            return None
        case other:
            raise AssertionError(f"{key} is a {other}: teach this to read it")
