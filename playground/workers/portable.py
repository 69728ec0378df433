"""From what a run comes back after its server has gone: its recipe as its own browser keeps it.

    head    a text in JSON: the settings, the player, what was done since the state (or since step 0), and a checksum
    state   the file of a checkpoint, of a run that has trained for a while, or in which more than knobs was changed

A browser can send anything, so all of it is read as an uploaded file is: sizes first, then each value by the reader
that exists for it (`Config.parse`, `read_command`, `replay.read`, `checkpoint.load`). Every refusal is a sentence.
Without its state, a run in which only knobs were changed trains again from step 0.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import time
import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from playground.engine.commands import MAX_STEPS, Command, read_command, written
from playground.engine.open_run import OpenRun
from playground.knobs import Config, as_text
from playground.lessons import BENCHES
from playground.runs import state_checks as check
from playground.runs.checksums import CHECKSUM_DIGITS, arrays_in, checksum, digest
from playground.runs.journal import Change, only_knobs
from playground.runs.past import Past
from playground.runs.training_run import TrainingRun
from playground.saving import checkpoint, replay
from playground.saving.replay import Replay
from playground.settings import Settings
from playground.training.devices import MAX_THREADS
from playground.workers import messages
from playground.workers.recipes import (
    MAX_ACTS,
    NOTICE_SECONDS,
    Act,
    Begun,
    Beside,
    ComingBack,
    Holding,
    Origin,
    Recipe,
    RecipeError,
    Saved,
    packed,
    problem_of,
    repeat,
)

VERSION = 1
MAX_HEAD = 300_000  # characters
MAX_LOOKS = 40
MAX_CHANGES = 200  # of knobs, as many as a journal keeps
MAX_SIDE = 256  # pixels of a picture of the student's own
MAX_FURTHER_STEPS = 1_000_000  # after those that are noted: what was shown since then
DIGITS = 16  # of the digest of a state
CHECKSUM = re.compile(rf"[0-9a-f]{{{CHECKSUM_DIGITS}}}")
OPTIONAL = {"start", "state", "story", "known", "beside"}
NEEDED = {"version", "run", "bench", "config", "steps", "outcome", "player", "acts", "looks", "second"}


class NotPortable(ValueError):
    """What was done to a run cannot be said in this form: its state must be kept."""


@dataclass(frozen=True)
class Known:
    """The checksum of a run's weights, or of all that it trains, at a step, after a number of its acts."""

    steps: int
    acts: int
    checksum: str


@dataclass(frozen=True)
class Story:
    """How knobs alone led from step 0 to where a run is: its first config and threads, and each change."""

    start: Change
    changes: tuple[Change, ...]

    @classmethod
    def of(cls, run: Any) -> Story | None:
        """The story of a run; None for one in which more than knobs was changed, or that keeps no journal."""
        if not isinstance(run, TrainingRun):
            return None
        journal = run.journal
        changes = tuple(journal.changes)
        return cls(journal.start, changes) if only_knobs(journal.start, changes, journal.saved) else None


@dataclass(frozen=True)
class Kept:
    """What a browser has kept of a run: its name, from what it comes back, and what is not in a recipe."""

    run_id: str
    recipe: Recipe
    known: Known | None = None
    looks: tuple[Act, ...] = ()  # what was looked at last
    second: str = ""  # how a second run was opened beside it
    has_state: bool = True  # or else it trains again from step 0


# Writing.


def is_portable(origin: Origin | None) -> bool:
    """Whether a run's beginning can be said without a state: step 0 of a config, on points that nobody has changed."""
    return isinstance(origin, Begun) and (origin.edits is None or origin.edits == type(origin.edits)())


def write(
    run_id: str,
    recipe: Recipe,
    origin: Begun | Saved,
    *,
    story: Story | None = None,
    known: Known | None = None,
    looks: tuple[Act, ...] = (),
    second: str = "",
) -> str:
    """The head of a run; the acts of its recipe, and those that are known, count from this origin.

    Raises NotPortable.
    """
    beside = recipe.beside
    head: dict[str, Any] = {
        "version": VERSION,
        "run": run_id,
        "bench": recipe.bench,
        "config": recipe.config.as_texts(),
        "steps": recipe.steps,
        "outcome": recipe.outcome,
        "player": {"state": recipe.state, "owed": recipe.owed, "speed": recipe.speed},
        "acts": [_written(act) for act in recipe.acts],
        "looks": [_written(act) for act in looks],
        "second": second,
    }
    if beside is not None:
        head["beside"] = {
            "start": beside.start, "knob": beside.knob, "value": as_text(beside.value), "done": beside.done,
        }  # fmt: skip
    if isinstance(origin, Saved):
        head["state"] = {"bytes": len(origin.checkpoint), "digest": digest_of(origin.checkpoint)}
        if story is not None:
            head["story"] = _story(story)
    elif is_portable(origin):
        head["start"] = {"config": origin.config.as_texts(), "threads": origin.threads}
        if origin.replay is not None:
            head["start"]["replay"] = replay.texts(origin.config, origin.replay)
    else:
        raise NotPortable
    if known is not None:
        head["known"] = {"steps": known.steps, "acts": known.acts, "checksum": known.checksum}
    text = json.dumps(head, separators=(",", ":"))
    if len(text) > MAX_HEAD or len(recipe.acts) > MAX_ACTS:
        raise NotPortable
    return text


def digest_of(state: bytes) -> str:
    """By which a head names its state."""
    return hashlib.sha256(state).hexdigest()[:DIGITS]


def _story(story: Story) -> dict[str, Any]:
    changes = [[each.steps, each.config.as_texts(), each.threads] for each in story.changes]
    return {"config": story.start.config.as_texts(), "threads": story.start.threads, "changes": changes}


def _written(act: Act) -> list[Any]:
    return [act.steps, act.verb, _argument(act), *([True] if act.within else [])]


def _argument(act: Act) -> Any:
    match act.verb, act.argument:
        case "tune", Config() as config:
            return config.as_texts()
        case "apply", Command() as command:
            return written(command)
        case "resume", _:
            return None
        case "use_threads", int() as count:
            return count
        case "use_picture", picture if max(np.shape(picture)) <= MAX_SIDE:
            high, wide = np.shape(picture)
            return [high, wide, base64.b64encode(zlib.compress(np.asarray(picture, np.uint8).tobytes())).decode()]
    raise NotPortable


# Reading.


def read(head: str, state: bytes, bench: str, settings: Settings, last_step: int = 0) -> Kept:
    """What a browser has kept of a run of this bench, which was shown up to the step `last_step`.

    Raises ValueError with a sentence for anything that `write` does not give of a run that none leads.
    """
    kept = _whole(head, state, bench, settings, last_step)
    if kept.recipe.beside is not None:
        raise RecipeError(messages.NOT_KEPT)
    return kept


def read_second(head: str, state: bytes, first: Kept, settings: Settings) -> Kept | None:
    """What a browser has kept of the run beside the first one; None where the two do not belong together.

    Raises ValueError with a sentence for anything that `write` does not give.
    """
    kept = _whole(head, state, first.recipe.bench, settings, 0)
    beside = kept.recipe.beside
    if beside is None or beside.start != first.second:
        return None
    if beside.start != "before":
        other = first.recipe.config.with_values(**{beside.knob: beside.value})
        if other.needs_rebuild_for(kept.recipe.config):
            return None
    return kept


def _whole(head: str, state: bytes, bench: str, settings: Settings, last_step: int) -> Kept:
    try:
        return _read(head, state, bench, settings, last_step)
    except RecipeError:
        raise
    except checkpoint.MISFITS:
        raise RecipeError(messages.NOT_KEPT) from None


def _read(text: str, state: bytes, bench: str, settings: Settings, last_step: int) -> Kept:
    head = _json(text)
    names = set(head)
    if not names >= NEEDED or not names <= NEEDED | OPTIONAL or len(names & {"start", "state"}) != 1:
        raise RecipeError(messages.NOT_KEPT)
    if head["version"] != VERSION:
        raise RecipeError(messages.NO_RECIPE)
    if head["bench"] != bench:
        raise RecipeError(messages.KEPT_OF_ANOTHER_PAGE)
    found: Any = BENCHES[bench]
    config, steps = check.config(found.config, head["config"]), check.whole(head["steps"], "steps")
    acts = tuple(_act(each, found.config, settings) for each in check.items(head["acts"], MAX_ACTS, "acts"))
    looks = tuple(_act(each, found.config, settings) for each in check.items(head["looks"], MAX_LOOKS, "looks"))
    firm = [each.argument for each in (*acts, *looks) if each.verb == "tune"]
    if any(each.needs_rebuild_for(config) for each in firm):
        raise RecipeError(messages.NOT_KEPT)
    known = _known(head.get("known"))
    origin: Origin
    has_state = "state" not in head or digest_of(state) == head["state"]["digest"]
    if "start" in head:
        origin = _begun(head["start"], found.config, settings)
        if origin.config.needs_rebuild_for(config):
            raise RecipeError(messages.NOT_KEPT)
    elif has_state:
        origin, at_state = _saved(state, found, config, settings, head.get("story"))
        if known is None or known.steps < at_state.steps:
            known = at_state
    else:
        story = _read_story(head["story"], found.config, settings) if "story" in head else None
        if story is None:
            raise RecipeError(messages.STATE_LOST)
        origin = Begun(story.start.config, None, story.start.threads)
        acts = _acts_of(story)
        known = None if known is None else replace(known, acts=sum(each.steps <= known.steps for each in acts))
    outcome = check.one_of(head["outcome"], ("", "done", "failed"), "outcome")
    player = check.entries(head["player"], ("state", "owed", "speed"), "player")
    playing = check.one_of(player["state"], ("playing", "paused", "done", "failed"), "state")
    owed = check.whole(player["owed"], "owed", most=MAX_STEPS * MAX_STEPS)
    speed = None if player["speed"] is None else check.number(player["speed"], "speed")
    if last_step > steps and not outcome and (owed or playing == "playing"):
        ahead = min(last_step - steps, owed or MAX_FURTHER_STEPS, MAX_FURTHER_STEPS)
        steps, owed = steps + ahead, max(0, owed - ahead)
    if playing in ("done", "failed") and playing != outcome:
        playing = "paused"
    recipe = Recipe(
        bench, config, packed(origin), acts, steps, outcome, playing, owed, speed,  # type: ignore[arg-type]
        beside=_beside(head["beside"], found.config) if "beside" in head else None,
    )  # fmt: skip
    if problem := problem_of(recipe):
        raise RecipeError(problem)
    second = check.one_of(head["second"], ("", "start", "here", "before"), "second")
    return Kept(check.text(head["run"], "run"), recipe, known, looks, second, has_state)


def _json(text: str) -> dict[str, Any]:
    if len(text) > MAX_HEAD:
        raise RecipeError(messages.NOT_KEPT)
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise RecipeError(messages.NOT_KEPT) from None
    if not isinstance(found, dict):
        raise RecipeError(messages.NOT_KEPT)
    return found


def _refuse(name: str) -> None:
    raise ValueError(name)


def _act(value: Any, config_type: type[Config], settings: Settings) -> Act:
    if not isinstance(value, list) or value[3:] not in ([], [True]) or len(value) < 3:
        raise RecipeError(messages.NOT_KEPT)
    steps, verb, argument, within = check.whole(value[0], "steps"), value[1], value[2], len(value) > 3
    match verb:
        case "tune":
            return Act(steps, verb, check.config(config_type, argument), within)
        case "apply":
            return Act(steps, verb, read_command(check.entries(argument, argument, "command")), within)
        case "resume":
            return Act(steps, verb, within=within)
        case "use_threads":
            return Act(steps, verb, _threads(argument, settings), within)
        case "use_picture":
            return Act(steps, verb, _picture(argument), within)
    raise RecipeError(messages.NOT_KEPT)


def _beside(value: Any, config_type: type[Config]) -> Beside:
    """How the second of two compared runs differs from the first one, which is yet to be named."""
    found = check.entries(value, ("start", "knob", "value", "done"), "beside")
    start = check.one_of(found["start"], ("start", "here", "before"), "start")
    knob, done = check.text(found["knob"], "knob"), check.whole(found["done"], "done")
    if (start == "before") != (not knob):
        raise RecipeError(messages.NOT_KEPT)
    if not knob:
        return Beside("", start, "", "", done)  # type: ignore[arg-type]
    differs = check.config(config_type, {knob: check.text(found["value"], "value")})
    return Beside("", start, knob, getattr(differs, knob), done)  # type: ignore[arg-type]


def _threads(value: Any, settings: Settings) -> int:
    """A number of threads, as many as there are cores for: with fewer, sums are added in another order."""
    return min(check.whole(value, "threads", 1, MAX_THREADS), settings.cores)


def _picture(value: Any) -> Any:
    high, wide, text = check.items(value, 3, "picture")
    high, wide = (check.whole(side, "picture", 1, MAX_SIDE) for side in (high, wide))
    unpacking = zlib.decompressobj()
    try:
        pixels = unpacking.decompress(base64.b64decode(text, validate=True), high * wide + 1)
    except (binascii.Error, zlib.error, ValueError):
        raise RecipeError(messages.NOT_KEPT) from None
    if len(pixels) != high * wide:
        raise RecipeError(messages.NOT_KEPT)
    return np.frombuffer(pixels, np.uint8).reshape(high, wide)


def _known(value: Any) -> Known | None:
    if value is None:
        return None
    found = check.entries(value, ("steps", "acts", "checksum"), "known")
    return Known(
        check.whole(found["steps"], "steps"), check.whole(found["acts"], "acts", most=MAX_ACTS),
        _checksum(found["checksum"]),
    )  # fmt: skip


def _checksum(value: Any) -> str:
    if not isinstance(value, str) or not CHECKSUM.fullmatch(value):
        raise RecipeError(messages.NOT_KEPT)
    return value


def _begun(value: Any, config_type: type[Config], settings: Settings) -> Begun:
    names = ("config", "threads", "replay") if isinstance(value, dict) and "replay" in value else ("config", "threads")
    found = check.entries(value, names, "start")
    start, threads = check.config(config_type, found["config"]), found["threads"]
    threads = None if threads is None else _threads(threads, settings)
    again: Replay | None = None
    if "replay" in found:
        link = check.entries(found["replay"], ("config", replay.AT, replay.SINCE, replay.THREADS), "replay")
        texts = [check.text(link[name], name, replay.MAX_CHANGES_CHARACTERS) for name in
                 (replay.AT, replay.SINCE, replay.THREADS)]  # fmt: skip
        start, again = replay.read(check.config(config_type, link["config"]), *texts)
    return Begun(start, None, threads, again)


def _saved(state: bytes, bench: Any, config: Config, settings: Settings, given_story: Any) -> tuple[Saved, Known]:
    """A run's state with what it says of its past, and what is known of it at that step; it leads to this config."""
    found = checkpoint.load(state)
    run, _ = checkpoint.restore(found, bench, settings)
    if run.config.needs_rebuild_for(config):
        raise RecipeError(messages.NOT_KEPT)
    past: Past = run.past()
    story = None if given_story is None else _read_story(given_story, bench.config, settings)
    if story is not None:
        own = [change for change in story.changes if change.steps <= run.steps]
        last = own[-1] if own else story.start
        if last.config == run.config:
            edits = None if run.edits is None else type(run.edits)()
            start, *changes = (replace(each, edits=edits) for each in (story.start, *own))
            past = replace(past, start=start, changes=tuple(changes), saved=None)
    return Saved(state, past), Known(found.step, 0, found.checksum)


def _read_story(value: Any, config_type: type[Config], settings: Settings) -> Story:
    """A story; each change is after the one before, and of knobs that can be changed while a run trains."""
    found = check.entries(value, ("config", "threads", "changes"), "story")
    threads = found["threads"]
    start = Change(0, check.config(config_type, found["config"]),
                   threads=None if threads is None else _threads(threads, settings))  # fmt: skip
    changes: list[Change] = []
    for each in check.rows(found["changes"], MAX_CHANGES, 3, "changes"):
        last = changes[-1] if changes else start
        steps, config = check.whole(each[0], "steps", last.steps), check.config(config_type, each[1])
        if last.config.needs_rebuild_for(config):
            raise RecipeError(messages.NOT_KEPT)
        count = None if each[2] is None else _threads(each[2], settings)
        changes.append(Change(steps, config, threads=count))
    return Story(start, tuple(changes))


def _acts_of(story: Story) -> tuple[Act, ...]:
    """What a story does to a run that begins at its start."""
    acts: list[Act] = []
    before = story.start
    for change in story.changes:
        if change.config != before.config:
            acts.append(Act(change.steps, "tune", change.config))
        if change.threads not in (None, before.threads):
            acts.append(Act(change.steps, "use_threads", change.threads))
        before = change
    return tuple(acts)


# Coming back.


def checksum_of(run: Any) -> str:
    """The checksum of a training's weights, or of everything that a lab trains."""
    if isinstance(run, TrainingRun):
        return checksum(run.model.state_dict())
    return digest(arrays_in(run.training_state()), "")[:CHECKSUM_DIGITS]


class BackFromBrowser(ComingBack):
    """A run on its way to where its browser saw it last: its weights are compared at the last step that is known.

    It trains again for a bounded time; a run that needs more stays at the step that it has reached, paused.
    """

    def __init__(self, kept: Kept, settings: Settings, *, has_second: bool = False) -> None:
        """`has_second` says that the run beside it comes back, too."""
        super().__init__(kept.recipe, settings)
        self.kept, self.has_second = kept, has_second
        self._opened: OpenRun | None = None
        self._checksum = ""  # of the weights, at the step that is known
        self._seconds = 0.0

    def prepare(self, opened: OpenRun) -> None:
        """Set the player as it was, before the run is built."""
        super().prepare(opened)
        self._opened = opened

    def advance(self, seconds: float) -> bool:
        """Repeat what was done and trained, for about so long; returns whether something was done."""
        start = time.perf_counter()
        has_moved = super().advance(seconds)
        self._seconds += time.perf_counter() - start
        if self._seconds > self.settings.return_seconds and not self.has_arrived:
            opened = self._opened
            if opened is not None:
                opened.state, opened.pacing.owed = "paused", 0
            self._arrive()
        return has_moved

    def _next_stop(self, target: int) -> int:
        run, known = self.run, self.kept.known
        if known is not None and not self._checksum and isinstance(run, TrainingRun | Holding):
            if (run.steps, self._done) == (known.steps, known.acts):
                self._checksum = checksum_of(run)
            elif run.steps < known.steps:
                target = min(target, known.steps)
        if run.outcome == "done" and run.steps < target and not self.kept.has_state:
            run.resume()  # what it did then is not in its story
        return target

    def _arrive(self) -> None:
        super()._arrive()
        for act in self.kept.looks:
            repeat(self.run, act)
        opened = self._opened
        if opened is not None and opened.state != "failed":
            opened.notice = text = self._news()
            opened.passing_notice = text, time.monotonic() + NOTICE_SECONDS

    def _news(self) -> str:
        """What a student reads when the run is back."""
        run, known, steps = self.run, self.kept.known, self.recipe.steps
        second = messages.SECOND_GONE if self.kept.second in ("here", "before") and not self.has_second else ""
        if self.recipe.beside is not None:
            is_same = known is None or self._checksum in ("", known.checksum)
            sentence = "" if is_same else messages.SECOND_DIFFERENT
        elif run.steps < steps:
            sentence = messages.BACK_IN_PART
        elif not self._checksum or known is None:
            sentence = messages.BACK
        else:
            same = messages.BACK_SAME if known.steps == run.steps else messages.BACK_SAME_BEFORE
            sentence = same if self._checksum == known.checksum else messages.BACK_DIFFERENT
        there = known.checksum[: replay.CHECKSUM_DIGITS] if known is not None else ""
        at = known.steps if known is not None else run.steps
        return sentence.format(
            step=run.steps, steps=steps, at=at, here=self._checksum[: replay.CHECKSUM_DIGITS], there=there,
            reason=replay.OTHER_MACHINE, second=second,
        ).rstrip()  # fmt: skip
