"""A run comes back from its recipe as the run that went on undisturbed: same step, same weights, same charts."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch

from playground.engine.commands import (
    AddPoint,
    Command,
    Explain,
    GoBack,
    Pause,
    Pick,
    Play,
    RemovePoint,
    Reset,
    SetSpeed,
    SetWeight,
    Slide,
    Step,
    Undo,
)
from playground.engine.engine import Engine
from playground.engine.open_run import OpenRun
from playground.lessons import BENCHES
from playground.runs.checksums import checksum
from playground.runs.state import MAX_SNAPSHOT_BYTES
from playground.runs.training_run import TrainingRun
from playground.saving import checkpoint, replay
from playground.settings import Settings
from playground.workers import messages
from playground.workers.recipes import MAX_ACTS, Act, Begun, ComingBack, Held, Holding, Recipe, Saved
from playground.workers.recording import Recording, Saving
from playground.workers.service import Service
from playground.workers.wire import BringBack

SETTINGS = Settings(runs_per_session=8)
LONG = 60.0
PATIENCE_SECONDS = 60.0
LIVE = {name: bench for name, bench in BENCHES.items() if getattr(bench, "build", None) is not None}
MEASURED = ("tensors_speed", "data_loader_batches", "data_loader_timeline")  # they show how long something took
NEVER, ALWAYS = Saving(min_seconds=1e9), Saving(min_seconds=0.0, max_share=1e9, bytes_per_second=1e12)
ORIGINS = {Begun: NEVER, Saved: ALWAYS}  # from step 0, or from a saved state
LATER = {"cnn": 3}  # steps after which a run is compared again, if not 50
# Charts that depend on the frames before (an axis that has grown, a test made while it was watched), on measured
# seconds, or on the gradients of the last step.
KEEPS = ("inside", "explain", "attention", "plane", "answer", "maps", "times", "memory", "reach", "surface",
         "loss of optimizers", "ranking of optimizers", "errors of regression", "confusion of cnn", "per_class of cnn",
         "cell of cnn", "hardest of cnn")  # fmt: skip
QUICK = {"data_loader_batches": {"workers": 0}, "data_loader_timeline": {"samples": 4, "item_ms": 1, "batch_ms": 0},
         "cnn": {"images": 200, "batch_size": 20, "layers": 1, "filters_1": 4}}  # fmt: skip


@dataclass
class Noted:
    """A run without an engine, which is noted as a worker does it."""

    bench: str
    saving: Saving
    recipes: dict[str, Recipe] = field(default_factory=dict)

    def open(self, **values: Any) -> Any:
        self.recording = Recording(self._keep, self.saving, steps_seconds=0.0)
        bench: Any = BENCHES[self.bench]
        build = self.recording.builds(self.bench, lambda config: bench.build(config, settings=SETTINGS))
        config = bench.config(**values)
        self.opened = OpenRun("run", "session", build, config, run=build(config))
        self.turn()
        return self.run

    def _keep(self, run_id: str, news: Recipe) -> None:
        whole = pickle.loads(pickle.dumps(news)).after(self.recipes.get(run_id))
        assert whole is not None
        self.recipes[run_id] = whole

    @property
    def run(self) -> Any:
        return self.opened.run

    def turn(self) -> None:
        self.recording.before_frame(self.opened)

    def train(self, steps: int) -> None:
        """Take steps in turns; what the next one needs may not be there yet."""
        end, left = time.monotonic() + PATIENCE_SECONDS, steps
        while left > 0 and not self.run.outcome:
            taken = self.run.advance(LONG, min(left, 7))
            assert time.monotonic() < end
            left -= taken
            self.turn()
            time.sleep(0 if taken else 0.02)

    def tune(self, **values: Any) -> None:
        config = self.opened.config.with_values(**values)
        self.run.tune(config)
        self.opened.config = config
        self.turn()

    def do(self, command: Command) -> None:
        self.run.apply(command)
        self.turn()

    def recipe(self) -> Recipe:
        self.turn()
        self.recording.tick()
        return self.recipes["run"]

    def origin(self) -> Any:
        return pickle.loads(self.recipe().origin)


def noted(bench: str, saving: Saving = ALWAYS, **values: Any) -> Noted:
    found = Noted(bench, saving)
    found.open(**values)
    return found


def back(recipe: Recipe) -> Any:
    """The run that comes back, at the step that its recipe knows."""
    coming = ComingBack(recipe, SETTINGS)
    run, end = coming.build(recipe.config), time.monotonic() + PATIENCE_SECONDS
    while not coming.has_arrived:
        assert time.monotonic() < end, (run.steps, recipe.steps)
        time.sleep(0 if coming.advance(1.0) else 0.02)
    return run


def assert_same(bench: str, one: Any, other: Any) -> None:
    """Both runs are at the same step, hold the same numbers, and show the same."""
    assert type(one) is type(other) and one is not other
    assert (one.steps, one.outcome, one.config) == (other.steps, other.outcome, other.config)
    if isinstance(one, TrainingRun):
        assert_same_training(one, other)
    names = [chart.name for chart in LIVE[bench].charts]  # type: ignore[attr-defined]
    charts = [name for name in names if name not in KEEPS and f"{name} of {bench}" not in KEEPS]
    drawings = [run.draw(charts, {}) for run in (one, other)]
    if bench != "cnn":
        assert drawings[0].time == drawings[1].time
    if bench not in MEASURED:
        statuses = [
            {name: value for name, value in each.status.items() if name not in ("images_per_second", "seconds_left")}
            for each in drawings
        ]
        assert str(statuses[0]) == str(statuses[1]) and drawings[0].note == drawings[1].note
        for name in charts:
            assert not list(differences(*(each.charts.get(name) for each in drawings))), name


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Where two figures differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name, value in one.items():
            yield from differences(value, other[name], f"{path}/{name}")
    elif isinstance(one, (list, tuple)) and len(one) == len(other):
        for index, value in enumerate(one):
            yield from differences(value, other[index], f"{path}/{index}")
    elif isinstance(one, np.ndarray):
        if not np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
            yield path
    elif str(one) != str(other) and one != other:
        yield f"{path}: {one} {other}"


def assert_same_training(one: Any, other: Any) -> None:
    assert checksum(one.model.state_dict()) == checksum(other.model.state_dict())
    assert checksum_of(one.optimizer_state()) == checksum_of(other.optimizer_state())
    assert checksum_of(one.trainer.batches.state_dict()) == checksum_of(other.trainer.batches.state_dict())
    assert vars(one.progress) == vars(other.progress), "steps, stop rule and marks"
    for name in one.history.columns:
        if not name.startswith("second "):  # measured, in the race
            np.testing.assert_array_equal(one.history.column(name), other.history.column(name))
    kept, found = ([(each.steps, each.epochs, each.config) for each in run.snapshots.kept] for run in (one, other))
    if sum(each.parameters.nbytes for each in one.snapshots.kept) > MAX_SNAPSHOT_BYTES:
        assert set(found) <= set(kept), "fewer are kept of a large model"
    else:
        assert kept == found and one.snapshots.stride == other.snapshots.stride
        pairs = zip(one.snapshots.kept, other.snapshots.kept, strict=True)
        assert all(torch.equal(a.parameters, b.parameters) or not a.parameters.isfinite().all() for a, b in pairs)
    own, own_found = ({k: v for k, v in run.own_state().items() if k != "racers"} for run in (one, other))
    assert checksum_of(own) == checksum_of(own_found)
    assert one.edits == other.edits and one.threads == other.threads and one.period == other.period
    journal, found_journal = one.journal, other.journal
    assert (journal.start, journal.changes) == (found_journal.start, found_journal.changes)
    assert (journal.saved is None) == (found_journal.saved is None)


def checksum_of(state: Any) -> str:
    """A text that is equal for equal states: numbers, and the checksums of tensors."""
    if isinstance(state, dict):
        return str({name: checksum_of(value) for name, value in state.items()})
    if isinstance(state, (list, tuple)):
        return str([checksum_of(value) for value in state])
    return checksum({"": state}) if hasattr(state, "numpy") else str(state)


def assert_comes_back(found: Noted, steps: int | None = None) -> None:
    """The run comes back, and both are equal again some steps later, and also then come back."""
    other, steps = back(found.recipe()), LATER.get(found.bench, 50) if steps is None else steps
    assert_same(found.bench, found.run, other)
    for run in (found.run, other):
        left, end = steps, time.monotonic() + PATIENCE_SECONDS
        while left > 0 and not run.outcome and time.monotonic() < end:
            left -= (taken := run.advance(LONG, left))
            time.sleep(0 if taken else 0.02)
    found.turn()
    assert_same(found.bench, found.run, other)


def another(bench: Any, config: Any, name: str, number: int) -> dict[str, Any]:
    """Another legal value of a knob."""
    spec, value = bench.config.knobs()[name], getattr(config, name)
    if spec.options is not None:
        others = [each for each in spec.options if each != value]
        return {name: others[number % len(others)]}
    if isinstance(value, bool):
        return {name: not value}
    if isinstance(value, (int, float)) and spec.step:
        return {name: value + spec.step if value + spec.step <= spec.hi else value - spec.step}
    return {}


# Every bench.


@pytest.mark.in_turns
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("bench", LIVE)
def test_every_run_comes_back_whatever_was_tuned_on_the_way(bench: str, origin: type) -> None:
    found = noted(bench, ORIGINS[origin], **QUICK.get(bench, {}))
    few = bench == "cnn"
    for number in range(2):
        found.train(2 if few else 13)
        assert_comes_back(found, 0)
        for name in [name for name, spec in LIVE[bench].config.knobs().items() if spec.live]:
            try:
                values = another(LIVE[bench], found.opened.config, name, number)
                if values:
                    found.tune(**values)
            except ValueError:
                continue  # such a config has no run
            found.train(1 if few else 3)
        assert_comes_back(found)
    if isinstance(found.run, (TrainingRun, Holding)):
        assert isinstance(found.origin(), Begun if origin is Begun else (Saved, Held))


# What else was done on the way.


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("bench", ["regression", "classification"])
def test_points_and_weights_changed_by_hand_and_undone_come_back(bench: str, origin: type) -> None:
    found = noted(bench, ORIGINS[origin], max_steps=0, batch_size=10)
    commands: list[Command] = [AddPoint(0.5, 0.5), AddPoint(0.1, -0.2), RemovePoint(0.0, 0.0), Undo()]
    if bench == "classification":
        commands += [SetWeight(0, 1, None, 2.5), SetWeight(0, 0, 1, -1.0), Explain(0.3, 0.4), Undo()]
    for command in commands:
        found.train(5)
        found.do(command)
        assert_comes_back(found, 0)
    rows = ((0.5, 1.0), (1.5, 0.1), (2.5, 0.3), (-1.0, 2.0))
    found.run.use_rows(rows if bench == "regression" else tuple((*row, float(at % 3)) for at, row in enumerate(rows)))
    found.turn()
    assert isinstance(found.origin(), Saved), "a table is kept as a state"
    assert_comes_back(found)
    found.run.use_weights({name: value + 0.1 for name, value in found.run.model.state_dict().items()})
    found.turn()
    assert isinstance(found.origin(), Saved) and not found.recipe().acts
    assert_comes_back(found)


def test_a_run_that_was_resumed_after_its_end_comes_back() -> None:
    for bench, values in (("regression", {"max_steps": 20}), ("cnn", QUICK["cnn"] | {"epochs": 1})):
        found = noted(bench, NEVER, **values)
        for _ in range(2):
            while not found.run.outcome:
                found.train(50)
            assert found.run.outcome == "done"
            assert_comes_back(found, 0)
            found.run.resume()
            found.train(3)
            assert_comes_back(found, 0)


def test_a_test_of_all_images_in_slices_is_continued() -> None:
    found = noted("cnn", **QUICK["cnn"] | {"epochs": 0, "images": 5_000, "batch_size": 500})
    found.run.tester.begin(found.run.model, 0, full=True)
    found.train(2)  # and a slice of the test, which has two without MNIST
    other = back(found.recipe())
    assert isinstance(found.origin(), Saved)
    for run in (found.run, other):
        assert run.tester.pending.tested
        while run.tester.pending is not None:
            run.tester.advance()
    assert found.run.tester.full_tests == other.tester.full_tests != []


def test_a_diverged_run_diverges_again_at_the_same_step_and_goes_back_to_the_same() -> None:
    for saving in ORIGINS.values():
        found = noted("regression", saving, lr=0.01, batch_size=0, max_steps=0)
        found.train(30)
        found.tune(lr=10.0, optimizer="sgd", momentum=0.0)
        found.train(3_000)
        assert found.run.outcome == "failed"
        other = back(found.recipe())
        assert (other.steps, other.outcome, other.good_step) == (found.run.steps, "failed", found.run.good_step)
        assert found.run.good_step is not None
        found.do(GoBack())
        assert isinstance(found.origin(), Saved)
        found.tune(lr=0.01)
        assert_comes_back(found)


def test_a_selection_comes_back() -> None:
    found = noted("cnn", **QUICK["cnn"])
    found.do(Slide("epsilon", 0.3))
    found.train(1)
    found.run.use_picture(np.arange(28 * 28, dtype=np.uint8).reshape(28, 28))
    found.turn()
    other = back(found.recipe())
    assert other.selection.drawing.epsilon == 0.3
    assert bool((other.selection.own_image == found.run.selection.own_image).all())
    places = noted("classification")
    places.do(Explain(0.25, -0.5))
    assert not places.recipe().acts and back(places.recipe()).drawing_state.place == (0.25, -0.5)


def test_a_run_that_was_restored_from_a_file_comes_back_from_its_state() -> None:
    lesson: Any = BENCHES["regression"]
    first = lesson.build(lesson.config(max_steps=0), settings=SETTINGS)
    first.advance(LONG, 40)
    run, _ = checkpoint.restore(checkpoint.load(checkpoint.save("regression", first)), lesson, SETTINGS)
    found = Noted("regression", NEVER)
    found.recording = Recording(found._keep, found.saving, steps_seconds=0.0)
    found.opened = OpenRun("run", "session", lesson.build, run.config, run=found.recording.listen("regression", run))
    found.train(9)
    assert_comes_back(found)
    assert found.run.run_history().saved is not None, "its script begins with the file's state, also then"


@pytest.mark.parametrize("saving", ORIGINS.values(), ids=["begun", "saved"])
def test_a_replay_of_a_link_goes_on_from_where_it_was(saving: Saving) -> None:
    lesson: Any = BENCHES["regression"]
    config = lesson.config(max_steps=30, lr=0.02)
    first = lesson.build(lesson.config(max_steps=30), settings=SETTINGS)
    first.advance(LONG, 20)
    first.tune(config)
    for _ in range(3):
        first.advance(LONG, 30)
        first.resume()
    shared = replay.parameters(first.run_history())
    start, again = replay.read(config, shared["at"], shared.get("since", ""))
    found = Noted("regression", saving)
    found.recording = Recording(found._keep, found.saving, steps_seconds=0.0)
    run = found.recording.listen("regression", replay.build(lesson.build, start, again, SETTINGS))
    found.opened = OpenRun("run", "session", lesson.build, config, run=run)
    for _ in range(2):  # before and after the change that the link has
        found.train(15)
        other = back(found.recipe())
        assert_same("regression", found.run, other)
        assert other.replay.sentence(other.steps) == found.run.replay.sentence(found.run.steps)
    for each in (found.run, other):
        each.advance(LONG, first.steps - each.steps)
        assert each.replay.sentence(each.steps) == replay.SAME.format(steps=first.steps, checksum=again.checksum)


def test_a_lab_plays_again_from_its_start_after_its_end() -> None:
    for bench in ("learning_rates_schedules", "gradient_descent_line", "convolution_slide"):
        found = noted(bench)
        while not found.run.outcome:
            found.train(500)
        assert_comes_back(found, 0)
        found.run.resume()
        found.train(7)
        assert_comes_back(found, 9)


def test_a_place_picked_in_a_lab_comes_back() -> None:
    found = noted("learning_rates_winner")
    found.train(5)
    for x in (-3.0, -2.0, 0.5):
        found.do(Pick(x, 0.0, "lines"))
    assert len(found.recipe().acts) == 1, "equal commands at one step are one act"
    assert back(found.recipe()).column == found.run.column
    slide = noted("convolution_slide")
    slide.train(5)
    slide.do(Pick(3.5, 6.5, "output"))
    slide.train(4)
    assert_comes_back(slide)


def test_what_is_done_again_and_again_takes_no_more_room() -> None:
    for bench in ("classification", "convolution_slide"):
        found = noted(bench, NEVER)
        for number in range(MAX_ACTS + 30):
            found.train(1)
            found.do(AddPoint(0.1, 0.2) if bench == "classification" else Pick(number % 20, 3.0, "output"))
        assert len(found.recipe().acts) <= MAX_ACTS
        assert_comes_back(found)


def test_after_a_reset_the_points_by_hand_come_back_too() -> None:
    found = noted("regression", NEVER)
    found.train(5)
    found.do(AddPoint(0.5, 0.5))
    found.opened.run = found.run.rebuilt(found.opened.config.with_values(lr=0.03))
    found.turn()
    origin = found.origin()
    assert isinstance(origin, Begun) and origin.edits.clicks and not found.recipe().acts
    found.train(5)
    assert_comes_back(found)


# What is handed over.


def test_nothing_is_handed_over_of_a_run_that_has_not_changed() -> None:
    news: list[Recipe] = []
    found = Noted("regression", NEVER)
    found._keep = lambda run_id, recipe: news.append(recipe)  # type: ignore[method-assign]
    found.open(max_steps=0)
    for _ in range(3):
        found.turn()
        found.recording.tick()
    assert len(news) == 1 and news[0].origin
    found.train(7)
    assert len(news) == 1, "new steps wait for their time"
    found.recording.tick()
    assert (len(news), news[1].steps, news[1].origin) == (2, 7, b""), "the origin is not sent again"
    found.do(AddPoint(0.5, 0.5))
    assert len(news) == 3 and len(news[2].acts) == 1, "before the frame that shows it"


def test_a_large_state_is_saved_less_often_and_a_costly_one_in_a_small_share_of_the_time() -> None:
    saving = Saving()
    assert saving.interval(0.001, 1_000) == saving.min_seconds
    assert saving.interval(0.1, 1_000) == pytest.approx(0.1 / saving.max_share)
    assert saving.interval(0.001, 3_000_000) == pytest.approx(3.0)


def test_news_without_an_origin_that_is_not_known_are_no_recipe() -> None:
    recipe = noted("regression").recipe()
    assert recipe.after(None) is recipe
    assert replace(recipe, origin=b"").after(None) is None
    assert replace(recipe, origin=b"", steps=9).after(recipe) == replace(recipe, steps=9)


def test_a_recipe_that_does_not_fit_is_refused_with_a_sentence() -> None:
    recipe = noted("regression").recipe()
    other: Any = BENCHES["classification"]
    for bad in (
        {"version": 2}, {"bench": "no such bench"}, {"bench": "tensors_tutorial"}, {"config": other.config()},
        {"steps": -1}, {"steps": True}, {"owed": 10**12}, {"speed": -1.0}, {"acts": (Act(1, "apply", "text"),)},
        {"acts": (Act(1, "__init__"),)}, {"acts": (Act(1, "resume"),) * (MAX_ACTS + 1)},  # type: ignore[arg-type]
    ):  # fmt: skip
        with pytest.raises(ValueError) as refused:
            ComingBack(replace(recipe, **bad), SETTINGS)
        assert str(refused.value) == messages.NO_RECIPE


# With engines: one that is lost, and the one in which its runs come back.


@dataclass(eq=False)
class Life:
    """An engine as a worker has it; what its runs would come back from is kept outside."""

    kept: dict[str, Recipe] = field(default_factory=dict)
    saving: Saving = ALWAYS
    viewers: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recording = Recording(self._keep, self.saving, steps_seconds=0.0)
        self.engine = Engine(SETTINGS, before_frame=self.recording.before_frame)
        self.service = Service(self.engine, self.recording)
        self.engine.start()

    def _keep(self, run_id: str, news: Recipe) -> None:
        whole = pickle.loads(pickle.dumps(news)).after(self.kept.get(run_id))
        assert whole is not None
        self.kept[run_id] = whole

    def open(self, run_id: str, bench: str, **values: Any) -> None:
        self.service.open(run_id, "session", bench, BENCHES[bench].config(**values), 1)
        self.watch(run_id)

    def watch(self, run_id: str) -> None:
        viewer = Asking(self.engine, run_id)
        self.viewers.append(viewer)
        self.engine.attach(run_id, viewer)
        viewer.ask()

    def call(self, run_id: str, function: Callable[[Any], Any]) -> Any:
        return self.engine.call(run_id, function, PATIENCE_SECONDS)

    def run(self, run_id: str) -> Any:
        return self.call(run_id, lambda run: run)

    def do(self, run_id: str, *commands: Command) -> None:
        for command in commands:
            self.engine.command(run_id, command)

    def reach(self, run_id: str, steps: int) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while self.call(run_id, lambda run: run.steps) < steps:
            assert time.monotonic() < end
            time.sleep(0.01)

    def lost(self) -> Life:
        """The next life, in which all runs come back."""
        self.recording.tick()
        self.engine.stop()
        found = Life(dict(self.kept))
        for run_id, recipe in self.kept.items():
            found.service.bring_back(BringBack(run_id, "session", recipe, 1, "It is back.", True))
            found.watch(run_id)
        return found


@dataclass(eq=False)
class Asking:
    """A viewer that asks for one frame after the other."""

    engine: Engine
    run_id: str

    def ask(self) -> None:
        self.engine.ask(self.run_id, self, ("loss",), {})

    def deliver(self, frame: bytes) -> None:
        self.ask()

    def dismiss(self, code: int, reason: str) -> None:
        """It has gone."""


@pytest.fixture
def life() -> Iterator[Life]:
    first = Life()
    yield first
    first.engine.stop()


@pytest.fixture
def lives(life: Life) -> Iterator[Callable[[Life], Life]]:
    """Ends a life and begins the next."""
    all_lives: list[Life] = []

    def lost(one: Life) -> Life:
        all_lives.append(one.lost())
        return all_lives[-1]

    yield lost
    for each in all_lives:
        each.engine.stop()


def alone(steps: int, **values: Any) -> Any:
    """A regression that has taken so many steps."""
    lesson: Any = BENCHES["regression"]
    run = lesson.build(lesson.config(**values), settings=SETTINGS)
    run.advance(LONG, steps)
    return run


def test_a_playing_run_comes_back_and_plays_on(life: Life, lives: Callable[[Life], Life]) -> None:
    life.open("a", "regression", max_steps=0)
    life.do("a", SetSpeed(200.0), Play())
    life.reach("a", 30)
    second = lives(life)
    known = life.kept["a"].steps
    assert second.engine._runs["a"].notice == "It is back." and second.engine._runs["a"].pacing.speed == 200.0
    second.reach("a", known + 20)
    second.do("a", Pause())
    run = second.run("a")
    assert_same("regression", run, alone(run.steps, max_steps=0))
    assert second.engine.state_of("a") == "paused"


def test_a_run_in_the_middle_of_many_steps_takes_the_rest(life: Life, lives: Callable[[Life], Life]) -> None:
    life.open("a", "regression", max_steps=0)
    life.do("a", Step(1000))
    life.reach("a", 50)
    second = lives(life)
    assert life.kept["a"].steps + life.kept["a"].owed == 1000
    second.reach("a", 1000)
    time.sleep(0.1)
    assert second.call("a", lambda run: run.steps) == 1000


def test_a_run_that_is_done_and_one_that_is_paused_stay_so(life: Life, lives: Callable[[Life], Life]) -> None:
    life.open("a", "regression", max_steps=25)
    life.open("b", "gradient_descent_line")
    life.do("a", SetSpeed(0), Play())
    life.do("b", Step(5))
    life.reach("a", 25)
    life.reach("b", 5)
    second = lives(life)
    assert_same("regression", second.run("a"), alone(25, max_steps=25))
    assert (second.engine.state_of("a"), second.engine.state_of("b")) == ("done", "paused")
    assert second.call("b", lambda run: run.steps) == 5
    second.do("a", Play())
    second.reach("a", 50)


def test_a_run_that_was_reset_and_tuned_comes_back_so_and_can_be_reset_again(
    life: Life, lives: Callable[[Life], Life]
) -> None:
    life.open("a", "regression", max_steps=0)
    life.do("a", Step(20), AddPoint(0.5, 0.5))
    life.reach("a", 20)
    life.engine.rebuild("a", BENCHES["regression"].config(max_steps=0, hidden=12), cores=1)
    life.do("a", Step(10))
    life.reach("a", 10)
    life.engine.tune("a", BENCHES["regression"].config(max_steps=0, hidden=12, lr=0.05))
    life.do("a", Step(10))
    life.reach("a", 20)
    before, second = life.run("a"), lives(life)
    assert_same("regression", before, second.run("a"))
    second.do("a", Reset())
    run = second.run("a")
    assert run.steps == 0 and run.edits.clicks and run.config.hidden == 12
    third = lives(second)
    assert_same("regression", run, third.run("a"))


@pytest.mark.parametrize("saving", ORIGINS.values(), ids=["repeats", "saved"])
@pytest.mark.parametrize("start", ["start", "here"])
@pytest.mark.parametrize("bench", ["regression", "classification", "optimizers", "cnn"])
def test_two_compared_runs_come_back_together(
    bench: str, start: Any, saving: Saving, life: Life, lives: Callable[[Life], Life]
) -> None:
    life.recording._saving = saving
    steps = 5 if bench == "cnn" else 40
    config: Any = BENCHES[bench].config(**(QUICK["cnn"] | {"epochs": 0} if bench == "cnn" else {"max_steps": 0}))
    life.service.open("a", "session", bench, config, 1)
    life.watch("a")
    life.do("a", Step(steps))
    life.reach("a", steps)
    life.service.open_beside("b", "a", start, "lr", 0.003)
    life.watch("b")
    life.engine.tune("a", config.with_values(momentum=0.5))
    if bench in ("regression", "classification"):
        life.do("a", AddPoint(0.4, 0.2))
    life.do("a", Step(steps))
    life.reach("b", 2 * steps)
    life.service.vary("b", "lr", 0.03)
    life.do("a", Step(steps))
    life.reach("b", 3 * steps)
    before, second = (life.run("a"), life.run("b")), lives(life)
    assert second.kept["b"].beside is not None and second.kept["b"].beside.value == 0.03
    for run_id, run in zip("ab", before, strict=True):
        other = second.run(run_id)
        assert_same_training(run, other)
        assert run.is_compared and other.is_compared
    assert type(second.run("b").replay).__name__ == "Comparison"
    second.engine.tune("a", config.with_values(momentum=0.5, weight_decay=0.001))
    second.do("a", Step(steps))
    second.reach("b", 4 * steps)
    assert second.call("b", lambda run: (run.config.lr, run.config.weight_decay)) == (0.03, 0.001)
    second.do("a", Reset())
    second.call("a", type)  # waits behind Reset; what is asked of the second run does not
    assert second.call("b", lambda run: (run.steps, run.config.lr)) == (0, 0.03) or start == "here"


def test_a_continued_run_and_the_run_before_come_back_together(life: Life, lives: Callable[[Life], Life]) -> None:
    config: Any = BENCHES["regression"].config(max_steps=0, optimizer="adam")
    life.service.open("a", "session", "regression", config, 1)
    life.watch("a")
    life.do("a", Step(40))
    life.reach("a", 40)
    life.service.open_beside("b", "a", "before", "", "")
    life.watch("b")
    life.do("a", GoBack(10))
    life.do("a", Step(20))
    life.reach("a", 30)
    before, second = (life.run("a"), life.run("b")), lives(life)
    assert second.kept["b"].beside is not None and second.kept["b"].beside.start == "before"
    assert [second.run(each).steps for each in "ab"] == [30, 40]
    for run_id, run in zip("ab", before, strict=True):
        assert_same_training(run, second.run(run_id))
    second.do("a", Step(20))
    second.reach("b", 50)
    assert second.call("a", lambda run: run.steps) == 50
    assert second.run("b").replay is None, "it repeats nothing of the first one"


def test_a_run_far_from_its_origin_shows_its_way_and_obeys_afterwards(life: Life) -> None:
    lesson: Any = BENCHES["classification"]
    config = lesson.config(max_steps=0)
    recipe = replace(noted("classification", NEVER, max_steps=0).recipe(), steps=6_000, outcome="", state="playing")
    seen: list[str] = []

    class Reading(Asking):
        def deliver(self, frame: bytes) -> None:
            seen.append(frame[: 4 + int.from_bytes(frame[:4], "little")].decode("utf-8", "ignore"))
            self.ask()

    life.service.bring_back(BringBack("a", "session", recipe, 1, "It is back.", True))
    viewer = Reading(life.engine, "a")
    life.engine.attach("a", viewer)
    viewer.ask()
    life.do("a", Pause())
    assert life.call("a", lambda run: run.steps) >= 6_000, "it answers when it has arrived"
    end = time.monotonic() + PATIENCE_SECONDS
    while life.engine.state_of("a") != "paused":
        assert time.monotonic() < end
    way = messages.COMING_BACK.partition("{")[0]
    assert any(way in head for head in seen[:3]) and len([head for head in seen if way in head]) > 2
    run = life.run("a")
    again = lesson.build(config, settings=SETTINGS)
    again.advance(LONG, run.steps)
    assert_same_training(run, again)


def test_what_cannot_come_back_says_so_and_starts_again(life: Life) -> None:
    recipe = replace(noted("regression").recipe(), version=99)
    life.service.bring_back(BringBack("a", "session", recipe, 1, "It is back.", True))
    end = time.monotonic() + PATIENCE_SECONDS
    while life.engine.state_of("a") != "failed":
        assert time.monotonic() < end
    assert life.engine._runs["a"].notice == messages.NO_RECIPE
