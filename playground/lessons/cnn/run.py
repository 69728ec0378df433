"""The run of the lesson "CNN on MNIST": its training, what a visitor changes on the way, its checkpoint, its charts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from playground.engine.commands import Command, Draw, Explain, Pick, Slide
from playground.engine.frames import Figure
from playground.engine.run import Drawing
from playground.glance import OWN_IMAGE, Miniature, digit, pixel_bytes
from playground.knobs import Config
from playground.lessons.cnn.batches import ImageBatches
from playground.lessons.cnn.charts import by_name, window
from playground.lessons.cnn.charts.draw import SLOW_CHARTS, PendingWork
from playground.lessons.cnn.charts.projection import Projection
from playground.lessons.cnn.config import (
    DROPOUT_SEED,
    ORDER_SEED,
    CnnConfig,
    build_model,
    generator,
    load_digits,
)
from playground.lessons.cnn.drawing.drawing import DrawingPace
from playground.lessons.cnn.evaluation import MAX_KEPT_TESTS, FullTest, Tester, WayOfTests, is_sample_due
from playground.lessons.cnn.frame_context import FrameContext
from playground.lessons.cnn.long_steps import LongTrainer, is_long
from playground.lessons.cnn.metrics import LAYERS, Throughput, TrainingMetrics, layer_norms
from playground.lessons.cnn.narrator import narrate
from playground.lessons.cnn.predictions import Predictions
from playground.lessons.cnn.selection import Selection
from playground.runs import state_checks as check
from playground.runs.history import KINDS, Snapshot
from playground.runs.past import Past
from playground.runs.training_run import TrainingRun, View, load_parameters
from playground.settings import Settings
from playground.training import devices, models
from playground.training.optimizers import SCHEDULES
from playground.training.retune import optimizer_of, retune_optimizer
from playground.training.thread_choice import CHOICE

SMALL_EVERY = 8  # frames between two that have a small picture of a chart; one that is looked at comes more often
PLANE_EVERY = (
    40  # frames after which the small picture of the last layer is drawn again: 500 images go through the model
)
FRAME_RATE = 5.8  # frames per second while it plays: each frame costs the training of a few images
COLUMNS = ("train", "accuracy", "test_accuracy", *(f"{kind} {name}" for name in LAYERS for kind in KINDS))


class CnnRun(TrainingRun):
    """One student's training on digits. Only one thread touches it at a time."""

    trainer: LongTrainer

    inert_knobs = TrainingRun.inert_knobs | {"image", "epochs", "test_mode", "test_order"}

    def __init__(self, config: CnnConfig, settings: Settings, selection: Selection | None = None) -> None:
        self.digits, self.selection = load_digits(config.torch_device), selection or Selection()
        self.dropout = models.Dropout(config.dropout, generator(config, DROPOUT_SEED))
        model = build_model(config, self.dropout).to(config.torch_device)
        x, y = self.digits.first(config.images)
        batches = ImageBatches(x, y, config.batch_size, generator(config, ORDER_SEED), config.augmentation,
                               is_sorted=config.train_order == "sorted")  # fmt: skip
        self.metrics = TrainingMetrics()
        self.tester = Tester(self.digits)
        self.tester.way = way_of_tests(config)
        self.stop_epoch: float = config.epochs or math.inf
        self.plan = 0, max(1, config.epochs) * batches.steps_per_epoch  # the schedule's first step, and its steps
        self.restless = False
        self.drawn_at = -1  # the step of the last frame
        self.frames = 0
        self.asked_at: dict[str, int] = {}  # the last frame that had each chart
        self.small: set[str] = set()  # charts of the frame that is drawn which stand as small pictures
        self.plane: tuple[int, Figure] | None = None  # the last one, and its frame
        self.drawing_pace, self.throughput = DrawingPace(FRAME_RATE), Throughput()
        self.projection, self.pending_work = Projection(), PendingWork()
        trainer = LongTrainer(
            model, self.metrics, optimizer_of(config, model), batches, device=config.torch_device,
            precision=config.precision,
        )  # fmt: skip
        self._is_long = is_long(trainer)
        super().__init__(config, self.digits, model, trainer, COLUMNS, settings)

    # Training.

    @property
    def auto_speed(self) -> float:
        """Full speed (0): one epoch takes long enough to be watched."""
        return 0.0

    def use_cores(self, count: int) -> None:
        """Choose the number of threads, which stays until Reset; a run that has one already keeps it.

        Free cores alone are no reason for several threads: they must have been measured to be faster on this server.
        With another number of threads sums are added in another order, which changes the weights by 1e-8 at first. So
        the number is in the journal, and a replay uses as many threads as the original run.
        """
        if self.threads is None and not (self.replay is not None and self.replay.sets_threads(self.steps)):
            self.use_threads(CHOICE.threads(min(count, devices.MAX_THREADS)))

    @property
    def cores(self) -> int:
        """The threads that one operation of torch uses; those of the calling thread until a share was given."""
        return self.threads or min(torch.get_num_threads(), devices.MAX_THREADS)

    def advance(self, seconds: float, steps: int) -> int:
        """Take steps, with slices of tests between them, until the time is up or the run ends; returns their number.

        A long step is prepared in parts, so that time may be up before it is taken.
        """
        end = time.perf_counter() + seconds
        taken = 0
        with devices.threads(self.cores):
            while taken < steps and not self.outcome:
                if self._is_last():
                    self._finish()
                elif self._prepare():
                    self.step()
                    taken += 1
                    if torch.get_num_threads() != self.cores:  # a replay has changed it
                        torch.set_num_threads(self.cores)
                if time.perf_counter() >= end:
                    break
        return taken

    def prepare(self) -> bool:
        """Do a part of what the coming step computes, if it is long; returns whether `advance` takes it at once."""
        if self.outcome or self._is_last():
            return True
        with devices.threads(self.cores):
            return self._prepare()

    def _prepare(self) -> bool:
        if self.threads is None:
            self.use_threads(self.cores)
        return not self._is_long or self.trainer.prepare()

    def step(self) -> None:
        """Take one optimizer update and record it; every few steps test a slice."""
        if self.threads is None:
            self.use_threads(self.cores)
        config, epochs = self.config, self.trainer.batches.epochs
        if config.schedule != "constant" and config.epochs:
            self._use_rate(config.lr * SCHEDULES[config.schedule].factor(self.steps - self.plan[0], self.plan[1]))
        super().step()
        if not self.outcome:
            self._count(ends_epoch=self.trainer.batches.epochs > epochs)

    def _count(self, *, ends_epoch: bool) -> None:
        images = min(self.trainer.batches.batch_size, len(self.trainer.batches.x))
        self.throughput.count(images)
        self.tester.after_step(self.model, self.steps, images, ends_epoch=ends_epoch, is_last=self._is_last())

    def _is_last(self) -> bool:
        """Whether the last epoch is over."""
        return self.trainer.batches.epochs >= self.stop_epoch

    def _finish(self) -> None:
        """Test the next slice after the last epoch, or end the run once all test images are tested."""
        if self.tester.has_tested_all(self.steps):
            self.progress.outcome = "done"
            if self.replay is not None and self.replay.leads_past(self.steps):
                self.resume()
        else:
            self.tester.finish(self.model, self.steps)

    def _is_finishing(self) -> bool:
        """Whether only the test after the last epoch is left to do."""
        return self._is_last() and not self.outcome and self.tester.is_testing_all(self.steps)

    def _use_rate(self, lr: float) -> None:
        for group in self.trainer.optimizer.param_groups:
            group["lr"] = lr

    def measure(self) -> dict[str, float]:
        """The metrics of the batches since the last row, and now and then the accuracy on a sample of test images."""
        self.averaged = range(self.steps - self.metrics.counted, self.steps)
        row = self.metrics.row()
        if is_sample_due(self.steps):
            row["test_accuracy"] = self.tester.sample_accuracy(self.model, self.steps)
        return row

    def trace(self, before: list[Tensor]) -> dict[str, float]:
        """The Euclidean norms of each layer's gradient and of its last update."""
        return layer_norms(self.model, dict(zip(map(id, self.parameters), before, strict=True)))

    def tune(self, config: Config) -> None:
        """Change live knobs without a reset; selecting another image does not change the training."""
        assert isinstance(config, CnnConfig)
        if config.image != self.config.image:
            self.selection.own_image = self.selection.picked = None
        was_done, self.config = self.outcome == "done", self.config.with_values(image=config.image)
        super().tune(config)
        self.tester.use(way_of_tests(config), self.model, self.steps)
        if was_done and self._is_last():  # a test that is made again goes on while the run rests
            self.progress.outcome = "done" if self.tester.has_tested_all(self.steps) else ""

    def retune(self, before: CnnConfig, after: CnnConfig, names: set[str]) -> None:
        """Give the changed knobs to the running trainer."""
        trainer = self.trainer
        if names:
            trainer.forget()
        self.dropout.p, trainer.precision = after.dropout, after.precision
        retune_optimizer(trainer, after, is_new="optimizer" in names)
        assert isinstance(trainer.batches, ImageBatches)
        trainer.batches.augmentation = after.augmentation
        if "images" in names:
            trainer.batches.replace(*self.digits.first(after.images))
        if "batch_size" in names:
            trainer.batches.resize(after.batch_size)
        self._is_long = is_long(trainer)
        if "epochs" in names:
            self.stop_epoch = after.epochs or math.inf
        if names & {"epochs", "batch_size", "images", "schedule"} and after.epochs:
            self.plan = self.plan[0], max(1, self.steps - self.plan[0] + self._steps_left())

    def use_threads(self, count: int) -> None:
        """Compute with this many threads from now on, and record that in the journal."""
        self.trainer.forget()
        super().use_threads(count)

    def use_weights(self, weights: Any) -> None:
        """Put these weights into the running model; optimizer, batches and history stay as they are."""
        self.trainer.forget()
        super().use_weights(weights)

    def _steps_left(self) -> int:
        """How many steps are left until the stop rule applies; 0 if it already does or if there is none."""
        left = self.stop_epoch - self.trainer.batches.epochs
        return self.steps_in_epochs(int(left)) if 0 < left < math.inf else 0

    @property
    def resumes(self) -> int:
        """How often it was resumed after its last epoch."""
        epochs = self.config.epochs
        return round(self.stop_epoch / epochs) - 1 if epochs and math.isfinite(self.stop_epoch) else 0

    def resume(self) -> None:
        """Continue for as many epochs as the stop rule first allowed."""
        if self.outcome == "done":
            self.stop_epoch = self.trainer.batches.epochs + (self.config.epochs or math.inf)
            self.plan = self.steps, max(1, self._steps_left())
            self.progress.outcome = ""

    def rebuilt(self, config: CnnConfig) -> Self:
        """A run from step 0 with the same selection."""
        return type(self)(config, self.settings, self.selection)

    def selected(self) -> Selection:
        """A copy of the selection: the image and its drawing, the map and the cell."""
        return self.selection.copied()

    def select(self, selected: Selection) -> None:
        """Show another run's selection."""
        self.selection = selected.copied()

    def script_names(self) -> list[str]:
        """The names of the tensors in the script's model, which has a dropout module only if dropout was ever on."""
        drops = any(each.config.dropout for each in (self.journal.start, *self.journal.changes))
        return super().script_names() if drops else list(build_model(self.config).state_dict())

    # Its checkpoint.

    def own_state(self) -> dict[str, Any]:
        """What a checkpoint holds of this lesson: dropout's random numbers, stop and plan, counts, tests, threads."""
        return {
            "dropout": self.dropout.generator.get_state(),
            "stop_epoch": check.finite_or_none(self.stop_epoch),
            "plan": list(self.plan),
            "counts": [self.tester.trained, self.tester.trained_at_full_test],
            "tally": self.metrics.state(),
            "tests": [list(test) for test in self.tester.full_tests],
            "threads": self.threads,
        }

    def load_own_state(self, state: Any) -> None:
        """Take over what `own_state` returned. Raises StateError."""
        names = ("dropout", "stop_epoch", "plan", "counts", "tally", "tests", "threads")
        has_threads = not isinstance(state, dict) or "threads" in state  # not in files of earlier versions
        found = check.entries(state if has_threads else state | {"threads": None}, names, "own")
        self.trainer.forget()
        self.dropout.generator.set_state(check.generator(found["dropout"], "own/dropout"))
        stop = found["stop_epoch"]
        self.stop_epoch = math.inf if stop is None else check.number(stop, "stop_epoch")
        plan, counts = (check.rows([found[name]], 1, 2, name)[0] for name in ("plan", "counts"))
        self.plan = check.whole(plan[0], "plan"), check.whole(plan[1], "plan", 1)
        batches, images, loss, right = check.rows([found["tally"]], 1, 4, "tally")[0]
        self.metrics.load_state(
            check.whole(batches, "tally"), check.whole(images, "tally"), check.number(loss, "tally"),
            check.whole(right, "tally"),
        )  # fmt: skip
        full_tests = [
            FullTest(check.whole(step, "tests"), check.number(accuracy, "tests", 1.0), check.number(loss, "tests"))
            for step, accuracy, loss in check.rows(found["tests"], MAX_KEPT_TESTS, 3, "tests")
        ]
        self.tester.restore([check.whole(each, "counts") for each in counts], full_tests)
        if found["threads"] is not None:
            self.threads = min(check.whole(found["threads"], "threads", 1, devices.MAX_THREADS), self.settings.cores)

    def past(self) -> Past:
        """Also a test that is not finished."""
        return replace(super().past(), own=self.tester.unfinished())

    def recall(self, past: Past) -> None:
        """Also continue the test."""
        super().recall(past)
        if past.own is not None:
            self.tester.continue_test(self.model, past.own)

    # Its charts.

    def miniature(self) -> Miniature:
        """The selected image and the probability of each digit."""
        predictions = self.predict(self.model, self.config)
        number = OWN_IMAGE if predictions.label is None else self.selection.image_number(self.config, self.digits)
        pixels = self.selection.image(self.config, self.digits)[0, 0].numpy()
        return replace(digit(number, predictions.probabilities), data=pixel_bytes(pixels))

    def size(self) -> int:
        """The number of parameters in hundreds."""
        return -(-self.parameter_count // 100)

    @property
    def frame_rate(self) -> float:
        """Frames per second while it plays; more while somebody draws."""
        return self.drawing_pace.frame_rate

    @torch.no_grad()
    def edit(self, command: Command) -> None:
        """Select what was clicked on; take over a drawing, or the value of a slider. Raises ValueError."""
        if isinstance(command, Draw):
            self.selection.own_image = self.selection.drawing.draw(command.bits)
            self.drawing_pace.stroke()
        elif isinstance(command, Slide):
            if command.name in {each.name for each in window.SLIDERS}:
                self.selection.slide_window(command.name, command.value)
            else:
                self.selection.drawing.slide(command.name, command.value)
        elif isinstance(command, Pick | Explain):
            by_name.pick(self.frame_context(), self.projection, command)
        else:
            super().edit(command)

    def use_picture(self, grey: Any) -> None:
        """Show a picture of a digit, grey levels uint8 (height, width), in all charts. Raises ValueError."""
        self.selection.own_image = self.selection.drawing.use_picture(grey)

    def predict(self, model: nn.Sequential, config: CnnConfig) -> Predictions:
        """A model's outputs for the selected image."""
        del config  # always the current image, even when an earlier snapshot of the model is shown
        image, label = self.selection.image(self.config, self.digits), self.selection.label(self.config, self.digits)
        return Predictions(model, image, label)

    def frame_context(self, view: View | None = None) -> FrameContext:
        """What a frame is drawn from: of a view, or of the step that is shown."""
        return FrameContext(
            config=self.config, digits=self.digits, view=view or self.view(), selection=self.selection,
            history=self.history, tester=self.tester, snapshots=self.snapshots, marks=self.marks,
            plan_end=self.plan[0] + self.plan[1], model_at=self.model_at, live_model=self.model,
        )  # fmt: skip

    def model_at(self, snapshot: Snapshot) -> nn.Sequential:
        """The model of a snapshot; valid until the next one is asked for."""
        model = self.snapshot_model(snapshot.config)
        load_parameters(model, snapshot.parameters)
        return model

    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        """The charts asked for; the first frame after a stroke leaves out the slow ones.

        While the training rests, its tests advance here, a slice for each frame.
        """
        selection = self.selection
        if selection.drawing.switch(options) and selection.own_image is not None:
            selection.own_image = selection.drawing.input()
        rests = self.steps == self.drawn_at
        self._note_small(charts, rests=rests)
        leaves_out = self.drawing_pace.leaves_out_slow_charts(charts)
        drawn = [name for name in charts if name not in SLOW_CHARTS] if leaves_out else charts
        with devices.threads(self.cores):
            drawing = super().draw(drawn, options)
            view = self.view()
            self.drawn_at = self.steps
            is_pending = self.projection.is_pending or self.pending_work.is_pending or leaves_out
            moves = bool(options.get(window.MOVES.name)) and window.CHART in set(charts) - self.small
            if moves:
                selection.move_window()
            self.restless = is_pending or moves or self._is_finishing()
            if rests and self._is_finishing():  # paused just there
                self.tester.advance()
            elif by_name.shows_mistakes(set(charts) - self.small):
                self.restless |= self.tester.watch(view.model, view.steps, rests=rests)
            elif by_name.shows_mistakes(charts):  # small: tested when the training rests
                self.restless |= self.tester.latest is None or self.tester.latest.steps != view.steps
        return drawing

    def _note_small(self, charts: list[str], *, rests: bool) -> None:
        """Note which of these charts are small pictures: while it trains, they cost no test and no new projection."""
        self.frames += 1
        late = {name for name in charts if self.frames - self.asked_at.get(name, -SMALL_EVERY) >= SMALL_EVERY}
        self.small = set() if rests else late
        self.asked_at |= dict.fromkeys(charts, self.frames)

    def figures(self, view: View, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The functions that draw the charts, by chart name."""
        found = by_name.figures(self.frame_context(view), self.projection, self.pending_work, options)
        return found | {"plane": lambda: self._plane(found["plane"])}

    def _plane(self, draw: Callable[[], Figure]) -> Figure:
        if self.plane is None or "plane" not in self.small or self.frames - self.plane[0] >= PLANE_EVERY:
            self.plane = self.frames, draw()
        return self.plane[1]

    def status(self, view: View) -> dict[str, float]:
        """Losses and accuracies at the step shown, as fractions of 1; current images per second and seconds left."""
        rate, left = self.throughput.images_per_second, self._steps_left() * self.trainer.batches.batch_size
        full_accuracy = self.tester.accuracy_at(view.steps)
        return {
            "loss": self._last("train", view.steps),
            "accuracy": self._last("accuracy", view.steps),
            "test_accuracy": self._last("test_accuracy", view.steps),
            "full_accuracy": math.nan if full_accuracy is None else full_accuracy,
            "images_per_second": float(f"{rate:.3g}"),
            "seconds_left": float(round(left / rate)) if rate and math.isfinite(self.stop_epoch) else math.nan,
        }

    def _last(self, column: str, step: int) -> float:
        """The last finite value in a column of the history up to a step; NaN if there is none."""
        values = self.history.column(column)[self.history.steps() <= step]
        values = values[np.isfinite(values)]
        return float(values[-1]) if len(values) else math.nan

    def narrate(self, view: View) -> str:
        """How far the training is, or how the model reads the selected image."""
        return narrate(self.frame_context(view), self.period, self.outcome, is_last=self._is_last())


def way_of_tests(config: CnnConfig) -> WayOfTests:
    """How a config tests the model."""
    return WayOfTests(trains=config.test_mode == "train", is_sorted=config.test_order == "sorted")
