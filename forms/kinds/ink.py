"""Whether a text shows anything: some letters have no ink, and blanks of many kinds have none."""

__all__ = ["has_ink"]

# Signs without ink that count as letters: Telegram takes a text of nothing else for an empty one.
_WITHOUT_INK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def has_ink(text: str) -> bool:
    """Tell whether there is anything to see."""
    return any(sign.isprintable() and not sign.isspace() and sign not in _WITHOUT_INK for sign in text)
