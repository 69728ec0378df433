"""What a training shows, in numbers: the record that the doctor's rules read."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

LATE = 0.1  # of the losses, the last ones: their median is the loss at the end
POOR = 0.5  # of the loss of the best constant prediction: a higher loss at the end is poor


@dataclass(frozen=True)
class Layer:
    """A layer, by its weight matrix or kernel.

    `size` is the number of its weights, `gradient` the norm of their gradient over the first steps, `places` how often
    each weight is used for one example: a kernel at each place of its output. `has_moved` says
    whether a weight has changed since the first step, `is_optimized` whether an optimizer that takes steps has it.
    `same_units` says whether all of its units (at least two) had equal weights at the start and have them now.
    """

    size: int
    units: int = 0
    gradient: float = math.nan
    places: int = 1
    has_moved: bool = True
    has_gradient: bool = True  # other than 0, at least once
    is_frozen: bool = False
    is_optimized: bool = True
    same_units: bool = False
    missed: int = 0  # of the first steps: those in which the backward pass did not reach it
    passes: int = 0

    @property
    def pull(self) -> float:
        """The gradient of one use of one weight, as far as uses differ by chance."""
        return self.gradient / math.sqrt(self.size * self.places)


@dataclass(frozen=True)
class Mode:
    """A kind of module whose mode matters ("dropout" or "batch norm"), and how many passes it was in the wrong one."""

    module: str
    wrong: int
    passes: int
    first_step: int = 0


@dataclass(frozen=True)
class TestCurve:
    """The losses on the same data without training on it, and the steps at which they were computed."""

    __test__ = False  # for pytest

    steps: tuple[int, ...]
    losses: tuple[float, ...]


@dataclass(frozen=True)
class Evidence:
    """What was observed of a training. Each field has a default that tells the rules nothing.

    Steps are counted in backward passes, from 1; 0 stands for "never".
    """

    losses: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))  # one for each backward pass
    layers: tuple[Layer, ...] = ()  # in the order of the forward pass
    since: str = ""  # the last change in words, for a narrator
    steps_taken: int = 0  # where `losses` has only some of them

    # The step.
    updates: int = 0  # calls of optimizer.step()
    empty_updates: int = 0  # those of them that found no gradient, or zeros
    kept_gradients: int = 0  # backward passes that added to a gradient that an update had used already
    kept_norm: float = math.nan  # of such an old gradient
    new_norm: float = math.nan  # of the new one
    models: int = 1  # trained one after the other, with the same shapes, none used again
    is_one_model: bool = True  # whether all losses are of the same model
    are_weights_finite: bool = True
    steps_per_model: int = 0

    # The loss function.
    loss: str = ""  # "cross entropy", "nll", "bce", "mse" or ""
    is_summed: bool = False
    rows: int = 0
    prediction_shape: tuple[int, ...] = ()
    target_shape: tuple[int, ...] = ()
    is_probability: bool = False  # whether a loss that expects logits got probabilities
    floor: float = math.nan  # the lowest loss that probabilities can reach
    row_sum: float = math.nan  # of exp(prediction), for a loss that expects log-probabilities: the median of the rows
    column_sum: float = math.nan
    constant_loss: float = math.nan  # the loss of the best constant prediction
    classes: int = 0

    # Modes.
    modes_in_training: tuple[Mode, ...] = ()  # in eval mode
    modes_in_test: tuple[Mode, ...] = ()  # in train mode
    batch_norm_of_one: int = 0  # steps in which batch norm saw a batch of one

    # What comes in.
    bad_columns: int = 0  # columns of the inputs that are not finite
    columns: int = 0
    input_mean: float = math.nan  # of the column that is furthest from 0
    input_spread: float = math.nan  # the standard deviation: of the column with the largest one
    all_spread: float = math.nan  # that of all inputs together
    target_mean: float = math.nan
    target_spread: float = math.nan
    same_rows: int = 0  # if each step draws a batch, and always the same: its rows
    source_rows: int = 0  # out of how many
    batch_classes: float = math.nan  # the median number of classes in a batch
    expected_classes: float = math.nan  # the same for batches drawn at random

    # What goes on inside.
    first_rate: float = math.nan
    last_rate: float = math.nan
    rate_gone_at: int = 0  # the step since which the rate is below a thousandth of the highest one
    dead: int = 0  # units of the ReLU layer with the largest share of dead ones
    dead_of: int = 0
    log_of_zero_at: int = 0
    root_of_zero_at: int = 0
    decay: float = 0.0  # the optimizer's weight decay
    decay_share: float = math.nan  # its pull at the end, in units of the loss's gradient
    output_zeros: float = math.nan  # the share of outputs that are exactly 0, where the last operation is a ReLU
    targets_below_zero: float = math.nan  # the share of the targets
    output_spread: float = math.nan  # the standard deviation of the predictions, at the end
    one_class: int = -1  # the only class that is predicted at the end; -1 if there are several
    linear_pairs: int = 0  # neighbouring layers without an activation between them
    unused_graphs: int = 0  # losses added up with their graphs, never used by a backward pass
    tests: tuple[TestCurve, ...] = ()
    was_restored: bool = False  # whether weights were loaded after the last update

    @property
    def steps(self) -> int:
        """The number of backward passes."""
        return self.steps_taken or len(self.losses)

    @cached_property
    def first_loss(self) -> float:
        """The loss of the first step; NaN before it."""
        return float(self.losses[0]) if len(self.losses) else math.nan

    @cached_property
    def end_loss(self) -> float:
        """The median loss of the last steps; NaN where one is not finite."""
        late = self.losses[-max(1, int(LATE * len(self.losses))) :]
        return float(np.median(late)) if len(late) else math.nan

    @cached_property
    def is_finite(self) -> bool:
        """Whether all losses are finite."""
        return bool(np.isfinite(self.losses).all())

    @cached_property
    def is_poor(self) -> bool:
        """Whether the training has not come far: its loss is no better than half of a constant prediction's."""
        if not self.is_finite:
            return True
        reference = self.constant_loss if math.isfinite(self.constant_loss) else self.first_loss
        return not self.end_loss <= POOR * reference
