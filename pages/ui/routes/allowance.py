"""How much a browser may send: messages of one socket, and the body of a request."""

from __future__ import annotations

import time

from starlette.requests import ClientDisconnect, Request

TOO_MANY = "Too many messages. Reload the page to continue."


class BadMessage(ValueError):
    """A message that breaks the protocol: the socket is closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Allowance:
    """How many messages a viewer may still send: a bucket that refills at a steady rate."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._left = 2 * rate
        self._at = time.monotonic()

    def take(self) -> None:
        """Use one message. Raises BadMessage when none is left."""
        now = time.monotonic()
        self._left = min(2 * self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        self._left -= 1
        if self._left < 0:
            raise BadMessage(4429, TOO_MANY)


async def sent_body(request: Request, most: int) -> bytes | None:
    """The body of a request; None where it has more than `most` bytes, or its browser has gone."""
    content = bytearray()
    try:
        async for part in request.stream():
            content += part
            if len(content) > most:
                return None
    except ClientDisconnect:
        return None
    return bytes(content)
