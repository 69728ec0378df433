"""A step of a classification, line by line: the same weights, with dropout, L1 and batches."""

from __future__ import annotations

import torch

from playground.lessons.classification.config import ClassificationConfig
from playground.lessons.classification.lesson import build


def test_a_run_shown_line_by_line_ends_at_the_same_weights_and_its_updates_are_those_shown() -> None:
    config = ClassificationConfig(dropout=0.4, l1=0.01, batch_size=10, optimizer="adam", max_steps=0)
    plain, shown = build(config), build(config)
    plain.advance(1e9, 6)
    for _ in range(6):
        before = [each.detach().clone() for each in shown.model.parameters()]
        assert [shown.next_lines(1) for _ in range(5)] == [0, 0, 0, 0, 1]
        updates = shown.coming_step().updates
        shown.advance(1e9, 1)
        for old, new, update in zip(before, shown.model.parameters(), updates, strict=True):
            torch.testing.assert_close(new - old, update)
        text = str(shown.draw(["network"], {}).charts["network"]["layout"]["annotations"])
        assert "On the lines: updates" in text
    assert all(map(torch.equal, plain.model.parameters(), shown.model.parameters()))
