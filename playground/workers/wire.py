"""What the front and a worker say to each other: messages of plain data, and frames as raw bytes.

Both directions use one connection for each worker. A message travels as a pickle (both ends are processes of this
server, and nobody else can connect); a frame as the number of its viewer and the bytes for the browser, which neither
end reads.
"""

from __future__ import annotations

import pickle
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Literal

from playground.engine.commands import Command
from playground.engine.orders import Refuse
from playground.glance import Glance, Looks
from playground.knobs import Value
from playground.lesson import Table
from playground.settings import Settings
from playground.workers.operations import Operation

if TYPE_CHECKING:
    from playground.workers.recipes import Recipe

# Where the second of two compared runs begins: at step 0, or at the step that is shown. "before": it is the first one
# as it is now, kept beside it when that one is continued from an earlier step; it differs in no knob.
Start = Literal["start", "here", "before"]

# From the front to a worker.


@dataclass(frozen=True)
class Begin:
    """The first message: the limits."""

    settings: Settings


@dataclass(frozen=True)
class Open:
    """Open a run of a bench, which may play from the beginning. With a `refusal`, a sentence, it fails instead."""

    run_id: str
    session: str
    bench: str
    config: Any
    cores: int
    refusal: str = ""
    plays: bool = False


@dataclass(frozen=True)
class Allow:
    """From now on a run that was opened with a refusal can be built."""

    run_id: str


@dataclass(frozen=True)
class OpenBeside:
    """Open a second run that is compared with an open one."""

    run_id: str
    leader_id: str
    start: Start
    knob: str
    value: Any


@dataclass(frozen=True)
class BringBack:
    """Open a run again whose worker was lost; `notice` is shown with it, and it is paused unless it `may_play`."""

    run_id: str
    session: str
    recipe: Recipe
    cores: int
    notice: str
    may_play: bool


@dataclass(frozen=True)
class Vary:
    """Give the second of two compared runs another value of the setting in which they differ."""

    run_id: str
    knob: str
    value: Any


@dataclass(frozen=True)
class Close:
    """Close a run; `reason` is the sentence for its viewers."""

    run_id: str
    reason: str


@dataclass(frozen=True)
class Tune:
    """Set live knobs of a running run."""

    run_id: str
    config: Any


@dataclass(frozen=True)
class Rebuild:
    """Build a run again from a config; with `plays`, it plays then."""

    run_id: str
    config: Any
    cores: int
    plays: bool = False


@dataclass(frozen=True)
class Do:
    """Obey a command, or show why a message was refused, perhaps a viewer's."""

    run_id: str
    command: Command | Refuse
    viewer: int | None


@dataclass(frozen=True)
class Attach:
    """Let a viewer watch a run; one that only reads does not replace the one that controls."""

    run_id: str
    viewer: int
    reads: bool
    keeps: bool = False  # its browser keeps what brings the run back


@dataclass(frozen=True)
class Detach:
    """A viewer has gone."""

    run_id: str
    viewer: int


@dataclass(frozen=True)
class AskFrame:
    """A viewer wants its next frame."""

    run_id: str
    viewer: int
    charts: tuple[str, ...]
    options: dict[str, bool]


@dataclass(frozen=True)
class Hold:
    """Let a run rest until it is let go, or let it go. One that `obeys` takes the commands of its viewer meanwhile."""

    run_id: str
    held: bool
    obeys: bool = False


@dataclass(frozen=True)
class GlanceAt:
    """Glance at a run again and again, or no longer."""

    run_id: str
    looks: Looks


@dataclass(frozen=True)
class SetPlace:
    """A run's place in the queue for playing; 0: it may play."""

    run_id: str
    place: int


@dataclass(frozen=True)
class MeasureThreads:
    """Measure how many torch threads a step of a CNN is to use on this many cores; the answer is ThreadTimes."""

    cores: int


@dataclass(frozen=True)
class NewDigits:
    """Other digits are on this machine now: read them again."""


@dataclass(frozen=True)
class CallRun:
    """Carry out an operation on a run; the answer is its result."""

    run_id: str
    operation: Operation[Any]
    both: bool


@dataclass(frozen=True)
class AskState:
    """The answer is the state of a run."""

    run_id: str


@dataclass(frozen=True)
class Draw:
    """Draw a still lab; the answer is a DrawnLab. `digest` and `number` are those of the last picture."""

    lab: str
    config: Any
    digest: bytes
    number: int


@dataclass(frozen=True)
class Compute:
    """Carry out an operation that needs no run; the answer is its result."""

    operation: Any


@dataclass(frozen=True)
class Restore:
    """Continue from a file, in a new run with this id; the answer is Restored or Loaded."""

    run_id: str
    session: str
    lesson: str
    content: bytes
    file_name: str
    cores: int
    replaces: str
    locked: Mapping[str, Value] = field(default_factory=dict)  # settings that the file may not change


@dataclass(frozen=True)
class RunReplay:
    """Repeat a shared run, in a new run with this id; the answer is None."""

    run_id: str
    session: str
    lesson: str
    config: Any
    at: str
    since: str
    threads: str
    cores: int


@dataclass(frozen=True)
class KeptBeside:
    """What a browser has kept of a run's second one, which gets this id."""

    run_id: str
    head: str
    state: bytes


@dataclass(frozen=True)
class ComeBack:
    """Bring back what a browser has kept, in a new run with this id; the answer is Returned.

    The page has the config, and the run was shown up to the step `last_step`.
    """

    run_id: str
    session: str
    bench: str
    config: Any
    head: str
    state: bytes
    last_step: int
    cores: int
    beside: KeptBeside | None = None


Question = CallRun | AskState | Draw | Compute | Restore | RunReplay | ComeBack


@dataclass(frozen=True)
class OpenAgain:
    """Open a run once more that was opened by a question, and was lost before its first recipe came."""

    asked: Restore | RunReplay | ComeBack
    config: Any


@dataclass(frozen=True)
class Request:
    """A question, with a number that its answer has, too."""

    number: int
    question: Question


# From a worker to the front.


@dataclass(frozen=True)
class Hello:
    """The first message: which worker this is."""

    number: int
    pid: int


@dataclass(frozen=True)
class Reply:
    """The answer to a request."""

    number: int
    result: Any


@dataclass(frozen=True)
class Refusal:
    """A request was refused with a sentence ("refused"), its run is gone ("unknown"), or it failed ("failed")."""

    number: int
    kind: Literal["refused", "unknown", "failed"]
    sentence: str


@dataclass(frozen=True)
class Copied:
    """What the browser of a viewer is to keep of its run; no state where it has it already."""

    viewer: int
    head: str
    state: bytes


@dataclass(frozen=True)
class Dismiss:
    """Close a viewer's socket, with its code and reason."""

    viewer: int
    code: int
    reason: str


@dataclass(frozen=True)
class Dropped:
    """A run is no longer open."""

    run_id: str
    reason: str


@dataclass(frozen=True)
class Glanced:
    """What a wall of many boards sees of a run."""

    run_id: str
    glance: Glance


@dataclass(frozen=True)
class AskPlace:
    """A run wants to play."""

    run_id: str


@dataclass(frozen=True)
class ReleasePlace:
    """A run no longer wants to play."""

    run_id: str


@dataclass(frozen=True)
class Kept:
    """From what a run would come back."""

    run_id: str
    recipe: Recipe


@dataclass(frozen=True)
class ThreadTimes:
    """The measured seconds of a CNN's step, by number of torch threads."""

    seconds: dict[int, float]


@dataclass(frozen=True)
class Report:
    """A sign of life: the cores in use, and the megabytes of memory that the worker's runs have taken."""

    cores: float
    megabytes: float


# Answers.


@dataclass(frozen=True)
class DrawnLab:
    """What a still lab shows: its charts as a frame with their digest and number, and the rest of its sheet."""

    frame: bytes
    digest: bytes
    number: int
    note: str
    tables: tuple[Table, ...]
    line: str
    answer: str


@dataclass(frozen=True)
class Restored:
    """A run that continues from a checkpoint, in the place of the one before."""

    run_id: str
    config: Any
    step: int
    checksum: str


@dataclass(frozen=True)
class Loaded:
    """The weights of a file, and whether they were assigned in order instead of by name; the run stays the same."""

    checksum: str
    in_order: bool


@dataclass(frozen=True)
class Returned:
    """A run that comes back from its browser, and the one beside it; without an id where the page needs another run."""

    run_id: str = ""
    second: OpenBeside | None = None


PICKLE_PROTOCOL = 5  # both ends are the same Python
_FRAME, _MESSAGE = b"f", b"m"
_HEADER = 9  # bytes before a frame: its kind and the number of its viewer


def pack(message: Any) -> bytes:
    """A message as bytes."""
    return _MESSAGE + pickle.dumps(message, PICKLE_PROTOCOL)


def pack_frame(viewer: int, frame: bytes) -> bytes:
    """A frame for a viewer as bytes."""
    return b"".join((_FRAME, viewer.to_bytes(_HEADER - 1, "little"), frame))


def unpack(packed: bytes) -> Any:
    """A message, or the pair of a viewer's number and its frame."""
    if packed[:1] == _FRAME:
        return int.from_bytes(packed[1:_HEADER], "little"), packed[_HEADER:]
    return pickle.loads(memoryview(packed)[1:])


class Outbox:
    """Sends what is posted, in order, from a thread of its own, so that nobody waits for the other end.

    Before a connection is known, what is posted waits.
    """

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def post(self, message: Any) -> None:
        """Send a message."""
        self._waiting.put(pack(message))

    def post_frame(self, viewer: int, frame: bytes) -> None:
        """Send a frame for a viewer."""
        self._waiting.put(pack_frame(viewer, frame))

    def start(self, connection: Connection, name: str, failed: Callable[[], None]) -> None:
        """Send from now on; `failed` is called when the other end has gone."""
        threading.Thread(target=self._send_all, args=(connection, failed), name=name, daemon=True).start()

    def close(self) -> None:
        """Send nothing more after what waits."""
        self._waiting.put(None)

    def _send_all(self, connection: Connection, failed: Callable[[], None]) -> None:
        try:
            while (item := self._waiting.get()) is not None:
                connection.send_bytes(item)
        except OSError:  # the other end has gone
            failed()
