"""What students predict of the experiments of Data loader, and the rules that read the truth from the labs."""

from __future__ import annotations

import torch

from playground.lessons.data_loader import noise, sorted_labels
from playground.lessons.data_loader.batches import LAB, BatchesConfig, BatchesRun
from playground.lessons.data_loader.noise import NoiseConfig
from playground.lessons.data_loader.sorted_labels import CHANCE, SortedConfig, Trained
from playground.predictions import Choice, Number, Prediction, Why, played

EXACT_COSINE = 0.9  # of a gradient that points almost exactly in the right direction
LEFT = {"same": 1.0, "half": 0.5, "quarter": 0.25, "none": 0.0}  # of the noise


def loaded(config: BatchesConfig, until: int | None = None) -> BatchesRun:
    """The run with all batches, or the first ones, read without worker processes: their number changes no order."""
    run: BatchesRun = played(LAB, config.with_values(workers=0), until)
    return run


def batches_in_an_epoch(config: BatchesConfig) -> float:
    """The number of batches in the first epoch."""
    run = loaded(config)
    return float(sum(batch.epoch == run.batches[0].epoch for batch in run.batches))


def samples_drawn(config: BatchesConfig) -> float:
    """The number of different samples that the first epoch shows."""
    run = loaded(config, until=3)
    return float((run.counts(run.order(run.steps)) > 0).sum())


def noise_of(config: NoiseConfig, batch_size: int) -> float:
    """The noise of a batch's gradient by the formula: its mean distance from the gradient of all the data."""
    return noise.expected_noise(noise.gradient_of_each(*noise.draw_points(config)), batch_size)


def noise_of_four_times_as_many(config: NoiseConfig) -> str:
    """The noise of a batch four times as large: about the "same", "half" or a "quarter", or "none"."""
    ratio = noise_of(config, 4 * config.batch_size) / noise_of(config, config.batch_size)
    return min(LEFT, key=lambda name: abs(LEFT[name] - ratio))


def direction(config: NoiseConfig) -> str:
    """How well the gradients of all batches point in the right direction: "exact", "rough", or "any" (some do not)."""
    x, y, at = noise.draw_points(config)
    generator = torch.Generator().manual_seed(config.seed)
    rows = noise.batch_gradients(noise.gradient_of_each(x, y, at), config.batch_size, generator)
    worst = float(noise.cosines(rows, noise.gradient(x, y, at)).min())
    return "exact" if worst > EXACT_COSINE else "rough" if worst > 0 else "any"


def both_orders(config: SortedConfig) -> tuple[Trained, Trained]:
    """The training on the sorted data, and the one on the shuffled data."""
    x, y = sorted_labels.draw_points(config)
    in_order, mixed = (sorted_labels.train(config, x, y, shuffle=shuffle) for shuffle in (False, True))
    return in_order, mixed


def which_ends_lower(config: SortedConfig) -> str:
    """The order whose loss ends lower, or "same"."""
    in_order, mixed = (float(each.losses[-1]) for each in both_orders(config))
    return "same" if in_order == mixed else "sorted" if in_order < mixed else "shuffled"


def peak_against_chance(config: SortedConfig) -> str:
    """The highest loss of the last epoch on sorted data, against always answering 0.5: "low", "near" or "above".

    "low" is at most half of it.
    """
    steps = -(-config.samples // config.batch_size)
    peak = float(both_orders(config)[0].losses[-steps:].max())
    return "above" if peak > CHANCE else "low" if peak <= CHANCE / 2 else "near"


PREDICTIONS = {
    "short-last-batch": Prediction(
        Number("10 samples in batches of 4, without “Drop last”. How many batches has an epoch?",
               rule=batches_in_an_epoch, lo=0, hi=10, tolerance=0, unit="batches"),
        Why(
            "What happens to the last two samples?",
            {
                "short": "They form a batch of two",
                "lost": "They are left out",
                "next": "They wait for the next epoch",
            },
            "short",
            {
                "lost": "Only with drop_last=True. Without it each epoch shows every sample.",
                "next": "No epoch keeps samples for the next one.",
            },
        ),
        reads="config",
    ),
    "with-replacement": Prediction(
        Number("30 samples, and 30 draws from all of them. How many different samples does the first epoch show?",
               rule=samples_drawn, lo=0, hi=30, tolerance=3, unit="samples"),
        Why(
            "Why that many?",
            {
                "share": "About 1/e of them are missed",
                "half": "Half of the draws are new",
                "all": "An epoch shows each once",
            },
            "share",
            {
                "all": "Without replacement. With it some samples come twice and others not at all.",
                "half": "At first nearly every draw is new, at the end few are: about 63 % of all are seen.",
            },
        ),
        until=3,
        reads="config",
    ),
    "one-sample": Prediction(
        Choice(
            "Batches of 4, not single samples: how much noise is left in the gradients?",
            {"same": "All of it", "quarter": "A quarter", "half": "A half",
             "none": "None"},
            noise_of_four_times_as_many,
        ),
        Why(
            "Why?",
            {
                "count": "Four times the samples: 1/4",
                "data": "The noise is in the data",
                "root": "It falls with the root: 1/√4",
            },
            "root",
            {
                "count": "Errors of samples partly cancel out, but only by the root: √4 is 2.",
                "data": "A larger batch averages over more of it, as any mean does.",
            },
        ),
    ),
    "near-the-goal": Prediction(
        Choice(
            "Far from the best line, batches of 16 point almost exactly right. Near it …",
            {"exact": "all do, as before", "rough": "all point roughly right", "any": "some point the wrong way"},
            direction,
        ),
        Why(
            "Why?",
            {
                "easy": "The model is nearly right",
                "short": "The gradient is short there",
                "more": "The noise grows there",
            },
            "short",
            {
                "easy": "So its gradient is nearly 0, and what is left of a batch’s gradient is noise.",
                "more": "It stays about the same. What it is added to has become short.",
            },
        ),
    ),
    "larger-steps": Prediction(
        Choice(
            "Sorted data at the largest rate. In the fifth epoch, where is the loss at its worst?",
            {"low": "Far below that of answering 0.5", "near": "Just below it", "above": "Above it"},
            peak_against_chance,
        ),
        Why(
            "Why?",
            {
                "noise": "The labels are noisy",
                "faster": "Larger steps learn faster, in any order",
                "forgets": "Long steps to class 1 forget class 0",
            },
            "forgets",
            {
                "faster": "They do, also what is wrong: that the answer is always 1.",
                "noise": "Shuffled, the same labels and the same rate are no problem.",
            },
        ),
    ),
    "batch-of-everything": Prediction(
        Choice(
            "All 160 samples in one batch, sorted or shuffled. Which loss ends lower?",
            {"shuffled": "The shuffled one", "same": "Both end at the same loss", "sorted": "The sorted one"},
            which_ends_lower,
        ),
        Why(
            "Why?",
            {
                "always": "Shuffled is always better",
                "mean": "A mean knows no order",
                "last": "The last samples count more",
            },
            "mean",
            {
                "always": "Shuffling changes which samples share a batch. Here all of them do.",
                "last": "Within a batch none comes last: there is one step for all.",
            },
        ),
    ),
}  # fmt: skip
