"""Tokens: what a browser shows to be a teacher, the projector or a student of one class.

A token is a keyed hash of what it stands for, so a server that has restarted with the same secret knows it again:

    <role>.<number>.<epoch>.<start of the class>.<128 bits of the hash>

`number` is a device or a seat. `epoch` counts how often all tokens of the teacher were changed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson

Role = Literal["teacher", "projector", "student"]
LETTERS: dict[str, Role] = {"t": "teacher", "p": "projector", "s": "student"}
HASH_BYTES = 16
SECRET_BYTES = 32
FILE = "class-secret"
MAX_LENGTH = 80
TOKEN = re.compile(r"([tps])\.(\d{1,6})\.(\d{1,6})\.([0-9a-f]{1,12})\.([\w-]{22})", re.ASCII)


@dataclass(frozen=True)
class Pass:
    """What a token stands for."""

    role: Role
    number: int  # of the device or the seat; 0 for the projector
    epoch: int
    began: int  # when the class was started, in seconds since 1970


class Keys:
    """Makes and reads tokens and seals. Without a `secret` it draws one, which ends with the process."""

    def __init__(self, secret: bytes = b"") -> None:
        self.outlives_process = bool(secret)
        self._key = hashlib.sha256(b"playground classroom " + secret).digest() if secret else secrets.token_bytes(32)

    def token(self, code: str, granted: Pass) -> str:
        """The token of a pass to the class with this code."""
        return f"{self._fields(granted)}.{self._hash('token', code, self._fields(granted))}"

    def read(self, code: str, token: object) -> Pass | None:
        """What a token stands for; None if it was not made for this class with this key."""
        if not isinstance(token, str) or len(token) > MAX_LENGTH or not (match := TOKEN.fullmatch(token)):
            return None
        letter, number, epoch, began, _ = match.groups()
        found = Pass(LETTERS[letter], int(number), int(epoch), int(began, 16))
        return found if hmac.compare_digest(token, self.token(code, found)) else None

    def seal(self, *what: object) -> str:
        """A hash over JSON data, which shows later that this server has written it."""
        return self._hash("seal", *what)

    def is_sealed(self, seal: object, *what: object) -> bool:
        """Whether this seal was made for exactly this data."""
        return isinstance(seal, str) and seal.isascii() and hmac.compare_digest(seal, self.seal(*what))

    @staticmethod
    def _fields(granted: Pass) -> str:
        return f"{granted.role[0]}.{granted.number}.{granted.epoch}.{granted.began:x}"

    def _hash(self, *what: object) -> str:
        digest = hmac.digest(self._key, orjson.dumps(what, option=orjson.OPT_SORT_KEYS), "sha256")
        return base64.urlsafe_b64encode(digest[:HASH_BYTES]).rstrip(b"=").decode()


def secret_of(setting: str, folder: Path) -> bytes:
    """The server's secret: the setting, or else a file in a folder that is written once; b"" where neither is there.

    Without a secret the tokens of a class end with the process.
    """
    if setting:
        return setting.encode()
    path = folder / FILE
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{FILE}.{os.getpid()}.{secrets.token_hex(4)}")
        if not path.exists():
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(secrets.token_hex(SECRET_BYTES).encode())
                with suppress(FileExistsError):
                    os.link(new, path)  # the first of several servers that start at the same time writes it
            finally:
                new.unlink()
    with suppress(OSError):
        found = path.read_bytes()
        if len(found) == 2 * SECRET_BYTES:
            return found
    return b""
