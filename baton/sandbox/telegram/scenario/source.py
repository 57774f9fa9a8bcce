"""Python source from values: names, text literals and calls that fit into lines."""

import re
from collections.abc import Sequence
from keyword import iskeyword

__all__ = ["LINE", "make_name", "split_pieces", "write_call", "write_data_lines", "write_literal"]

LINE = 120
_PIECE = 96
_NO_NAME = re.compile(r"[^a-z0-9]+")


def make_name(words: str, otherwise: str) -> str:
    """Return an identifier that reads like the words; `otherwise` when they have no Latin letters."""
    name = _NO_NAME.sub("_", words.lower()).strip("_")[:40].rstrip("_")
    if not name or name[0].isdigit() or iskeyword(name):
        return otherwise
    return name


def write_literal(text: str) -> str:
    """Return the text in quotes; what does not print (control characters, marks of direction) is escaped."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return f"{quote}{''.join(_escape(sign, quote) for sign in text)}{quote}"


def _escape(sign: str, quote: str) -> str:
    if sign in {quote, "\\"}:
        return f"\\{sign}"
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode()


def write_call(function: str, arguments: Sequence[str | tuple[str, str]], indent: str) -> str:
    """Return a call on one line, or with one argument a line. A pair is a name and a text, which may be long, or an
    empty name
    and the text; a string is source as it stands.
    """
    whole = ", ".join(_write_argument(argument) for argument in arguments)
    if len(indent) + len(function) + len(whole) + 2 <= LINE:
        return f"{indent}{function}({whole})"
    inner = indent + "    "
    lines = [line for argument in arguments for line in _wrap_lines(argument, inner)]
    return "\n".join([f"{indent}{function}(", *lines, f"{indent})"])


def _write_argument(argument: str | tuple[str, str]) -> str:
    if isinstance(argument, str):
        return argument
    name, text = argument
    return f"{name}={write_literal(text)}" if name else write_literal(text)


def _wrap_lines(argument: str | tuple[str, str], indent: str) -> list[str]:
    whole = f"{indent}{_write_argument(argument)},"
    if isinstance(argument, str) or len(whole) <= LINE:
        return [whole]
    name, text = argument
    pieces = [f"{indent}{write_literal(piece)}" for piece in split_pieces(text)]
    if name:
        pieces = [f"{indent}{name}=(", *(f"    {piece}" for piece in pieces), f"{indent})"]
    pieces[-1] += ","
    return pieces


def split_pieces(text: str) -> list[str]:
    """Cut after line ends, else after spaces; no piece is too long once it is a literal."""
    pieces = [""]
    for word in re.findall(r"[^\s]+\s*|\s+", text):
        for start in range(0, len(word), _PIECE // 10):  # one sign is ten at most when it is escaped
            part = word[start : start + _PIECE // 10]
            if len(write_literal(pieces[-1] + part)) > _PIECE:
                pieces.append("")
            pieces[-1] += part
        if "\n" in word:
            pieces.append("")
    return [piece for piece in pieces if piece]


def write_data_lines(name: str, encoded: str) -> list[str]:
    """Return a constant of bytes from their Base64."""
    if len(encoded) <= _PIECE:
        return [f'{name} = b64decode("{encoded}")']
    pieces = [encoded[start : start + _PIECE] for start in range(0, len(encoded), _PIECE)]
    return [f"{name} = b64decode(", *(f'    "{piece}"' for piece in pieces), ")"]
