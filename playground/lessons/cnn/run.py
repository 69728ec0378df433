"""The run of the lesson "CNN on MNIST": training, tests between its steps, and what its charts are drawn from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from playground.engine.frames import Figure
from playground.engine.run import Drawing
from playground.knobs import Config
from playground.lessons.cnn import narrator as cnn_words
from playground.lessons.cnn import state as cnn_state
from playground.lessons.cnn.batches import ImageBatches
from playground.lessons.cnn.charts import by_name as cnn_charts
from playground.lessons.cnn.charts import draw as cnn_draw
from playground.lessons.cnn.charts.projection import Plane
from playground.lessons.cnn.config import DROPOUT, ORDER, CnnConfig, build_model, generator, load_digits, optimizer_of
from playground.lessons.cnn.evaluation import Tester, shares_of
from playground.lessons.cnn.metrics import LAYERS, Pace, Tally, layer_norms
from playground.lessons.cnn.predictions import Look, Moment, Seen
from playground.lessons.cnn.selection import LookingRun
from playground.runs.history import KINDS, Snapshot
from playground.runs.training_run import View, fill
from playground.settings import Settings
from playground.training import devices, models
from playground.training.optimizers import OPTIMIZERS, SCHEDULES
from playground.training.trainer import Trainer

SAMPLE_EVERY, EARLY = 128, (4, 8, 16, 32, 64)  # steps between two looks at a sample of the test images; the first ones
SAMPLE = 200  # images
IMAGES_PER_SLICE = 600  # learned from, for one slice of a test that goes on meanwhile
IMAGES_PER_TEST = 30_000  # learned from between two tests of everything, at least
WATCH_SECONDS = 3.0  # how long mistakes are followed after they were last drawn
COLUMNS = ("train", "accuracy", "test_accuracy", *(f"{kind} {name}" for name in LAYERS for kind in KINDS))


class CnnRun(LookingRun):
    """One student's training on digits."""

    frame_rate = 5.8  # while it plays: each frame costs the training of a few images

    def __init__(self, config: CnnConfig, settings: Settings, look: Look | None = None) -> None:
        self.digits, self.look = load_digits(config.torch_device), look or Look()
        self.dropout = models.Dropout(config.dropout, generator(config, DROPOUT))
        model = build_model(config, self.dropout).to(config.torch_device)
        x, y = self.digits.first(config.images)
        batches = ImageBatches(x, y, config.batch_size, generator(config, ORDER), config.augmentation)
        self.tally = Tally()
        self.tester = Tester(self.digits)
        self.sample = self.digits.x_test[:: max(1, len(self.digits.x_test) // SAMPLE)][:SAMPLE]
        self.sample_labels = self.digits.y_test[:: max(1, len(self.digits.x_test) // SAMPLE)][:SAMPLE].cpu().numpy()
        self.stop_epoch: float = config.epochs or math.inf
        self.plan = 0, max(1, config.epochs) * batches.steps_per_epoch  # the schedule's first step, and its steps
        self.watched_at = -math.inf
        self.restless = False
        self.drawn_at = -1  # the step of the last frame
        self.pace, self.plane = Pace(), Plane()
        self.trained = self.tested_at = self.owed = 0  # images
        super().__init__(
            config, self.digits, model, Trainer(model, self.tally, optimizer_of(config, model), batches), COLUMNS,
            settings,
        )  # fmt: skip

    # Training.

    @property
    def auto_speed(self) -> float:
        """Always as fast as it can: one epoch takes long enough."""
        return 0.0

    def use_cores(self, count: int) -> None:
        """Its share of the machine: it decides the number of threads at the first step, and later only lowers it.

        Each change adds sums in another order, which changes the weights by 1e-8 at first, so it is in the journal; and
        a run that repeats another one uses as many threads as that one did.
        """
        if self.replay is not None and self.replay.sets_threads(self.steps):
            return
        count = min(count, devices.MAX_THREADS)
        if self.threads is None or count < self.threads:
            self.use_threads(count)

    @property
    def cores(self) -> int:
        """The threads that one operation of torch uses; before a share was given, as many as in the calling thread."""
        return self.threads or min(torch.get_num_threads(), devices.MAX_THREADS)

    def advance(self, seconds: float, steps: int) -> int:
        """Take steps, and slices of tests between them, until the time is up or the run ends."""
        end = time.perf_counter() + seconds
        taken = 0
        with devices.threads(self.cores):
            while taken < steps and not self.outcome:
                if self.trainer.batches.epochs >= self.stop_epoch:
                    self._finish()
                else:
                    self.step()
                    taken += 1
                    if torch.get_num_threads() != self.cores:  # a replay has changed it
                        torch.set_num_threads(self.cores)
                if time.perf_counter() >= end:
                    break
        return taken

    def step(self) -> None:
        """One optimizer update, and what is remembered of it; a slice of a test every few steps."""
        if self.threads is None:
            self.use_threads(self.cores)
        config, epochs = self.config, self.trainer.batches.epochs
        if config.schedule != "constant" and config.epochs:
            self._use_rate(config.lr * SCHEDULES[config.schedule].factor(self.steps - self.plan[0], self.plan[1]))
        with torch.autocast(config.torch_device, torch.bfloat16) if config.precision == "bfloat16" else nullcontext():
            super().step()
        if not self.outcome:
            self._count(self.trainer.batches.epochs > epochs)

    def _count(self, epoch_ended: bool) -> None:
        """After a step: begin a test where one is due, and go on with it."""
        images = min(self.trainer.batches.batch_size, len(self.trainer.batches.x))
        self.pace.count(images)
        self.trained += images
        if epoch_ended and (self.trained - self.tested_at >= IMAGES_PER_TEST or self._is_last()):
            self._test(whole=True)
        elif self.tester.pending is None and time.monotonic() < self.watched_at + WATCH_SECONDS:
            self._test(whole=False)
        self.owed = min(self.owed + images, 10 * IMAGES_PER_SLICE) if self.tester.pending else 0
        while self.owed >= IMAGES_PER_SLICE and not self._is_last():
            self.owed -= IMAGES_PER_SLICE
            self.tester.advance()

    def _is_last(self) -> bool:
        return self.trainer.batches.epochs >= self.stop_epoch

    def _test(self, *, whole: bool) -> None:
        self.tested_at = self.trained if whole else self.tested_at
        self.tester.begin(self.model, steps=self.steps, epochs=self.trainer.batches.epochs, whole=whole)

    def _finish(self) -> None:
        """The epochs are over: what is left to do is the test of the last one."""
        if self.tester.whole and self.tester.whole[-1][0] == self.steps:
            self.outcome = "done"
            if self.replay is not None and self.replay.leads_past(self.steps):
                self.resume()
        elif self._is_finishing():
            self.tester.advance()
        else:
            self._test(whole=True)

    def _is_finishing(self) -> bool:
        """Whether nothing but the test of the last epoch is left to do."""
        pending = self.tester.pending
        ends = self._is_last() and not self.outcome
        return ends and pending is not None and pending.is_whole and pending.steps == self.steps

    def _use_rate(self, lr: float) -> None:
        for group in self.trainer.optimizer.param_groups:
            group["lr"] = lr

    def measure(self) -> dict[str, float]:
        """What the batches since the last row gave, and now and then the accuracy on a sample of test images."""
        self.averaged = range(self.steps - self.tally.counted, self.steps)
        row = self.tally.row()
        if self.steps % SAMPLE_EVERY == 0 or self.steps in EARLY:
            guesses = shares_of(self.model, self.sample).argmax(axis=1)
            row["test_accuracy"] = float((guesses == self.sample_labels).mean())
        return row

    def trace(self, before: list[Tensor]) -> dict[str, float]:
        """The Euclidean norms of each layer's gradient and of its last update."""
        return layer_norms(self.model, dict(zip(map(id, self.parameters), before, strict=True)))

    def tune(self, config: Config) -> None:
        """Turn live knobs without a reset; another image to look at is no change of the training."""
        assert isinstance(config, CnnConfig)
        if config.image != self.config.image:
            self.look.own = self.look.picked = None
        was_done, self.config = self.outcome == "done", self.config.with_values(image=config.image)
        super().tune(config)
        if was_done and self._is_last():
            self.outcome = "done"

    def retune(self, before: CnnConfig, after: CnnConfig, names: set[str]) -> None:
        """Hand the turned knobs to the running trainer."""
        trainer = self.trainer
        self.dropout.p = after.dropout
        if "optimizer" in names:
            trainer.optimizer = optimizer_of(after, self.model)
        for group in trainer.optimizer.param_groups:
            group["lr"], group["weight_decay"] = after.lr, after.weight_decay
            if OPTIMIZERS[after.optimizer].momentum:
                group["momentum"] = after.momentum
        assert isinstance(trainer.batches, ImageBatches)
        trainer.batches.augmentation = after.augmentation
        if "images" in names:
            trainer.batches.replace(*self.digits.first(after.images))
        if "batch_size" in names:
            trainer.batches.resize(after.batch_size)
        if "epochs" in names:
            self.stop_epoch = after.epochs or math.inf
        if names & {"epochs", "batch_size", "images", "schedule"} and after.epochs:
            self.plan = self.plan[0], max(1, self.steps - self.plan[0] + self._steps_left())

    def _steps_left(self) -> int:
        """Until the stop rule applies; 0 where it already does."""
        left = self.stop_epoch - self.trainer.batches.epochs
        return self.steps_in_epochs(int(left)) if 0 < left < math.inf else 0

    def resume(self) -> None:
        """Train on for as many epochs as the stop rule first gave."""
        if self.outcome == "done":
            self.stop_epoch = self.trainer.batches.epochs + (self.config.epochs or math.inf)
            self.plan = self.steps, max(1, self._steps_left())
            self.outcome = ""

    def rebuilt(self, config: CnnConfig) -> Self:
        """A run from the start that looks at the same image."""
        return type(self)(config, self.settings, self.look)

    def printed_names(self) -> list[str]:
        """The script's model has a dropout module only if dropout was on at some time, as the journal knows it."""
        drops = any(each.config.dropout for each in (self.journal.start, *self.journal.changes))
        return super().printed_names() if drops else list(build_model(self.config).state_dict())

    def own_state(self) -> dict[str, Any]:
        """What it keeps besides."""
        return cnn_state.own_state(self)

    def load_own_state(self, state: Any) -> None:
        """Take that up again."""
        cnn_state.load_own_state(self, state)

    # Drawing.

    @torch.no_grad()
    def edit(self, command: Mapping[str, Any]) -> None:
        """Look at another image, or at what was clicked on."""
        if command.get("do") in ("pick", "explain"):
            cnn_charts.pick(self.scene(), self.plane, command)
        else:
            super().edit(command)

    def see(self, model: nn.Sequential, config: CnnConfig) -> Seen:
        """What the model makes of the image that is looked at."""
        del config  # the image is that of now, also where the model is of before
        image, label = self.look.image(self.config, self.digits), self.look.label(self.config, self.digits)
        return Seen(model, image, label)

    def scene(self, view: View | None = None) -> Moment:
        """What the charts draw."""
        return Moment(
            config=self.config, digits=self.digits, view=view or self.view(), look=self.look, history=self.history,
            tester=self.tester, snapshots=self.snapshots, marks=self.marks, until=self.plan[0] + self.plan[1],
            model_at=self.model_at, learning=self.model,
        )  # fmt: skip

    def model_at(self, snapshot: Snapshot) -> nn.Sequential:
        """The model of a snapshot, until the next is asked for."""
        model = self.ghost(snapshot.config)
        fill(model, snapshot.parameters)
        return model

    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        """The charts asked for; where mistakes are among them, their test goes on while nothing is learned."""
        with devices.threads(self.cores):
            drawing = super().draw(charts, options)
            view, rests = self.view(), self.steps == self.drawn_at
            self.drawn_at, self.restless = self.steps, self.plane.waits or self.desk.waits or self._is_finishing()
            if rests and self._is_finishing():  # paused just there
                self.tester.advance()
            elif cnn_charts.shows_mistakes(charts):
                self.watched_at = time.monotonic()
                self._keep_testing(view, rests=rests)
        return drawing

    @torch.no_grad()
    def _keep_testing(self, view: View, *, rests: bool) -> None:
        tester = self.tester
        if tester.latest is not None and tester.latest.steps == view.steps:
            return
        self.restless = True
        if rests:
            if tester.pending is None or tester.pending.steps != view.steps:
                tester.begin(view.model, steps=view.steps, epochs=view.epochs, whole=False)
            tester.advance()

    def figures(self, view: View, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The charts by name."""
        moment = self.scene(view)
        return cnn_charts.figures(moment, self.plane, options) | cnn_draw.figures(moment, self.desk, options)

    def status(self, view: View) -> dict[str, float]:
        """Losses and accuracies at the step that is shown, as fractions of 1; speed and seconds left of now."""
        rate, left = self.pace.images_per_second, self._steps_left() * self.trainer.batches.batch_size
        done = [accuracy for step, accuracy, _ in self.tester.whole if step <= view.steps]
        return {
            "loss": self._last("train", view.steps),
            "accuracy": self._last("accuracy", view.steps),
            "test_accuracy": self._last("test_accuracy", view.steps),
            "full_accuracy": done[-1] if done else math.nan,
            "images_per_second": float(f"{rate:.3g}"),
            "seconds_left": float(round(left / rate)) if rate and math.isfinite(self.stop_epoch) else math.nan,
        }

    def _last(self, column: str, step: int) -> float:
        """The last value of a column of the history that there was at a step."""
        values = self.history.column(column)[self.history.steps() <= step]
        values = values[np.isfinite(values)]
        return float(values[-1]) if len(values) else math.nan

    def narrate(self, view: View) -> str:
        """What the model makes of the image, and how the test went."""
        return cnn_words.narrate(self.scene(view), self.outcome, is_last=self._is_last())
