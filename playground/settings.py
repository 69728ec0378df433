"""The limits of one server, each a named setting with the environment variable that sets it."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from playground.cores import available_cores, available_memory

DATA = "PLAYGROUND_DATA"  # the folder of MNIST, which is no limit
PREFIX = "PLAYGROUND_"
MAX_SHOWN_CHARACTERS = 200  # of a wrong value
LOT = 1_000_000_000  # a limit that nobody wants to reach
MAX_PORT = 65_535
VISITORS_PER_CORE = 15  # all of whom train at once
DEFAULT_PORTS = {"http": "80", "https": "443"}
ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([a-z0-9_~.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?")

# The sentences with which a start ends.
NOT_A_NUMBER = "{name} is “{text}”; it takes a {kind} from {least:,} to {most:,} ({meaning})."
NOT_AN_ORIGIN = (
    "{name} is “{text}”; it takes addresses such as https://school.example, separated by commas ({meaning}), and "
    "“{part}” is not one."
)
NOT_A_PROXY = (
    "{name} is “{text}”; it takes addresses or networks such as 10.0.0.0/8, separated by commas, or * for all "
    "({meaning}), and “{part}” is not one."
)
PRIVATE = "127.0.0.0/8, ::1/128, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, fc00::/7, fe80::/10"
EVERY_ORIGIN = "*"
EVERYBODY = ("0.0.0.0/0", "::/0")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NOT_A_FOLDER = {
    "file": "{name} is “{text}”, which is a file; it takes a folder ({meaning}).",
    "below a file": "{name} is “{text}”, which is below a file; it takes a folder ({meaning}).",
    "not readable": "{name} is “{text}”, which this user may not read; it takes a folder ({meaning}).",
    "not a path": "{name} is “{text}”, which cannot be a path; it takes a folder ({meaning}).",
}
SHORT_SECRET = "{name} has {length} characters; it takes {least} or more, drawn at random ({meaning})."
MIN_SECRET_LENGTH = 16
NOT_NAMES = "{name} is “{text}”; it takes own, offered or numbers ({meaning})."
CLASS_NAMES = ("", "own", "offered", "numbers")
DATA_MEANING = "where the four MNIST files are, and where a download puts them"
# A line of the log.
UNKNOWN = "{name} is not a setting and has no effect. Did you mean {closest}?"


def normal_origin(text: str) -> str | None:
    """An origin as browsers write it, such as "https://school.example:8443"; None if the text is not one.

    Lower case, without the scheme's own port; a name with other letters than ASCII in its coded form.
    """
    scheme, separator, host = text.lower().partition("://")
    try:
        match = ORIGIN.fullmatch(scheme + separator + (host if host.isascii() else host.encode("idna").decode()))
    except UnicodeError:
        return None
    if match is None:
        return None
    scheme, host, port = match.groups()
    if port is not None and not 1 <= int(port) <= MAX_PORT:
        return None
    return f"{scheme}://{host}" if port in (None, DEFAULT_PORTS.get(scheme)) else f"{scheme}://{host}:{port}"


def _setting(default: float | int | str, variable: str, meaning: str, least: float = 1, most: float = LOT) -> Any:
    return field(default=default, metadata={"variable": variable, "meaning": meaning, "least": least, "most": most})


@dataclass(frozen=True)
class Settings:
    """The limits of the engine and the server."""

    core_limit: int = _setting(0, "PLAYGROUND_CORES", "cores to compute on; 0: as many as the server may use", 0, 1_024)
    workers: int = _setting(
        0,
        "PLAYGROUND_WORKERS",
        "worker processes; 0: one for each core, less one where there are more than two",
        0,
        1_024,
    )
    torch_threads: int = _setting(1, "PLAYGROUND_TORCH_THREADS", "threads that one torch operation may use", 1, 64)
    max_runs: int = _setting(64, "PLAYGROUND_MAX_RUNS", "runs that train at once; more wait in a queue")
    max_visitors: int = _setting(
        0, "PLAYGROUND_MAX_VISITORS", "open pages from which on a replica is full; 0: 15 for each core", 0
    )
    drain_seconds: float = _setting(
        0.0, "PLAYGROUND_DRAIN_SECONDS", "seconds in which a stopped replica sends its pages to others", 0, 600
    )
    runs_per_session: int = _setting(7, "PLAYGROUND_RUNS_PER_SESSION", "runs one browser session keeps")
    memory_mb: int = _setting(
        0, "PLAYGROUND_MEMORY_MB", "megabytes that all open runs may hold; 0: half of what the server may use", 0
    )
    max_parameters: int = _setting(2_000_000, "PLAYGROUND_MAX_PARAMETERS", "parameters of one model")
    max_points: int = _setting(5_000, "PLAYGROUND_MAX_POINTS", "data points of one run")
    max_run_mb: int = _setting(64, "PLAYGROUND_MAX_RUN_MB", "megabytes of snapshots one run keeps")
    run_seconds: int = _setting(1_800, "PLAYGROUND_RUN_SECONDS", "seconds of training before a run is paused")
    idle_minutes: float = _setting(10.0, "PLAYGROUND_IDLE_MINUTES", "minutes until an unwatched run is closed", 0.01)
    kept_kb: int = _setting(
        4_000, "PLAYGROUND_KEPT_KB", "kilobytes of a run's state that its browser keeps at most; 0: none", 0, 4_000
    )
    return_seconds: int = _setting(
        120, "PLAYGROUND_RETURN_SECONDS", "seconds that a run may train again to come back from its browser", 1, 3_600
    )
    frame_rate: float = _setting(30.0, "PLAYGROUND_FRAME_RATE", "frames a second one viewer gets at most", 1, 240)
    loaders: int = _setting(1, "PLAYGROUND_LOADERS", "visitors whose data loading workers run at once; 0: none", 0, 64)
    origins: str = _setting("", "PLAYGROUND_ORIGINS", "more addresses at which students open the app")
    embed: str = _setting("", "PLAYGROUND_EMBED", "sites whose pages may show the app in a frame")
    proxies: str = _setting("", "PLAYGROUND_PROXIES", "proxies that are believed; empty: those in private networks")
    secret: str = _setting("", "PLAYGROUND_SECRET", "what makes the tokens of classes; all replicas need the same one")
    classes: int = _setting(20, "PLAYGROUND_CLASSES", "live classes at once; 0: none", 0, 1_000)
    class_seats: int = _setting(300, "PLAYGROUND_CLASS_SEATS", "students in one class", 1, 2_000)
    class_names: str = _setting("", "PLAYGROUND_CLASS_NAMES", "own, offered or numbers: the most that a class may use")
    class_name_letters: int = _setting(16, "PLAYGROUND_CLASS_NAME_LETTERS", "letters of a student's name", 4, 40)
    class_joins: int = _setting(20, "PLAYGROUND_CLASS_JOINS", "students who may join a class in a second", 1, 1_000)
    class_acts: int = _setting(5, "PLAYGROUND_CLASS_ACTS", "acts of one student in a second", 1, 100)
    class_wrong_codes: int = _setting(
        10, "PLAYGROUND_CLASS_WRONG_CODES", "wrong codes a minute from one address, before it waits 20 s", 1, 10_000
    )
    class_snapshots: int = _setting(200, "PLAYGROUND_CLASS_SNAPSHOTS", "snapshots a teacher may keep", 0, 1_000)
    class_hours: float = _setting(8.0, "PLAYGROUND_CLASS_HOURS", "hours until a class is ended", 0.1, 24)
    class_away_minutes: float = _setting(
        30.0, "PLAYGROUND_CLASS_AWAY_MINUTES", "minutes without any teacher's device until a class is ended", 0.1, 600
    )

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings from the environment. Raises ValueError that names a variable with an illegal value."""
        values: dict[str, Any] = {}
        for item in fields(cls):
            text = os.environ.get(item.metadata["variable"], "").strip()
            if text:
                values[item.name] = _number(text, str(item.type), item.metadata) if item.type != "str" else text
        settings = cls(**values)
        _check_lists(settings)
        _check_class(settings)
        check_data_folder(os.environ.get(DATA, "").strip())
        return settings

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Each environment variable and its default."""
        return {item.metadata["variable"]: f"{item.default:g}" if isinstance(item.default, float) else str(item.default)
                for item in fields(cls)}  # fmt: skip

    @property
    def cores(self) -> int:
        """The number of cores that training may use."""
        return self.core_limit or available_cores()

    @property
    def worker_count(self) -> int:
        """The number of worker processes."""
        return self.workers or (self.cores - 1 if self.cores > 2 else self.cores)

    @property
    def visitor_limit(self) -> int:
        """The number of open pages from which on a balancer sends new visitors elsewhere."""
        return self.max_visitors or VISITORS_PER_CORE * self.cores

    @property
    def memory_limit_mb(self) -> int:
        """The megabytes that all open runs together may hold."""
        return self.memory_mb or max(1, available_memory() // 2**21)

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins of `origins` as browsers write them; what is not an origin is left out.

        One such as "https://*.school.example" stands for all names below it.
        """
        return frozenset(found for part in _parts(self.origins) if (found := _origin(part)))

    @property
    def embedding_sites(self) -> tuple[str, ...]:
        """The origins of `embed`, in the form of a Content-Security-Policy."""
        return tuple(dict.fromkeys(found for part in _parts(self.embed) if (found := _origin(part))))

    @property
    def trusted_proxies(self) -> tuple[Network, ...]:
        """The networks of `proxies`; what is not an address is left out."""
        named = [each for part in _parts(self.proxies) for each in _networks(part)]
        return tuple(named) or _networks(PRIVATE)

    def free_cores(self, training: int) -> int:
        """The number of cores that are free while `training` runs train on one each; at least one."""
        return max(1, self.cores - training)


def unknown_variables(names: Iterable[str]) -> list[str]:
    """A sentence for each name that looks like a misspelled setting."""
    known = [*Settings.variables(), DATA]
    likely = {name: get_close_matches(name, known, 1, 0.8) for name in sorted(set(names) - set(known))}
    return [
        UNKNOWN.format(name=name, closest=closest[0])
        for name, closest in likely.items()
        if name.startswith(PREFIX) and closest
    ]


def _number(text: str, kind: str, of: Mapping[str, Any]) -> float:
    """A number within its bounds. Raises ValueError with a sentence."""
    name, least, most = of["variable"], of["least"], of["most"]
    try:
        value = int(text) if kind == "int" else float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        words = "whole number" if kind == "int" else "number"
        raise ValueError(
            NOT_A_NUMBER.format(
                name=name, text=shortened(text), kind=words, least=least, most=most, meaning=of["meaning"]
            )
        )
    return value


def is_listed(origin: str, allowed: Collection[str]) -> bool:
    """Whether an origin, as `normal_origin` writes it, is one of these, or below a name that begins with "*."."""
    if origin in allowed or EVERY_ORIGIN in allowed:
        return True
    scheme, _, host = origin.partition("://")
    parts = host.split(".")
    return any(f"{scheme}://*.{'.'.join(parts[at:])}" in allowed for at in range(1, len(parts)))


def _parts(listed: str) -> list[str]:
    return [part.strip() for part in listed.split(",") if part.strip()]


def _origin(text: str) -> str | None:
    """An address at which a page can be opened; its name may begin with "*.", for all names below."""
    scheme, separator, host = text.removesuffix("/").partition("://")
    found = normal_origin(scheme + separator + host.removeprefix("*."))
    if found is None or not found.startswith(("http://", "https://")):
        return None
    return found.replace("://", "://*.", 1) if host.startswith("*.") else found


def _networks(text: str) -> tuple[Network, ...]:
    """The networks of a list of addresses; none where one of them is no address."""
    try:
        return tuple(
            ipaddress.ip_network(part, strict=False)
            for each in _parts(text)
            for part in (EVERYBODY if each == "*" else (each,))
        )
    except ValueError:
        return ()


def _check_lists(settings: Settings) -> None:
    for name, read, sentence in (
        ("origins", _origin, NOT_AN_ORIGIN),
        ("embed", _origin, NOT_AN_ORIGIN),
        ("proxies", _networks, NOT_A_PROXY),
    ):
        (item,) = (each for each in fields(settings) if each.name == name)
        text = getattr(settings, name)
        for part in _parts(text):
            if not read(part):
                raise ValueError(
                    sentence.format(
                        name=item.metadata["variable"], text=shortened(text), part=shortened(part),
                        meaning=item.metadata["meaning"],
                    )
                )  # fmt: skip


def _check_class(settings: Settings) -> None:
    named = {item.name: item.metadata for item in fields(settings)}
    if settings.class_names not in CLASS_NAMES:
        of = named["class_names"]
        text = shortened(settings.class_names)
        raise ValueError(NOT_NAMES.format(name=of["variable"], text=text, meaning=of["meaning"]))
    if 0 < len(settings.secret) < MIN_SECRET_LENGTH:  # the sentence does not repeat it: it would stand in a log
        of, length = named["secret"], len(settings.secret)
        sentence = SHORT_SECRET.format(
            name=of["variable"], length=length, least=MIN_SECRET_LENGTH, meaning=of["meaning"]
        )
        raise ValueError(sentence)


def check_data_folder(text: str) -> None:
    """Raise ValueError with a sentence if this can't be the folder of MNIST; one that does not exist yet can."""
    if text and (fault := _fault_of_folder(Path(text))):
        raise ValueError(NOT_A_FOLDER[fault].format(name=DATA, text=shortened(text), meaning=DATA_MEANING))


def _fault_of_folder(path: Path) -> str:
    """Why a path is not a usable folder: a key of NOT_A_FOLDER; "" if it is one, or may become one."""
    try:
        folder = path.expanduser().absolute()
        if folder.is_dir():
            return "" if os.access(folder, os.R_OK | os.X_OK) else "not readable"
        if folder.exists():
            return "file"
        above = next(each for each in folder.parents if each.exists())
        return "" if above.is_dir() else "below a file"
    except PermissionError:
        return "not readable"
    except (OSError, RuntimeError, ValueError):  # too long, the home of an unknown user, a zero byte
        return "not a path"


def shortened(text: str) -> str:
    """At most 200 characters of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN_CHARACTERS else f"{line[: MAX_SHOWN_CHARACTERS - 1]}…"
