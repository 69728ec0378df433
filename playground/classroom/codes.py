"""The code of a class: six letters that are read aloud, typed, and part of its address."""

from __future__ import annotations

import re
import secrets

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # consonants: 64 million codes, and none of them is a word
LENGTH = 6
CODE = re.compile(f"[{LETTERS}]{{{LENGTH}}}")


def is_code(text: object) -> bool:
    """Whether this is the code of a class, in capital letters."""
    return isinstance(text, str) and CODE.fullmatch(text) is not None


def new_code() -> str:
    """A random code. A teacher's browser draws its own, so that a balancer knows it from the first request."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
