"""What the charts, the status and the narrator of one frame are computed from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from playground.lessons.cnn.config import CnnConfig, CnnData
from playground.lessons.cnn.evaluation import Tester
from playground.lessons.cnn.predictions import Predictions
from playground.lessons.cnn.selection import Selection
from playground.runs.history import History, Snapshot, Snapshots
from playground.runs.training_run import View


@dataclass(frozen=True)
class FrameContext:
    """The run as one frame shows it: the view, the current settings and selection, and the records of the training."""

    config: CnnConfig
    digits: CnnData
    view: View
    selection: Selection
    history: History
    tester: Tester
    snapshots: Snapshots
    marks: Sequence[tuple[int, str]]
    plan_end: int  # the step at which the schedule's plan ends
    model_at: Callable[[Snapshot], nn.Sequential]
    live_model: nn.Sequential  # the current model, with its gradients

    @property
    def predictions(self) -> Predictions:
        """The output of every module of the model shown, for the selected image."""
        predictions: Predictions = self.view.predictions
        return predictions
