"""Which orders of a run fold into one, how many may wait, and what is forgotten when the viewer goes."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from playground.engine import messages
from playground.engine.commands import (
    AddPoint,
    Command,
    Draw,
    Explain,
    GoBack,
    Leave,
    LookBack,
    Pause,
    Pick,
    Play,
    RemovePoint,
    Reset,
    SetSpeed,
    SetWeight,
    Slide,
    Step,
    Undo,
)
from playground.engine.orders import MAX_WAITING, Call, Order, Orders, Rebuild, Refuse, Revary, Tune
from playground.lessons import LESSONS

CONFIG = LESSONS["classification"].benches[0].config()
PLAYER = (Play(), Pause(), Step(3), LookBack(2), LookBack())
# Two orders in their order, where the second alone leads to the same state.
FOLDING: list[tuple[Order, Order]] = [
    *((each, Reset()) for each in PLAYER),
    (Reset(), Reset()),
    (Rebuild(1), Rebuild(2)),
    (Tune(1), Rebuild(2)),
    (Play(), Play()),
    (Pause(), Pause()),
    (SetSpeed(3.0), SetSpeed(None)),
    (LookBack(1), LookBack(2)),
    (LookBack(), LookBack(2)),
    (LookBack(step=1), LookBack(step=2)),
    (LookBack(1), LookBack(step=2)),
    (LookBack(), LookBack()),
    (Pick(1, 2, "plane"), Pick(3, 4, "plane")),
    (Draw("AA"), Draw(None)),
    (Slide("epsilon", 1), Slide("epsilon", 2)),
    (Explain(0, 0), Explain(1, 1)),
    (Refuse("One."), Refuse("Two.")),
]
# Two orders that are both needed.
APART: list[tuple[Order, Order]] = [
    (AddPoint(0, 0), AddPoint(0, 0)),
    (AddPoint(0, 0), Undo()),
    (RemovePoint(0, 0), RemovePoint(0, 0)),
    (Undo(), Undo()),
    (GoBack(), Play()),
    (SetWeight(0, 0, 0, 1.0), SetWeight(0, 0, 0, 2.0)),
    (Step(1), Step(1)),  # two clicks are two steps
    (LookBack(3), LookBack()),  # looking back has paused the run
    (LookBack(step=3), LookBack()),
    (Play(), Pause()),  # Play resumes a run that is done
    (Play(), Rebuild(1)),
    (AddPoint(0, 0), Reset()),
    (SetSpeed(1.0), Reset()),
    (Tune(1), Reset()),
    (Rebuild(1), Reset()),
    (Reset(), Rebuild(1)),
    (Reset(), Play()),
    (Rebuild(1), Tune(2)),
    (Pick(1, 2, "plane"), Pick(1, 2, "maps")),
    (Slide("epsilon", 1), Slide("threshold", 1)),
]


def waiting(*orders: Order, config: Any = CONFIG) -> list[Order]:
    queue = Orders()
    for order in orders:
        queue.add(order, config)
    return list(iter(queue.take, None))


def tune(**values: Any) -> Tune:
    return Tune(CONFIG.with_values(**values))


@pytest.mark.parametrize(("earlier", "later"), FOLDING, ids=str)
def test_an_order_replaces_one_that_it_makes_void(earlier: Order, later: Order) -> None:
    assert waiting(earlier, later) == [later]
    assert waiting(*[earlier, later] * 300) == [later]


@pytest.mark.parametrize(("earlier", "later"), APART, ids=str)
def test_orders_that_are_both_needed_both_wait(earlier: Order, later: Order) -> None:
    assert waiting(earlier, later) == [earlier, later]


def test_every_command_is_among_the_cases() -> None:
    cases = {type(order) for pair in (*FOLDING, *APART) for order in pair}
    assert set(Command.__subclasses__()) - {Leave} <= cases


def test_a_run_that_is_to_be_built_again_and_play_still_plays_where_its_settings_change_before() -> None:
    assert waiting(Rebuild(1, plays=True), Rebuild(2)) == [Rebuild(2, plays=True)]
    assert waiting(Tune(1), Rebuild(2, plays=True)) == [Rebuild(2, plays=True)]
    assert waiting(Rebuild(1), Rebuild(2)) == [Rebuild(2)]


def test_only_neighbours_fold() -> None:
    pick, point = Pick(0, 0, "map"), AddPoint(0, 0)
    assert waiting(pick, point, pick) == [pick, point, pick]


def test_a_number_that_is_dragged_is_set_once() -> None:
    assert waiting(tune(lr=0.1), tune(lr=0.3), tune(lr=1.0)) == [tune(lr=1.0)]
    assert waiting(tune(lr=0.1), tune(lr=0.1)) == [tune(lr=0.1)]


def test_other_changes_of_live_knobs_are_all_made() -> None:
    both = CONFIG.with_values(lr=0.1, dropout=0.5)
    assert waiting(tune(lr=0.1), Tune(both)) == [tune(lr=0.1), Tune(both)]
    assert len(waiting(tune(layers=3), tune(layers=4))) == 2, "a layer that is removed loses its weights"
    assert len(waiting(tune(optimizer="adam"), tune(optimizer="sgd"))) == 2, "a new optimizer has an empty state"
    assert len(waiting(tune(lr=0.1), Tune(CONFIG))) == 2, "back to where it was"


def test_a_number_folds_with_the_settings_that_wait_not_with_those_of_the_run() -> None:
    other = {"dropout": 0.5}
    waits = waiting(tune(**other), tune(**other, lr=0.1), tune(**other, lr=0.3))
    assert waits == [tune(**other), tune(**other, lr=0.3)]


def test_so_many_commands_wait_and_the_next_are_refused_with_one_sentence() -> None:
    points: list[Order] = [AddPoint(n, 0) for n in range(600)]
    waits = waiting(*points)
    assert waits == [*points[:MAX_WAITING], Refuse(messages.TOO_MANY_COMMANDS)]


def test_a_command_that_folds_is_taken_even_if_the_queue_is_full() -> None:
    points: list[Order] = [AddPoint(n, 0) for n in range(MAX_WAITING - 1)]
    assert waiting(*points, Draw("AA"), Draw("BB")) == [*points, Draw("BB")]


def test_what_the_page_orders_is_never_refused_and_its_settings_do_not_pile_up() -> None:
    points: list[Order] = [AddPoint(n, 0) for n in range(MAX_WAITING)]
    call = Call(lambda run: run, Future())
    assert waiting(*points, call, Revary(lambda config: config))[-2] is call
    turned = [tune(layers=1 + n % 5) for n in range(600)]
    waits = waiting(*turned)
    assert len(waits) <= MAX_WAITING and waits[-1] == turned[-1]
    assert waiting(*points, *turned)[-1] == turned[-1]


def test_a_viewer_that_goes_takes_its_commands_along_but_not_the_settings_of_the_page() -> None:
    queue = Orders()
    for order in (Reset(), Tune(1), AddPoint(0, 0), Rebuild(2), Refuse("No."), Pick(0, 0)):
        queue.add(order, None)
    queue.drop_commands()
    assert [queue.take(), queue.take(), queue.take()] == [Tune(1), Rebuild(2), None]


def test_nobody_waits_for_the_answer_of_an_order_that_is_cancelled() -> None:
    queue, future = Orders(), Future[Any]()
    queue.add(Call(lambda run: run, future), None)
    queue.cancel()
    assert future.cancelled() and not len(queue)
