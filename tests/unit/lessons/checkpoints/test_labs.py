"""The labs of Save and restore show what PyTorch really does: nets restored, messages, pickles, resumed trainings."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.lessons.checkpoints import inside, mismatch, pickles, resume, ways
from playground.lessons.checkpoints import inspect_state_dict as inspecting
from playground.lessons.checkpoints.figures import state_dicts
from playground.training.trainer import build_optimizer


def test_the_trained_net_is_the_tutorials_loop() -> None:
    data, net = ways.draw_points(3), ways.new_net(10, 3)
    optimizer, loss_fn = torch.optim.SGD(net.parameters(), lr=0.5), nn.MSELoss()
    for _ in range(20):
        loss = loss_fn(net(data.x_train), data.y_train)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ours = ways.trained_net(10, 20, 3)
    for name, value in net.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value)


def test_both_files_restore_the_same_predictions_bit_for_bit_and_a_forgotten_load_does_not() -> None:
    sheet = ways.draw_ways(ways.WaysConfig())
    assert [row[2:] for row in sheet.tables[0].rows[1:]] == [("0", "yes"), ("0", "yes")]
    one, two, three = (trace["y"] for trace in sheet.charts["nets"]["data"][1:])
    assert np.array_equal(one, two) and np.array_equal(one, three)
    forgotten = ways.draw_ways(ways.WaysConfig(load=False)).tables[0].rows[2]
    assert forgotten[3] == "no" and float(forgotten[2]) > 0.1
    assert [ways.draw_ways(ways.WaysConfig(load=load)).answer for load in (True, False)] == ["True", "False"]


def test_the_file_sizes_are_those_of_the_real_files() -> None:
    net = ways.trained_net(10, 100, 1)
    files = []
    for value in (net, net.state_dict()):
        file = io.BytesIO()
        torch.save(value, file)
        files.append(f"{len(file.getvalue()):,}")
    table = ways.draw_ways(ways.WaysConfig()).tables[1]
    assert list(table.rows[-1][1:]) == files
    numbers = {row[0]: row[1:] for row in table.rows}
    assert numbers["data/0"] == ("40", "40"), "ten float32 each"


def test_naming_classes_for_one_load_leaves_the_next_one_strict() -> None:
    whole, params = ways.save_both(ways.trained_net(10, 0, 1))
    assert isinstance(ways.restore_net(whole), nn.Sequential)
    assert "was not an allowed global by default" in ways.refusal(whole)
    assert ways.refusal(params) == ""
    assert not set(ways.LAYERS) & set(torch.serialization.get_safe_globals())


@pytest.mark.parametrize(("file", "imports"), [("whole", "torch.nn.modules.container.Sequential"),
                                               ("params", "torch._utils._rebuild_tensor_v2"),
                                               ("harm", f"{os.name}.system")])  # fmt: skip
def test_the_opcodes_of_a_pickle_are_listed_and_never_run(
    file: str, imports: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words = pickles.opcodes(pickles.file_of(file))
    assert imports in [argument for _, name, argument in words if name == "GLOBAL"]
    assert words[0][1] == "PROTO" and words[-1][1] == "STOP"
    shown = pickles.draw_pickle(pickles.PickleConfig(file=file, shown="all"))
    message = shown.tables[0].rows[0][0]
    assert message.startswith("Nothing" if file == "params" else "Weights only load failed.")
    assert sum(int(each["name"].partition(": ")[2]) for each in shown.charts["words"]["data"][1:]) == len(words)
    assert "this could have been anything" not in capfd.readouterr().out


def test_every_opcode_of_our_files_is_explained() -> None:
    names = {name for file in pickles.FILES for _, name, _ in pickles.opcodes(pickles.file_of(file))}
    assert names <= set(pickles.MEANINGS)


def test_the_inspector_says_what_torch_says() -> None:
    state = inside.checkpoints("classes")[10]
    for entry, (name, value) in zip(inspecting.entries(state), state.items(), strict=True):
        assert (entry.name, entry.shape, entry.numbers, entry.bytes) == (
            name, tuple(value.shape), value.numel(), value.untyped_storage().nbytes(),
        )  # fmt: skip
        assert entry.mean == pytest.approx(float(value.mean()), abs=1e-6)
        assert entry.deviation == pytest.approx(float(value.std(correction=0)), abs=1e-6)
    layer = inspecting.matrix(state, "2")
    assert np.array_equal(layer[:, :-1], state["2.weight"].numpy())
    assert np.array_equal(layer[:, -1], state["2.bias"].numpy())


def test_the_checkpoints_are_those_of_the_lessons_training() -> None:
    run: Any = inside.new_run("regression")
    run.advance(60.0, 50)
    for name, value in inside.checkpoints("regression")[50 // inside.EVERY].items():
        assert torch.equal(run.model.state_dict()[name], value)


def test_the_difference_is_later_minus_earlier() -> None:
    sheet = inside.draw_inside(inside.InsideConfig(before=20, after=120))
    one, two, change = (np.array(panel["z"]) for panel in sheet.charts["layer"]["data"])
    assert float(sheet.answer.removeprefix("tensor(").rstrip(")")) == pytest.approx(abs(change[:, :-1]).max(), rel=1e-3)
    np.testing.assert_allclose(change, two - one, atol=1e-6)
    same = inside.draw_inside(inside.InsideConfig(before=50, after=50))
    assert not np.array(same.charts["layer"]["data"][2]["z"]).any()
    assert same.tables[0].rows[-1][-1] == "none"


def test_the_dead_units_named_in_the_prose_never_change() -> None:
    first, last = inside.checkpoints("regression")[0], inside.checkpoints("regression")[-1]
    still = [torch.equal(first["0.weight"][unit], last["0.weight"][unit]) for unit in range(10)]
    assert [unit for unit in range(10) if still[unit]] == [8, 9]


def test_small_changes_are_written_with_the_digits_that_they_have() -> None:
    """Zeros in the cells of an experiment that asks how small the changes are would say that there are none."""
    sheet = inside.draw_inside(inside.InsideConfig(before=190, after=200))
    cells = sheet.charts["layer"]["data"][2]
    for text, value in zip(np.ravel(cells["text"]), np.ravel(cells["z"]), strict=True):
        assert (text == "0") == (value == 0), (text, value)
        assert float(text.replace("−", "-")) == pytest.approx(value, abs=5.01e-5)
    small = state_dicts.heats([("", np.array([[3e-7, 0.0]]), 1e-6)], inputs="ab")
    assert small["data"][0]["text"] == [["3e−7", "0"]]


def test_a_wide_layer_with_numbers_is_drawn_on_its_side() -> None:
    """Eleven numbers side by side would be on top of each other."""
    for model, layer, units in (("regression", 2, 1), ("spiral", 3, 2)):
        figure = inside.draw_inside(inside.InsideConfig(model=model, layer=layer)).charts["layer"]
        assert np.shape(figure["data"][0]["text"]) == (len(figure["data"][0]["y"]), units)
        assert figure["layout"]["xaxis2"]["title"]["text"] == state_dicts.UNIT, "under the middle one"
        assert figure["data"][0]["y"][-1] == "bias"


def test_histograms_count_every_number_once() -> None:
    values = np.random.default_rng(0).normal(size=(12, 13)).astype(np.float32)
    edges = inspecting.edges_for(values, 0.1 * values)
    assert inspecting.histogram(values, edges).sum() == inspecting.histogram(0.1 * values, edges).sum() == values.size


@pytest.mark.parametrize("case", mismatch.CASES)
@pytest.mark.parametrize("strict", [True, False])
def test_the_message_is_that_of_torch_and_the_results_explain_it(case: str, strict: bool) -> None:
    net, model, twin = ways.trained_net(10, 100, 1), mismatch.CASES[case].model(), mismatch.CASES[case].model()
    state = mismatch.CASES[case].state(net)
    fates = [row[3] for row in mismatch.fates(state, model)]
    try:
        left = twin.load_state_dict(state, strict=strict)
        expected = str(left) if left.missing_keys or left.unexpected_keys else ""
    except RuntimeError as error:
        expected = f"RuntimeError: {error}"
    assert mismatch.load(model, state, strict=strict) == expected
    refused = "size mismatch" in fates or (strict and set(fates) != {"fits"})
    assert expected.startswith("RuntimeError") is refused
    assert set(fates) != {"fits"} or expected == ""
    if refused:
        lines = [line for line in expected.splitlines()[1:] if line.strip()]
        assert len(mismatch.read_lines(expected)) == len(lines) + 1, "every line is read"


def test_what_fits_has_been_copied_when_the_error_comes() -> None:
    net, model = ways.trained_net(10, 100, 1), mismatch.CASES["width"].model()
    assert mismatch.load(model, dict(net.state_dict()), strict=True).startswith("RuntimeError")
    assert torch.equal(model.state_dict()["2.bias"], net.state_dict()["2.bias"])


@pytest.mark.parametrize("optimizer", resume.OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [0, 10])
def test_only_a_complete_restore_is_bit_exact(optimizer: str, batch_size: int) -> None:
    config = resume.ResumeConfig(optimizer=optimizer, batch_size=batch_size, stop=23)
    whole, *ways_back = resume.trainings(config)
    equal = [resume.equal(whole, each) for each in ways_back]
    forgets_nothing = optimizer == "sgd"
    in_order = batch_size == 0
    assert equal == [
        "yes" if forgets_nothing and in_order else "no",
        "yes" if in_order else "no",
        "yes",
    ]
    assert not resume.distances(whole, ways_back[2], 23).any()


def test_a_training_without_a_line_of_distances_is_named() -> None:
    notes = {
        (optimizer, size): resume.draw_resume(resume.ResumeConfig(optimizer=optimizer, batch_size=size)).note
        for optimizer, size in (("adam", 10), ("sgd", 0))
    }
    assert "“+ batches, random numbers”" in notes["adam", 10] and "Weights only" not in notes["adam", 10]
    assert notes["sgd", 0].endswith("“Weights only”, “+ optimizer”, “+ batches, random numbers”.")


def test_a_resumed_adam_jumps_without_its_state() -> None:
    whole, weights_only, *_ = resume.trainings(resume.ResumeConfig())
    assert float(weights_only.losses[1]) > 2 * float(whole.losses[31])


def test_an_uninterrupted_training_does_not_depend_on_where_others_stop() -> None:
    one, two = (resume.trainings(resume.ResumeConfig(stop=stop))[0] for stop in (0, 60))
    assert torch.equal(one.parameters, two.parameters)


def test_zeros_leave_gaps_on_a_log_axis_and_all_zeros_are_no_error() -> None:
    zeros = np.zeros(5, np.float32)
    figure = state_dicts.diverging(
        [("", "@muted/0", np.full(9, np.nan)), ("same", "@model", zeros)], stopped=4, title="d"
    )
    assert np.isnan(figure["data"][1]["y"]).all() and figure["data"][1]["x"][0] == 4
    assert figure["layout"]["yaxis"]["range"] == [-2.0, 0.0]
    assert state_dicts.decades(np.array([0.02, 30.0])) == [-2.0, 2.0]


def test_an_optimizer_updates_the_tensors_it_loaded() -> None:
    """Why each resumed training gets a copy of the checkpoint."""
    parameter = nn.Parameter(torch.ones(2))
    first, second = (build_optimizer("adam", [parameter], lr=0.1) for _ in range(2))
    parameter.sum().backward()
    first.step()
    state = first.state_dict()
    second.load_state_dict(state)
    before = state["state"][0]["exp_avg"].clone()
    second.step()
    assert not torch.equal(state["state"][0]["exp_avg"], before)
