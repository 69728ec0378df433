"""The engine gives every open run its fair share of the machine, and every viewer as many frames as it asks for.

while True:
    run = the next one in turn that has something to do
    obey its orders and train it, together for a slice; draw a frame if its viewer has asked for one
    if its orders took more than its share: let it rest

Two threads do this, one for most runs and one for those with long steps; a third builds runs and draws first frames.
"""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from playground.engine import messages
from playground.engine.commands import Ask, Command, CommandError, Leave, Pause, read_command
from playground.engine.lane import Lane
from playground.engine.lockstep import BuildBeside, Vary, say_compared
from playground.engine.open_run import OpenRun, State, UnknownRun
from playground.engine.orders import Call, Order, Rebuild, Refuse, Revary, Tune
from playground.engine.places import PlaceKeeper, Places
from playground.engine.run import Returning, Run, Viewer
from playground.engine.watching import Glances, Letter
from playground.glance import Glance, Looks
from playground.settings import Settings

log = logging.getLogger(__name__)
__all__ = ["Engine", "UnknownRun"]
Result = TypeVar("Result")

HOUSEKEEPING_SECONDS = 0.5
MAX_AWAY_SECONDS = 5.0  # a run whose page is left longer is paused; a board that the page rebuilds is back sooner


def new_id() -> str:
    """An unguessable id for a run."""
    return secrets.token_urlsafe(18)


class Engine:
    """Runs, threads and limits. Any thread may call its public methods; all but `call` and `stop` return at once.

    `prepare` is called first in each thread, `dropped` with the id and a sentence whenever a run is closed. `places`
    decides who may play, by default as many at once as the settings say. Both are called with a lock held: they must
    return at once. `before_frame` is called with a run in each of its turns, after its steps and before its frame, and
    `glanced` with the id of a run that a wall of many boards looks at, and what it sees.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        prepare: Callable[[], None] = lambda: None,
        dropped: Callable[[str, str], None] = lambda run_id, reason: None,
        places: PlaceKeeper | None = None,
        before_frame: Callable[[OpenRun], None] = lambda opened: None,
        glanced: Callable[[str, Glance], None] = lambda run_id, glance: None,
    ) -> None:
        self.settings = settings or Settings()
        self._prepare = prepare
        self._dropped = dropped
        self._before_frame = before_frame
        self._glanced = glanced
        self._frame_seconds = 1.0 / self.settings.frame_rate
        self._places = places or Places(self.settings.max_runs, self.set_place)
        self._lock = threading.RLock()
        self._to_build = threading.Condition(self._lock)  # there may be a run to build, or a first frame to draw
        share = min(1.0, self.settings.cores / self.settings.worker_count)
        self._light, self._heavy = (Lane(self._lock, self._frame_seconds, share) for _ in range(2))
        self._runs: dict[str, OpenRun] = {}
        self._threads: list[threading.Thread] = []
        self._stopping = False
        self._kept_house_at = 0.0

    def start(self) -> None:
        """Start the threads, unless they run already."""
        with self._lock:
            if self._threads:
                return
            self._stopping = False
            work: dict[str, Callable[[], None]] = {
                "engine": partial(self._train, self._light),
                "engine-heavy": partial(self._train, self._heavy),
                "engine-builder": self._build,
            }
            self._threads = [threading.Thread(target=each, name=name, daemon=True) for name, each in work.items()]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads after their current slice, and close all runs."""
        with self._lock:
            self._stopping = True
            for condition in (self._light.ready, self._heavy.ready, self._to_build):
                condition.notify_all()
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()
        with self._lock:
            for opened in list(self._runs.values()):
                self._drop(opened, messages.STOPPING)

    def open(
        self,
        session: str,
        build: Callable[[Any], Run],
        config: Any,
        *,
        run_id: str | None = None,
        cores: int | None = None,
        returning: Returning | None = None,
        plays: bool = False,
    ) -> str:
        """The id of a new run, `build(config)`, for a session; an unguessable one if none is given.

        It is paused unless it `plays`, which it does as soon as it is watched. `cores` is what a run with long steps
        may use; without it, what is free. A session over its own limit loses the
        run that it has not used for longest, one that nobody watches if there is one. A run that was lost with its
        process is `returning`: `build` makes what it once was, and it repeats the rest before it obeys anybody.
        """
        with self._lock:
            opened = OpenRun(run_id or new_id(), session, build, config, cores=cores, returning=returning)
            opened.state = "playing" if plays else "paused"
            if returning is not None:
                returning.prepare(opened)
            return self._open(opened).id

    def open_beside(
        self,
        leader_id: str,
        build: BuildBeside,
        vary: Vary,
        compared: str,
        *,
        run_id: str | None = None,
        cores: int | None = None,
        returning: Returning | None = None,
    ) -> str:
        """The id of a second run that advances together with an open one and obeys the same player.

        `build` makes it from the leader's run and from its own config, which is always `vary(the leader's config)`;
        `compared` names the knob in which they differ. Raises UnknownRun.
        """
        with self._lock:
            leader = self._find(leader_id)
            if leader.follower is not None:
                self._drop(leader.follower, messages.CLOSED)
            leader.touched_at = time.monotonic()  # so that it is not the one closed when the session has too many
            follower = OpenRun(
                run_id or new_id(), leader.session, build, leader.config, vary=vary, compared=compared, cores=cores,
                returning=returning,
            )  # fmt: skip
            if returning is not None:
                returning.prepare(follower)
            follower.leader, leader.follower = leader, follower
            leader.watching.changed()
            return self._open(follower).id

    def vary(self, run_id: str, vary: Vary) -> None:
        """Give the second of two compared runs another value of the setting in which they differ, from now on."""
        self._enqueue(run_id, Revary(vary))

    def close(self, run_id: str, reason: str = messages.CLOSED) -> None:
        """Close a run and free its memory; an unknown id does nothing. The reason is a sentence for its viewers."""
        with self._lock:
            if opened := self._runs.get(run_id):
                self._drop(opened, reason)

    def has(self, run_id: str) -> bool:
        """Whether the run is open."""
        return run_id in self._runs

    def tune(self, run_id: str, config: Any) -> None:
        """Set live knobs of a running run."""
        self._enqueue(run_id, Tune(config))

    def rebuild(self, run_id: str, config: Any, cores: int | None = None, *, plays: bool = False) -> None:
        """Build the run again from a config; it keeps playing if it was playing. `cores` and `plays` as in `open`.

        A run that `plays` does so for whoever watches it next, however long ago its page was left.
        """
        with self._lock:
            if plays:
                self._find(run_id).left_at = math.inf
            self._enqueue(run_id, Rebuild(config, cores, plays))

    def command(self, run_id: str, command: Command | Refuse | Mapping[str, Any], viewer: Viewer | None = None) -> None:
        """Queue a command, which is obeyed between two steps, or a message {"do": ...} that holds one.

        A message that holds none shows the reason as a notice. What comes from a `viewer` counts only while that one
        watches the run: of a board that was replaced, the last message may arrive late. Raises UnknownRun.
        """
        if viewer is not None:
            watching = self._find(run_id).watching
            if watching.viewer is not viewer or not (watching.obeys or _is_leave(command)):
                return
        order: Command | Refuse
        if isinstance(command, (Command, Refuse)):
            order = command
        else:
            try:
                order = read_command(command)
            except CommandError as error:
                order = Refuse(str(error))
        if isinstance(order, Leave):
            with self._lock:
                self._find(run_id).left_at = time.monotonic()
        else:
            self._enqueue(run_id, order)

    def call(
        self, run_id: str, function: Callable[[Run], Result], timeout: float = 10.0, *, both: bool = False
    ) -> Result:
        """The result of a function of the run, called between two steps. Raises what it raises, or TimeoutError.

        With `both`, the run beside it (`open_beside`), if there is one, is changed in the same way.
        """
        return self.call_later(run_id, function, both=both).result(timeout)

    def call_later(self, run_id: str, function: Callable[[Run], Result], *, both: bool = False) -> Future[Result]:
        """Like `call`, without waiting: the future of the result, cancelled if the run is closed before."""
        future: Future[Result] = Future()
        self._enqueue(run_id, Call(function, future, both))
        return future

    def attach(self, run_id: str, viewer: Viewer, *, reads: bool = False) -> None:
        """Let a viewer watch a run, in place of the one before; one that only reads is one more. Raises UnknownRun.

        What a reader commands is ignored, and the run does not train for it.
        """
        with self._lock:
            opened = self._find(run_id)
            if reads:
                before = None if opened.watching.attach_reader(viewer) else viewer
            else:
                if time.monotonic() - opened.left_at > MAX_AWAY_SECONDS:
                    opened.orders.add(Pause(), opened.config)
                opened.left_at = math.inf
                before = opened.watching.attach(viewer)
                opened.touched_at = time.monotonic()
        if before is not None:
            before.dismiss(4409, messages.TOO_MANY_READERS if reads else messages.WATCHED_ELSEWHERE)

    def detach(self, run_id: str, viewer: Viewer) -> None:
        """The viewer has gone; if it was not a reader, its run stops training at once, and its commands are dropped."""
        with self._lock:
            opened = self._runs.get(run_id)
            if opened is not None and opened.watching.detach(viewer):
                opened.orders.drop_commands()
                opened.touched_at = time.monotonic()

    def ask(self, run_id: str, viewer: Viewer, charts: Sequence[str], options: Mapping[str, bool]) -> None:
        """The viewer has painted its last frame and wants the next, of these charts. Raises UnknownRun."""
        with self._lock:
            opened = self._find(run_id)
            stream = opened.watching.stream_of(viewer)
            if stream is None:
                return
            now = time.monotonic()
            stream.ask(Ask(tuple(charts), dict(options)), now)
            if stream is opened.watching:
                self._settle_place(opened, now)
            if opened.watching.awaits_first_frame:
                self._to_build.notify()
            if opened.lane is not None:
                opened.lane.ready.notify()

    def hold(self, run_id: str, *, held: bool, obeys: bool = False) -> None:
        """Let a run rest, whatever it is doing, until it is let go; then it goes on as it was. Raises UnknownRun.

        Meanwhile its viewers get no frame after the first, and their commands do nothing; those of a run that `obeys`
        show when it goes on. A run with long steps takes its steps.
        """
        with self._lock:
            opened = self._find(run_id)
            for each in filter(None, (opened, opened.partner)):
                each.hold(held, obeys)
                if each.lane is not None:
                    each.lane.ready.notify()

    def look(self, run_id: str, looks: Looks) -> None:
        """Glance at a run whenever it has changed, twice a second at most, or no longer. Raises UnknownRun."""
        with self._lock:
            opened = self._find(run_id)
            opened.glances = None if looks == "no" else Glances(looks == "picture")
            if opened.lane is not None:
                opened.lane.ready.notify()

    def set_place(self, run_id: str, place: int) -> None:
        """Tell a run that has asked for a place to play which one it has: 0 to play, from 1 in the queue."""
        with self._lock:
            opened = self._runs.get(run_id)
            if opened is None or not opened.asks_place or opened.place == place:
                return
            opened.place = place
            for each in filter(None, (opened, opened.follower)):
                each.watching.changed()
            if opened.lane is not None:
                opened.lane.ready.notify()

    @property
    def open_runs(self) -> int:
        """The number of open runs."""
        return len(self._runs)

    def state_of(self, run_id: str) -> State:
        """The state of a run; "lost" when there is none."""
        opened = self._runs.get(run_id)
        return "lost" if opened is None else opened.shown_state

    # The methods below are called with the lock held, except the threads' _train and _build, and what makes up a turn:
    # _begin, _note, _serve, _obey, _take, _frame, _draw and _deliver.

    def _find(self, run_id: str) -> OpenRun:
        try:
            return self._runs[run_id]
        except KeyError:
            raise UnknownRun(run_id) from None

    def _open(self, opened: OpenRun) -> OpenRun:
        self._make_room(opened)
        opened.touched_at = time.monotonic()
        self._runs[opened.id] = opened
        self._to_build.notify()
        return opened

    def _make_room(self, new: OpenRun) -> None:
        """Close runs of a session that is about to have too many: first those that nobody watches."""
        own = [each for each in self._runs.values() if each.session == new.session and each is not new.leader]
        own.sort(key=lambda each: (bool(each.watching.viewers), each.touched_at))
        most = self.settings.runs_per_session - 1 - (new.leader is not None)
        while own and sum(each.id in self._runs for each in own) > most:
            self._drop(own.pop(0), messages.TOO_MANY)

    def _settle_place(self, opened: OpenRun, now: float) -> None:
        """Ask for a place to play if a run, or the one that it follows, needs one; give back one that it does not."""
        opened = opened.leader or opened
        wants = opened.wants_place(now) and opened.id in self._runs
        if wants == opened.asks_place:
            return
        opened.asks_place = wants
        if wants:
            self._places.ask(opened.id)
            return
        if opened.place:  # what was shown as queued is not any more
            opened.watching.changed()
        opened.place = None
        self._places.release(opened.id)

    def _enqueue(self, run_id: str, order: Order) -> None:
        with self._lock:
            opened = self._find(run_id)
            if isinstance(order, (Command, Refuse)) and opened.leader is not None:
                opened = opened.leader  # whichever of two boards it comes from, both runs obey
            opened.orders.add(order, opened.config)
            now = opened.touched_at = time.monotonic()
            if opened.lane is not None:
                opened.lane.hurry(opened, now)

    def _drop(self, opened: OpenRun, reason: str) -> None:
        if self._runs.pop(opened.id, None) is None:
            return
        if opened.lane is not None:
            opened.lane.remove(opened)
            opened.lane = None
        opened.orders.cancel()
        opened.watching.dismiss_all(4404, reason)
        opened.run = None
        if opened.asks_place:
            opened.asks_place, opened.place = False, None
            self._places.release(opened.id)
        if (leader := opened.leader) is not None:
            leader.follower, opened.leader = None, None
            leader.watching.changed()
            say_compared(leader.run, is_compared=False)
            if leader.run is not None and leader.run.outcome:  # it had ended, and waited for the other
                leader.state = leader.run.outcome
        if opened.follower is not None:
            self._drop(opened.follower, reason)
        self._dropped(opened.id, reason)

    def _keep_house(self, now: float) -> None:
        """Close runs that nobody uses, and give back the places of those that are no longer watched."""
        self._kept_house_at = now
        for opened in list(self._runs.values()):
            is_idle = now - opened.touched_at > 60.0 * self.settings.idle_minutes
            if is_idle and not opened.busy and not opened.watching.viewers:
                self._drop(opened, messages.IDLE)
            elif opened.leader is None:
                self._settle_place(opened, now)

    def _next_to_build(self) -> OpenRun | None:
        """Wait for a run that can be built, or whose first frame can be drawn; None when the engine stops."""
        while not self._stopping:
            now = time.monotonic()
            free = [each for each in self._runs.values() if not each.is_busy]
            for opened in free:
                shows = opened.run is not None and opened.watching.awaits_first_frame
                if shows and opened.next_frame_at(self._frame_seconds) <= now:
                    return opened
            for opened in free:
                if opened.can_be_built:
                    return opened
            self._to_build.wait(HOUSEKEEPING_SECONDS)
        return None

    def _next(self, lane: Lane) -> OpenRun | None:
        """Wait for a run of this lane with something to do; None when the engine stops."""
        while not self._stopping:
            now = time.monotonic()
            if now - self._kept_house_at > HOUSEKEEPING_SECONDS:
                self._keep_house(now)
            due, soonest = lane.next(now, now + HOUSEKEEPING_SECONDS)
            if due is not None:
                return due
            lane.ready.wait(soonest - now)
        return None

    def _free_cores(self, opened: OpenRun) -> int:
        """How many cores a run may use that is built now: those on which no other run trains."""
        now = time.monotonic()
        with self._lock:
            others = [each for each in self._runs.values() if each not in (opened, opened.partner)]
            return self.settings.free_cores(sum(each.is_training(now) for each in others))

    def _train(self, lane: Lane) -> None:
        """Give the runs of a lane their turns."""
        self._work(partial(self._next, lane), partial(self._serve, lane))

    def _build(self) -> None:
        """Build the runs that are opened, which may read files, and draw first frames: no other run waits for either.

        They do not wait for the turns of other runs, either.
        """
        self._work(self._next_to_build, self._begin)

    def _work(self, next_run: Callable[[], OpenRun | None], serve: Callable[[OpenRun], None]) -> None:
        self._prepare()
        while True:
            with self._lock:
                opened = next_run()
                if opened is None:
                    return
                opened.busy = True
            try:
                serve(opened)
            except Exception:
                log.exception("A thread failed outside a run.")
            finally:
                with self._lock:
                    self._let_go(opened)

    def _let_go(self, opened: OpenRun) -> None:
        """A run's turn is over: others may have it, or wait for it."""
        opened.busy = False
        if opened.id in self._runs:
            self._assign(opened)
            self._settle_place(opened, time.monotonic())
        for each in filter(None, (opened, opened.partner)):
            if each.can_be_built or each.watching.awaits_first_frame:
                self._to_build.notify()
            if each.lane is not None:
                each.lane.ready.notify()

    def _assign(self, opened: OpenRun) -> None:
        """Let a run that was built, or could not be, take turns in its lane."""
        if opened.can_be_built:
            return
        lane = self._heavy if opened.is_heavy or (opened.leader is not None and opened.leader.is_heavy) else self._light
        if opened.lane is lane:
            return
        if opened.lane is not None:
            opened.lane.remove(opened)
        opened.lane = lane
        lane.add(opened)

    def _begin(self, opened: OpenRun) -> None:
        """Build a run and draw its first frame, if that was asked for already."""
        if opened.can_be_built:
            try:
                opened.build_run(self._free_cores(opened))
            except Exception as error:
                opened.fail(error)
        self._note(opened)
        self._frame(opened)
        opened.settle()

    def _note(self, opened: OpenRun) -> None:
        """Let a run be noted; one that was closed while it was built has left nothing behind."""
        with self._lock:
            if opened.id not in self._runs:
                opened.run = None
                return
        self._before_frame(opened)

    def _serve(self, lane: Lane, opened: OpenRun) -> None:
        """One turn of one run. An error that the run raises ends that run with a sentence, and no other."""
        spent, start = 0.0, time.monotonic()
        with self._lock:
            seconds, trains = lane.slice_seconds(opened, start), opened.is_training(start)
        if opened.comes_back:
            if opened.leader is None:
                opened.come_back(seconds)
        elif not opened.rests(start):
            spent = self._obey(opened, seconds)
            if opened.run is not None and trains and spent < seconds and opened.has_steps:
                try:
                    opened.train(seconds - spent, self.settings)
                except Exception as error:
                    opened.fail(error)
        self._note(opened)
        drawing_at, has_obeyed = time.monotonic(), opened.has_obeyed
        has_drawn = self._frame(opened)
        opened.settle()
        if (partner := opened.partner) is not None:  # in the same turn: both show the same step
            self._frame(partner, with_partner=has_drawn)
            partner.settle()
            self._glance(partner)
        self._glance(opened)
        now = time.monotonic()
        if has_obeyed and not opened.has_obeyed:  # the frame that shows what was ordered is part of its cost
            spent += now - drawing_at
        opened.turn_seconds = 0.8 * opened.turn_seconds + 0.2 * (now - start)
        with self._lock:
            lane.note(opened, seconds, spent, start, now)

    def _glance(self, opened: OpenRun) -> None:
        """Hand on what a wall of many boards sees of a run; one that cannot be seen is not looked at again."""
        try:
            glance = opened.take_glance(time.monotonic())
        except Exception:
            opened.glances = None
            log.exception("A run could not be glanced at.")
            return
        if glance is not None:
            self._glanced(opened.id, glance)

    def _obey(self, opened: OpenRun, seconds: float) -> float:
        """Carry out a run's orders until the time is up; returns the seconds that it took.

        One order at least, so the last one may take longer; those that are left wait for the run's next turn.
        """
        start = now = time.monotonic()
        while now - start < seconds and (order := self._take(opened)) is not None:
            try:
                opened.obey(order, self._free_cores(opened))
            except Exception as error:
                opened.fail(error)
            now = time.monotonic()
        return now - start

    def _take(self, opened: OpenRun) -> Order | None:
        if not opened.orders:
            return None
        with self._lock:
            return None if opened.awaits_follower else opened.orders.take()  # that one is built from the run as it is

    def _frame(self, opened: OpenRun, *, with_partner: bool = False) -> bool:
        """Draw and deliver what was asked for, is due, and would show something new; returns whether there was any.

        That is a frame for the controlling viewer and all readers who asked for the same, and now and then one for
        readers alone. `with_partner`: the frame of its partner was drawn just now, so it need not wait for that.
        """
        watching = opened.watching
        with self._lock:
            now = time.monotonic()
            is_due = with_partner or now >= opened.next_frame_at(self._frame_seconds)
            letters = watching.letters(now) if is_due and watching.wants_frame else []
        if has_drawn := bool(letters):
            self._draw(opened, letters, now)
        with self._lock:
            now = time.monotonic()
            letters = watching.letters_to_readers(now)
        if letters:
            self._draw(opened, letters, now)
        return has_drawn

    def _draw(self, opened: OpenRun, letters: list[Letter], start: float) -> None:
        """Draw one frame and deliver it to all who asked for it."""
        watching, drawn_at = opened.watching, start
        head, charts = opened.picture(letters[0].ask)
        written: dict[tuple[int, ...], bytes] = {}
        for letter in letters:
            frame = letter.write(head, charts, written)
            if letter.stream is watching:
                opened.has_obeyed = False
                drawn_at = time.monotonic()
                watching.draw_seconds = 0.8 * watching.draw_seconds + 0.2 * (drawn_at - start)
                watching.framed_at = start if frame or watching.restless else watching.framed_at
            self._deliver(letter, frame)
        if letters[-1].stream is not watching:
            watching.readers_rest(drawn_at, time.monotonic())

    def _deliver(self, letter: Letter, frame: bytes) -> None:
        if frame:
            try:
                letter.viewer.deliver(frame)
            except Exception:
                log.exception("A viewer failed.")
        else:  # nothing has changed after all: the viewer keeps waiting
            with self._lock:
                letter.return_ask()


def _is_leave(command: Command | Refuse | Mapping[str, Any]) -> bool:
    return isinstance(command, Leave) or (isinstance(command, Mapping) and command.get("do") == "leave")
