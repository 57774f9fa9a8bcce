"""How long a text is for JavaScript and Telegram, which count what UTF-16 takes."""

__all__ = ["count_utf16"]


def count_utf16(text: str) -> int:
    """Sign beyond the first 65,536 count as two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
