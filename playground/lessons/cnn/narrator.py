"""One sentence about a training on digits: how far it is, and how the model reads the selected image."""

from __future__ import annotations

from playground.lessons.cnn.frame_context import FrameContext
from playground.lessons.cnn.words import A_DIGIT, NARRATOR


def narrate(frame: FrameContext, outcome: str, *, is_last: bool) -> str:
    """The sentence above the charts; `is_last` says whether the last epoch is over."""
    predictions, images = frame.predictions, len(frame.digits.x_test)
    accuracy = frame.tester.accuracy_at(frame.view.steps)
    return NARRATOR[_key(frame, outcome, is_last=is_last)].format(
        digit=predictions.label,
        a_predicted=A_DIGIT[predictions.predicted],
        percent=100 * float(predictions.probabilities[predictions.predicted]),
        images=images,
        right=0 if accuracy is None else round(images * accuracy),
        test_percent=100 * (accuracy or 0.0),
    )


def _key(frame: FrameContext, outcome: str, *, is_last: bool) -> str:
    view, predictions = frame.view, frame.predictions
    if outcome == "failed" and view.is_current:
        return "failed"
    if predictions.label is None:
        return "own"
    if view.is_current and is_last and not outcome:
        return "testing"
    if outcome == "done" and view.is_current and frame.tester.has_tested_all(view.steps):
        return "tested"
    if view.steps == 0:
        return "untrained"
    return "right" if predictions.predicted == predictions.label else "wrong"
