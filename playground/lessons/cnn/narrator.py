"""One plain sentence on what is to be seen in a training on digits."""

from __future__ import annotations

from playground.lessons.cnn.predictions import Moment


def narrate(moment: Moment, outcome: str, *, is_last: bool) -> str:
    """How the training stands, and what the model makes of the image that is looked at."""
    view, seen = moment.view, moment.seen
    if outcome == "failed" and view.is_now:
        return (
            "The loss is no number any more: the steps were too large. Press Reset and choose a smaller learning rate."
        )
    share = 100 * float(seen.shares[seen.guess])
    if seen.label is None:
        return f"It takes your image for a {seen.guess} and gives that {share:.1f} %."
    if view.is_now and is_last and not outcome:
        return f"The last epoch is over: all {len(moment.digits.x_test):,} test images are being tested."
    if outcome == "done" and view.is_now and moment.tester.whole and moment.tester.whole[-1][0] == view.steps:
        count, accuracy = len(moment.digits.x_test), moment.tester.whole[-1][1]
        return f"Tested on all {count:,} test images: {round(count * accuracy):,} are right, {100 * accuracy:.2f} %."
    if view.steps == 0:
        return f"Nothing is learned yet: it takes the image for a {seen.guess}, but gives it only {share:.0f} %."
    if seen.guess == seen.label:
        return f"It takes the {seen.label} for a {seen.guess}, which is right, and gives that {share:.1f} %."
    return f"It takes the {seen.label} for a {seen.guess}, which is wrong, and gives that {share:.1f} %."
