"""The place of a PostgreSQL database, in the words of the engine (JDBC) and of libpq."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["Database"]


@dataclass(frozen=True, slots=True)
class Database:
    """Where the engine keeps its state; `jdbc_url` is jdbc:postgresql://host:port/name."""

    jdbc_url: str
    user: str
    password: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Database":
        return cls(
            environment["POSTGRES_JDBC_URL"],
            environment.get("POSTGRES_USER", "postgres"),
            environment.get("POSTGRES_PASSWORD", ""),
        )

    def to_environment(self) -> dict[str, str]:
        return {
            "POSTGRES_JDBC_URL": self.jdbc_url,
            "POSTGRES_USER": self.user,
            "POSTGRES_PASSWORD": self.password,
        }

    def of_sibling(self, name: str) -> "Database":
        """Return another database of the same server."""
        place = urlsplit(self.jdbc_url.removeprefix("jdbc:"))._replace(path=f"/{name}")
        return Database(f"jdbc:{place.geturl()}", self.user, self.password)
