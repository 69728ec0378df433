"""A training on digits as the engine runs it: its steps, its tests, the selected image, its checkpoints."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground import mnist
from playground.engine.commands import Draw, read_command
from playground.knobs import Value
from playground.lessons.cnn import evaluation
from playground.lessons.cnn import model as cnn
from playground.lessons.cnn import run as cnn_run
from playground.lessons.cnn.config import CnnConfig
from playground.lessons.cnn.lesson import LESSON, build
from playground.lessons.cnn.run import CnnRun
from playground.runs.state_checks import StateError
from playground.saving import checkpoint
from playground.saving.branch import branched
from playground.settings import Settings
from playground.training.optimizers import SCHEDULES

TRAIN, TEST = 300, 130
CHARTS = [chart.name for chart in LESSON.charts]


def bars(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of a bright row each, at a height that is their class, in noise: quickly learned."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    images = random.integers(0, 90, (count, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label, 4:24] = 255
    return images, labels.astype(np.int64)


@pytest.fixture(autouse=True)
def digits(monkeypatch: pytest.MonkeyPatch) -> Iterator[mnist.Digits]:
    found = mnist._digits((*bars(TRAIN, 0), *bars(TEST, 1)), "These are bars.", real=False)
    monkeypatch.setattr(mnist, "load", lambda: found)
    yield found


def make(**values: Value) -> CnnRun:
    small: dict[str, Any] = {"filters_1": 2, "filters_2": 3, "kernel": 3, "batch_size": 50, "lr": 0.01, "seed": 0}
    return build(CnnConfig(**(small | values)))


def trained(steps: int, **values: Value) -> CnnRun:
    run = make(**values)
    assert run.advance(1e9, steps) == steps
    return run


def weights(run: CnnRun) -> torch.Tensor:
    return torch.cat([parameter.detach().reshape(-1) for parameter in run.model.parameters()])


def until_done(run: CnnRun) -> CnnRun:
    while not run.outcome:
        run.advance(1e9, 1_000)
    return run


# Steps.


def test_steps_are_those_of_the_tutorials_loop() -> None:
    run = make(lr=0.001)
    loop = cnn.frozen(run.model).train()
    for parameter in loop.parameters():
        parameter.requires_grad_()
    optimizer = torch.optim.Adam(loop.parameters(), lr=0.001)
    order = torch.randperm(TRAIN, generator=torch.Generator().manual_seed(cnn_run.ORDER_SEED))
    for step in range(4):
        chosen = order[50 * step : 50 * step + 50]
        loss = nn.functional.cross_entropy(loop(run.digits.x_train[chosen].float() / 255), run.digits.y_train[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    run.advance(1e9, 4)
    theirs = torch.cat([parameter.detach().reshape(-1) for parameter in loop.parameters()])
    torch.testing.assert_close(weights(run), theirs, atol=1e-6, rtol=1e-5)


def test_the_same_config_gives_the_same_weights_in_slices_of_any_length_watched_or_not() -> None:
    knobs: dict[str, Value] = {"dropout": 0.5, "shift": 2.0, "turn": 10.0, "batch_norm": True, "epochs": 0}
    one, other = make(**knobs), make(**knobs)
    one.advance(1e9, 20)
    for _ in range(20):
        other.advance(0.0, 5)
        other.draw(CHARTS, {})
    assert other.steps == one.steps == 20
    assert torch.equal(weights(one), weights(other))
    assert not torch.equal(weights(one), weights(trained(20, **knobs, seed=1)))


def test_it_learns_to_tell_bars_apart() -> None:
    run = until_done(make(epochs=20))
    assert run.tester.full_tests[-1][1] > 0.95


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine"])
def test_a_schedule_runs_over_the_steps_of_all_epochs(schedule: str) -> None:
    run, rates = make(schedule=schedule, epochs=2), []
    for _ in range(12):
        run.advance(0.0, 1)
        rates.append(run.trainer.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.01 * SCHEDULES[schedule].factor(step, 12) for step in range(12)])


def test_half_precision_learns_with_weights_of_full_precision() -> None:
    run = trained(3, precision="bfloat16")
    assert all(parameter.dtype == torch.float32 for parameter in run.model.parameters())
    assert 1e-6 < float((weights(run) - weights(trained(3))).abs().max()) < 0.05


def test_too_large_a_rate_ends_with_advice() -> None:
    run = make(lr=1.0, optimizer="sgd", activation="identity", epochs=0)
    with torch.no_grad():
        run.model[0].weight.mul_(1e30)
    run.advance(1e9, 20)
    assert run.outcome == "failed"
    drawing = run.draw(CHARTS, {})
    assert "Lower the learning rate" in drawing.note
    assert set(drawing.charts) == set(CHARTS)


# Tests.


def test_at_its_end_every_test_image_is_tested_and_only_then_is_it_done() -> None:
    run = make()
    assert run.advance(1e9, 6) == 6
    assert (run.trainer.batches.epochs, run.outcome) == (1, "")
    assert run.advance(1e9, 100) == 0
    assert run.outcome == "done"
    with torch.no_grad():
        guesses = run.model(cnn.scaled(run.digits.x_test)).argmax(dim=1)
    right = int((guesses == run.digits.y_test).sum())
    assert run.tester.full_tests == [(6, right / TEST, pytest.approx(run.tester.latest.loss))]
    assert run.draw([], {}).status["full_accuracy"] == pytest.approx(right / TEST, abs=1e-4)
    assert run.draw([], {}).note.startswith(f"Tested on all {TEST} test images: {right} are right")
    assert run.tester.latest.confusion.sum() == TEST
    assert run.tester.latest.confusion.trace() == right
    hardest = run.tester.latest.hardest(TEST)
    assert (np.diff(run.tester.latest.true_probabilities[hardest]) >= 0).all()


def test_a_test_is_of_the_model_as_it_was_however_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "TRAINED_PER_SLICE", 20)
    monkeypatch.setattr(evaluation, "TRAINED_PER_FULL_TEST", 0)
    monkeypatch.setattr(evaluation, "SLICE_IMAGES", {"cpu": 10})
    run = trained(6, epochs=3)
    assert run.tester.pending is not None
    with torch.no_grad():
        right = (run.model(cnn.scaled(run.digits.x_test)).argmax(dim=1) == run.digits.y_test).float().mean().item()
    run.advance(1e9, 3)
    assert not run.tester.full_tests, "it takes 13 slices, two or three for each step"
    run.advance(1e9, 2)
    assert run.tester.full_tests[0][:2] == (6, pytest.approx(right))


def test_a_slice_that_only_tests_ends_in_time_and_says_that_no_step_was_taken() -> None:
    run = trained(6)
    assert run.advance(0.0, 10) == 0
    assert run.outcome == "", "the test has only begun"


def test_mistakes_are_those_of_the_step_shown_also_while_it_rests() -> None:
    run = trained(8, epochs=0)
    run.draw(["confusion"], {})
    assert run.restless
    for _ in range(5):
        run.draw(["confusion"], {})
    assert not run.restless
    assert run.tester.latest.steps == 8
    run.apply(read_command({"do": "scrub", "to": 2}))
    for _ in range(5):
        run.draw(["confusion"], {})
    assert run.tester.latest.steps == run.snapshots.kept[2].steps
    run.draw(["loss"], {})
    assert not run.restless, "nobody watches mistakes"


def test_a_run_paused_at_its_very_end_finishes_its_test_while_it_rests() -> None:
    run = trained(6)
    run.advance(0.0, 1)
    for _ in range(4):
        run.draw(["loss"], {})
    assert run.tester.full_tests and not run.restless


# Knobs.


def test_play_after_the_end_trains_for_as_many_epochs_again() -> None:
    run = until_done(make())
    run.resume()
    until_done(run)
    assert (run.steps, [step for step, _, _ in run.tester.full_tests]) == (12, [6, 12])


def test_more_epochs_revive_a_run_that_is_done_and_another_image_does_not() -> None:
    run = until_done(make())
    run.tune(run.config.with_values(image=5))
    assert run.outcome == "done"
    assert run.marks == []
    run.tune(run.config.with_values(epochs=2))
    assert run.outcome == ""
    assert until_done(run).steps == 12


def test_live_knobs_reach_the_running_trainer() -> None:
    run = trained(2)
    run.tune(run.config.with_values(lr=0.1, weight_decay=0.01, batch_size=100, images=200, shift=3.0, dropout=0.3))
    (group,) = run.trainer.optimizer.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.1, 0.01)
    assert (run.trainer.batches.batch_size, len(run.trainer.batches.x)) == (100, 200)
    assert (run.trainer.batches.augmentation.shift, run.dropout.p) == (3.0, 0.3)
    run.tune(run.config.with_values(optimizer="sgd"))
    assert isinstance(run.trainer.optimizer, torch.optim.SGD)
    run.advance(1e9, 2)
    assert [text.partition(":")[0] for _, text in run.marks][-1] == "Optimizer"


def test_snapshots_bring_batch_norms_averages_back() -> None:
    run = trained(5, batch_norm=True, epochs=0)
    with torch.no_grad():
        then = run.model(cnn.scaled(run.digits.x_test[:5]))
    run.advance(1e9, 5)
    run.apply(read_command({"do": "scrub", "to": 5}))
    with torch.no_grad():
        assert torch.equal(run.view().model(cnn.scaled(run.digits.x_test[:5])), then)


def test_a_restored_state_continues_as_if_it_had_never_stopped() -> None:
    knobs: dict[str, Value] = {"dropout": 0.5, "shift": 1.0, "batch_norm": True, "epochs": 3, "schedule": "cosine"}
    run = trained(9, **knobs)
    other = make(**knobs)
    other.load_state_dict(run.state_dict())
    for each in (run, other):
        until_done(each)
    assert torch.equal(weights(run), weights(other))
    assert run.tester.full_tests == other.tester.full_tests
    for column in cnn_run.COLUMNS:
        np.testing.assert_array_equal(run.history.column(column), other.history.column(column))


# The selected image.


def test_a_visitors_picture_is_what_all_charts_show_until_the_pad_is_cleared(digits: mnist.Digits) -> None:
    run = until_done(make(epochs=20))
    run.use_picture(digits.test_images[7])
    image = run.view().predictions.image
    with torch.no_grad():
        predicted = int(run.model(image).argmax())
    assert run.draw(["answer"], {}).note.startswith(f"It reads your digit as a {predicted} (")
    assert image[0, 0].any(dim=0).sum() == 20, "as MNIST was made"
    run.advance(1e9, 3)
    assert torch.equal(run.view().predictions.image, image)
    assert torch.equal(run.rebuilt(run.config).view().predictions.image, image)
    run.apply(Draw(None))
    assert "your digit" not in run.draw(["answer"], {}).note
    np.testing.assert_array_equal(run.view().predictions.image[0, 0], digits.test_images[0] / np.float32(255))


def test_the_sentence_reads_the_image_with_the_right_article() -> None:
    run = trained(100, epochs=0)
    for number in range(10):
        run.tune(run.config.with_values(image=number))
        with torch.no_grad():
            predicted = run.view().predictions.predicted
        note = run.draw([], {}).note
        assert note.startswith(f"It reads this {number} as {'an' if predicted == 8 else 'a'} {predicted} (")
        assert ("(correct, " in note) == (predicted == number)
        assert ("(wrong, " in note) == (predicted != number)


# Speed.


def test_images_a_second_and_seconds_left_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(np.arange(100, 200, 0.01))
    monkeypatch.setattr("playground.lessons.cnn.metrics.time.perf_counter", lambda: float(next(clock)))
    run = make(epochs=20)
    for _ in range(60):
        run._count(ends_epoch=False)
    status = run.draw([], {}).status
    assert status["images_per_second"] == pytest.approx(50 / 0.01)
    assert status["seconds_left"] == round(20 * TRAIN / 5_000)
    run.tune(run.config.with_values(epochs=0))
    assert math.isnan(run.draw([], {}).status["seconds_left"]), "a run without an end has none"


def test_it_computes_on_the_cores_it_is_given_and_leaves_the_thread_as_it_was() -> None:
    run, used = make(), []
    run.use_cores(2)
    run.trainer.step = lambda step=run.trainer.step: (used.append(torch.get_num_threads()), step())[1]  # type: ignore
    before = torch.get_num_threads()
    run.advance(1e9, 1)
    assert (used, torch.get_num_threads()) == ([2], before)


def test_a_checkpoint_keeps_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.settings.available_cores", lambda: 2)
    run = make(epochs=0, dropout=0.3)
    run.use_cores(2)
    run.advance(1e9, 5)
    content = checkpoint.save("cnn", run)
    other, _ = checkpoint.restore(checkpoint.load(content), LESSON, Settings())
    other.use_cores(4)
    assert (other.threads, other.run_history().start.threads) == (2, 2)
    for each in (run, other):
        each.advance(1e9, 4)
    assert other.run_history().checksum == run.run_history().checksum
    monkeypatch.setattr("playground.settings.available_cores", lambda: 1)
    other, _ = checkpoint.restore(checkpoint.load(content), LESSON, Settings())
    assert other.threads == 1, "no more than the cores of this machine"


def test_a_file_without_threads_is_restored_with_the_share_of_its_first_step() -> None:
    state = trained(3, epochs=0).state_dict()
    del state["own"]["threads"]
    run = make(epochs=0)
    run.load_state_dict(state)
    run.use_cores(2)
    run.advance(1e9, 1)
    assert (run.threads, run.run_history().start.threads, run.run_history().changes) == (2, 2, ())


@pytest.mark.parametrize("threads", [0, 65, -1, 1.0, True, "2", [1]])
def test_any_other_number_of_threads_in_a_file_is_refused(threads: Any) -> None:
    state = trained(3, epochs=0).state_dict()
    state["own"]["threads"] = threads
    with pytest.raises(StateError, match="“threads” in the file must be a whole number from 1 to 64"):
        make(epochs=0).load_state_dict(state)


def test_a_branch_from_the_current_step_keeps_the_threads_of_its_run_and_one_from_earlier_chooses() -> None:
    run = make(epochs=0)
    run.use_cores(2)
    run.advance(1e9, 4)
    made = branched(run, run.config)
    made.use_cores(4)
    for each in (run, made):
        each.advance(1e9, 3)
    assert made.run_history().checksum == run.run_history().checksum
    run.apply(read_command({"do": "scrub", "to": 2}))
    made = branched(run, run.config)
    made.use_cores(2)
    assert (made.threads, made.run_history().start.threads, made.run_history().changes) == (2, 2, ())


def test_numbers_of_a_moment_of_the_past_are_those_of_then() -> None:
    run = trained(6, epochs=0)
    then = run.draw([], {}).status
    run.advance(1e9, 10)
    run.apply(read_command({"do": "scrub", "to": 6}))
    now = run.draw([], {}).status
    assert {name: now[name] for name in ("step", "loss", "accuracy")} == {
        name: then[name] for name in ("step", "loss", "accuracy")
    }
    assert math.isnan(now["full_accuracy"])
