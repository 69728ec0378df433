"""Training runs on points: they can go back after a divergence, since their losses are quickly measured again."""

from __future__ import annotations

import numpy as np

from playground.runs.history import Snapshot
from playground.runs.training_run import TrainingRun, load_parameters
from playground.training.retune import optimizer_of


class PointRun(TrainingRun):
    """A `TrainingRun` whose `predict` gives `losses` by name, and that keeps the largest loss as `peak`."""

    peak: float

    def fits(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot's model has the current shape, and its weights are finite."""
        shapes, now = ([each.shape for each in model.parameters()] for model in
                       (self.snapshot_model(snapshot.config), self.model))  # fmt: skip
        return shapes == now and bool(snapshot.parameters.isfinite().all())

    def good_losses(self, snapshot: Snapshot) -> dict[str, float] | None:
        """The losses of a snapshot's weights, if its model has the current shape and they are finite."""
        if not self.fits(snapshot):
            return None
        model = self.snapshot_model(snapshot.config)
        load_parameters(model, snapshot.parameters)
        losses: dict[str, float] = self.predict(model, self.config).losses
        return losses if np.isfinite(losses["train"]) else None

    def went_back(self) -> None:
        """Begin with a new optimizer, and forget what came after the current step."""
        super().went_back()
        self.trainer.optimizer = optimizer_of(self.config, self.model)
        losses = [self.history.column(name) for name in ("train", "test")]
        self.peak = max(float(np.nanmax(each, initial=0.0)) for each in losses)
