"""How often something may happen: messages of a browser, joins of a class, wrong codes from one address."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable

Clock = Callable[[], float]
MAX_ADDRESSES = 10_000  # that are remembered
WAIT_SECONDS = 20.0  # after too many wrong codes
MINUTE = 60.0


class Bucket:
    """A bucket that refills at a steady rate and holds `most`."""

    def __init__(self, rate: float, most: float, clock: Clock) -> None:
        self.rate, self.most, self._clock = rate, most, clock
        self._left, self._at = most, clock()

    def take(self) -> bool:
        """Use one; False when none is left."""
        self._refill()
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def reserve(self, longest: float) -> float | None:
        """Use one, now or later: the seconds to wait for it; None if that is longer than `longest`."""
        self._refill()
        wait = max(0.0, 1 - self._left) / self.rate
        if wait > longest:
            return None
        self._left -= 1
        return wait

    def _refill(self) -> None:
        now = self._clock()
        self._left = min(self.most, self._left + (now - self._at) * self.rate)
        self._at = now


class WrongCodes:
    """Slows down an address that tries codes.

    A school has one address for all: where somebody has joined a class from it, this class stays open to it.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()
        self._waits: dict[str, float] = {}
        self._joined: dict[str, set[str]] = {}  # the addresses from which somebody has joined, by code

    def wait(self, address: str, code: str) -> int:
        """The seconds until this address may try this code; 0: now."""
        group = address_group(address)
        if group in self._joined.get(code, ()):
            return 0
        left = self._waits.get(group, 0.0) - self._clock()
        return max(0, int(left) + 1) if left > 0 else 0

    def wrong(self, address: str) -> None:
        """Count a wrong code of an address."""
        group, now = address_group(address), self._clock()
        times = [time for time in self._wrong.pop(group, []) if now - time < MINUTE]
        times.append(now)
        if len(times) > self._per_minute:
            self._waits[group] = now + WAIT_SECONDS
            times = times[-self._per_minute :]
        self._wrong[group] = times
        while len(self._wrong) > MAX_ADDRESSES:
            oldest, _ = self._wrong.popitem(last=False)
            self._waits.pop(oldest, None)

    def joined(self, address: str, code: str) -> None:
        """Remember that somebody has joined a class from this address."""
        addresses = self._joined.setdefault(code, set())
        if len(addresses) < MAX_ADDRESSES:
            addresses.add(address_group(address))

    def forget(self, code: str) -> None:
        """Forget the addresses of a class that has ended."""
        self._joined.pop(code, None)


def address_group(address: str) -> str:
    """An address, or for version 6 the network that one customer has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
    return str(found)
