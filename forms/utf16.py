"""How long a text is for JavaScript and Telegram, which count what UTF-16 takes."""

__all__ = ["utf16_length"]


def utf16_length(text: str) -> int:
    """Signs beyond the first 65,536 count as two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
