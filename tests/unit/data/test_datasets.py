"""Points are the tutorial's, from a generator of their own; a student's CSV is read, or refused with a sentence."""

from __future__ import annotations

import time

import pytest
import torch
from torch import Tensor

from playground.data import own_rows
from playground.data.datasets import TARGETS, DataError, Split, add_point, curve, read_csv, table, write_csv
from playground.lessons.regression.config import Edits, RegressionConfig, draw_data, nearest, spans

# Each target at x = 0.3, worked out on paper (or by a pocket calculator).
AT_0_3 = {
    "square": 0.09,
    "sine": 0.80901699,  # sin(54°)
    "absolute": 0.3,
    "step": 1.0,
    "x_sine": 0.29215429,  # 0.3 sin(1.8)
    "cubic": -0.246,  # 2 * 0.027 - 0.3
    "wave": 0.30901699,  # sin(162°) = sin(18°)
}
AT_MINUS_0_5 = {
    "square": 0.25,
    "sine": -1.0,
    "absolute": 0.5,
    "step": 0.0,
    "x_sine": 0.07056000,  # -0.5 sin(-3)
    "cubic": 0.25,
    "wave": 1.0,
}


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def parts(split: Split) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return split.x_train, split.y_train, split.x_test, split.y_test


def equal(one: Split, other: Split) -> bool:
    return all(torch.equal(a, b) for a, b in zip(parts(one), parts(other), strict=True))


def split_of(rows: list[tuple[float, float]]) -> Split:
    return table(rows, 0.0, seeded())


def rows_of(split: Split) -> set[tuple[float, float]]:
    """Every point, train and test, as exact floats."""
    x, y = torch.cat([split.x_train, split.x_test]), torch.cat([split.y_train, split.y_test])
    return set(zip(x[:, 0].tolist(), y[:, 0].tolist(), strict=True))


def refusal(text: str, max_rows: int = 100) -> str:
    with pytest.raises(DataError) as caught:
        read_csv(text, max_rows)
    message = str(caught.value)
    assert message[:1].isupper() and message.endswith((".", "”.")) and len(message) < 200 and "\n" not in message
    return message


# Points drawn from a target.


def test_the_default_points_are_the_tutorials() -> None:
    config = RegressionConfig()
    split = draw_data(config, Edits())
    generator = seeded(config.seed)
    x = torch.unsqueeze(torch.linspace(-1, 1, 100), dim=1)
    y = x.pow(2) + 0.2 * torch.rand(x.size(), generator=generator)
    assert torch.equal(split.x_train, x)
    assert torch.equal(split.y_train, y)


def test_every_target_has_a_value_to_check() -> None:
    assert set(TARGETS) == set(AT_0_3) == set(AT_MINUS_0_5)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_the_function_its_name_says(name: str) -> None:
    found = TARGETS[name].function(torch.tensor([0.3, -0.5], dtype=torch.float64))
    assert found.tolist() == pytest.approx([AT_0_3[name], AT_MINUS_0_5[name]], abs=1e-7)


@pytest.mark.parametrize("name", TARGETS)
def test_the_code_shown_for_a_target_is_its_function(name: str) -> None:
    x = torch.linspace(-1, 1, 41)
    shown = eval(TARGETS[name].code, {"torch": torch, "x": x})
    assert torch.equal(shown, TARGETS[name].function(x))


@pytest.mark.parametrize("name", TARGETS)
def test_without_noise_every_point_lies_on_its_target(name: str) -> None:
    split = curve(name, 50, 0.0, 0.5, seeded())
    for x, y in ((split.x_train, split.y_train), (split.x_test, split.y_test)):
        assert torch.equal(y, TARGETS[name].function(x))
    assert split.x_train.shape == split.y_train.shape == (50, 1)
    assert split.x_test.shape == split.y_test.shape == (25, 1)
    assert all(part.dtype == torch.float32 for part in parts(split))


def test_noise_is_uniform_from_zero_to_its_size() -> None:
    split = curve("square", 20_000, 0.4, 0.0, seeded())
    noise = split.y_train - split.x_train.pow(2)
    assert noise.min() > -1e-6
    assert noise.max() < 0.4 + 1e-6
    assert noise.mean().item() == pytest.approx(0.2, abs=0.004)  # 5 standard errors of a mean of 20,000
    assert noise.var().item() == pytest.approx(0.4**2 / 12, rel=0.03)


def test_the_same_seed_gives_the_same_points_and_another_seed_gives_others() -> None:
    first = curve("sine", 30, 0.2, 0.5, seeded(7))
    assert equal(first, curve("sine", 30, 0.2, 0.5, seeded(7)))
    other = curve("sine", 30, 0.2, 0.5, seeded(8))
    assert not torch.equal(first.y_train, other.y_train)
    assert not torch.equal(first.x_test, other.x_test)


def test_the_training_points_do_not_depend_on_how_many_test_points_there_are() -> None:
    few, many = curve("square", 30, 0.2, 0.0, seeded()), curve("square", 30, 0.2, 1.0, seeded())
    assert torch.equal(few.y_train, many.y_train)
    assert (len(few.x_test), len(many.x_test)) == (0, 30)
    assert (few.points, many.points) == (30, 60)


def test_test_points_are_fresh_and_spread_over_the_range() -> None:
    split = curve("square", 200, 0.2, 1.0, seeded())
    assert not set(split.x_train[:, 0].tolist()) & set(split.x_test[:, 0].tolist())
    assert -1 <= split.x_test.min() < -0.9
    assert 0.9 < split.x_test.max() <= 1


def test_drawing_points_leaves_the_global_random_numbers_alone() -> None:
    before = torch.get_rng_state()
    curve("square", 30, 0.2, 0.5, seeded())
    table([(float(i), 0.0) for i in range(9)], 0.5, seeded())
    assert torch.equal(torch.get_rng_state(), before)


# A student's own rows.


def test_own_rows_are_all_used_once_and_the_test_share_is_kept_aside() -> None:
    rows = [(float(i), float(i * i)) for i in range(12)]
    split = table(rows, 0.2, seeded())
    assert rows_of(split) == set(rows)
    assert (len(split.x_train), len(split.x_test)) == (10, 2)
    assert equal(split, table(rows, 0.2, seeded()))
    assert rows_of(table(rows, 0.0, seeded())) == set(rows)
    assert len(table(rows, 0.0, seeded()).x_test) == 0
    assert len(table(rows, 1.0, seeded()).x_test) == 6


def test_which_own_rows_are_kept_aside_is_random() -> None:
    rows = [(float(i), 0.0) for i in range(40)]
    kept = {tuple(table(rows, 0.25, seeded(seed)).x_test[:, 0].tolist()) for seed in range(5)}
    assert len(kept) == 5


def test_a_point_is_added_to_the_training_points_only() -> None:
    before = curve("square", 5, 0.2, 1.0, seeded())
    after = add_point(before, 0.25, -3.0)
    assert torch.equal(after.x_train[:-1], before.x_train)
    assert torch.equal(after.y_train[:-1], before.y_train)
    assert (after.x_train[-1].item(), after.y_train[-1].item()) == (0.25, -3.0)
    assert torch.equal(after.x_test, before.x_test)
    assert torch.equal(after.y_test, before.y_test)
    assert after.x_train.dtype == torch.float32


def test_the_removed_point_is_the_nearest_in_units_of_the_axes() -> None:
    split = split_of([(0.0, 0.0), (1.0, 0.0), (0.0, 100.0)])
    assert [nearest(split, 0.4, 60.0), nearest(split, 0.9, 60.0)] == [2, 1]  # in raw numbers (0, 100) is nearer to both


def test_edits_are_applied_in_order_to_what_the_config_draws() -> None:
    config = RegressionConfig(points=5)
    plain = draw_data(config, Edits())
    assert equal(draw_data(config, Edits(clicks=(("add", 5.0, 5.0), ("remove", 5.0, 5.0)))), plain)
    added = draw_data(config, Edits(clicks=(("remove", -1.0, 1.0), ("add", -1.0, 9.0))))
    assert len(added.x_train) == 5
    assert (added.x_train[-1].item(), added.y_train[-1].item()) == (-1.0, 9.0)
    own = ((0.0, 1.0), (2.0, 3.0), (4.0, 5.0))
    assert rows_of(draw_data(config, Edits(rows=own))) == set(own)


def test_the_spans_show_every_point_with_room_to_spare() -> None:
    split = table([(0.0, -4.0), (10.0, 6.0), (3.0, 0.0), (5.0, 0.0)], 0.5, seeded())
    (x_lo, x_hi), (y_lo, y_hi) = spans(split)
    assert x_lo < 0.0 and x_hi > 10.0 and y_lo < -4.0 and y_hi > 6.0
    assert all(lo < hi for lo, hi in spans(split_of([(1.0, 1.0), (1.0, 1.0)])))


# CSV.


@pytest.mark.parametrize(
    "text",
    [
        "0.5,0.25\n-1,1e2\n",
        "0.5,0.25\n-1,1e2",
        "x,y\n0.5,0.25\n-1,1e2\n",
        "Time (s),Height (m)\n0.5,0.25\n-1,1e2\n",
        "x;y\n0.5;0.25\n-1;1e2\n",
        "x\ty\n0.5\t0.25\n-1\t1e2\n",
        "0.5,0.25\r\n-1,1e2\r\n",
        "0.5,0.25\r-1,1e2\r",
        "\n0.5,0.25\n\n  \n-1,1e2\n\n\n",
        ' 0.5 , 0.25\n"-1","1e2"\n',
        "x,y,split\n0.5,0.25,train\n-1,1e2,test\n",
    ],
    ids=ascii,
)
def test_two_columns_of_numbers_are_read(text: str) -> None:
    assert read_csv(text, 100) == ((0.5, 0.25), (-1.0, 100.0))


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("1,2\nthree,4\n", 2, "“three” is not a number"),
        ("x,y\n1,2\nx,y\n", 3, "“x” is not a number"),
        ("1,2\n3,4\n5,-inf\n", 3, "“-inf” is out of range"),
        ("1,2\n1e999,4\n", 2, "“1e999” is out of range"),
        ("1,2\n1000001,4\n", 2, "from -1e6 to 1e6"),
        ("1,2\n3,-1000001\n", 2, "from -1e6 to 1e6"),
        ("1,2\n3\n", 2, "expected 2 columns (x,y), found 1"),
        ("1,2\n3,4,5\n", 2, "expected 2 columns (x,y), found 3"),
        ("1,2\n3,4,validation\n", 2, "expected 2 columns (x,y), found 3"),
        ("1,2\n\n\n3,oops\n", 4, "“oops” is not a number"),
        ("1,2\n" + "z" * 5000 + ",4\n", 2, "is not a number"),
        ("1,2\n<script>,4\n", 2, "is not a number"),
        ("1,2\n\x00,4\n", 2, "is not a number"),
    ],
    ids=lambda value: ascii(value)[:24],
)
def test_a_line_that_cannot_be_learned_from_is_named_with_what_is_wrong(text: str, line: int, problem: str) -> None:
    message = refusal(text)
    assert message.startswith(f"Line {line}")
    assert problem in message


def test_numbers_at_the_limit_are_read() -> None:
    assert read_csv("1e6,-1e6\n0,0\n", 100) == ((1e6, -1e6), (0.0, 0.0))


@pytest.mark.parametrize("text", ["", "\n\n", "x,y\n", "1,2\n", "x,y\n1,2\n", "   "])
def test_fewer_than_two_rows_are_refused(text: str) -> None:
    assert "at least two rows" in refusal(text)


def test_as_many_rows_as_allowed_are_read_and_one_more_is_refused_with_the_line_and_the_limit() -> None:
    text = "x,y\n" + "1,2\n" * 50
    assert len(read_csv(text, 50)) == 50
    message = refusal(text + "3,4\n", 50)
    assert message.startswith("Line 52:")
    assert "50" in message


def test_a_million_rows_are_refused_at_once() -> None:
    text = "1,2\n" * 1_000_000
    began = time.thread_time()
    assert f"{own_rows.MAX_BYTES // 1000:,} kB" in refusal(text)
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize(
    "text",
    ["1" * 900_000, '"' + "1,2\n" * 100_000, "1,2\n" + "," * 500_000, "\x00" * 200_000, "z" * 140_000 + "\n1,2\n3,4\n"],
    ids=["one cell", "an open quote", "commas", "zero bytes", "a huge header"],
)
def test_what_is_no_table_at_all_is_refused_with_a_sentence(text: str) -> None:
    refusal(text)


def test_an_upload_round_trips_through_the_file_the_page_writes() -> None:
    rows = ((0.5, 0.25), (-1.0, 100.0), (0.1, 1e-7), (3.25, -999999.0))
    assert set(read_csv(write_csv(table(rows, 0.0, seeded())), 10)) == set(rows)


def test_drawn_points_round_trip_through_csv_exactly() -> None:
    split = curve("sine", 100, 0.3, 0.5, seeded())
    text = write_csv(split)
    assert text.splitlines()[0] == "x,y,split"
    assert sum(line.endswith(",train") for line in text.splitlines()) == 100
    assert sum(line.endswith(",test") for line in text.splitlines()) == 50
    read = torch.tensor(read_csv(text, 150))
    assert torch.equal(read[:, :1], torch.cat([split.x_train, split.x_test]))
    assert torch.equal(read[:, 1:], torch.cat([split.y_train, split.y_test]))
