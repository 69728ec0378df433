"""The lesson "Optimizers" in a real Chromium: the race, the rule that comes true, who leaves, who was turned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.student import Board

Open = Callable[..., Any]
RULE = """
() => {
  const rows = document.querySelector("[data-chart=rule]").layout.meta.csv.trim().split("\\n");
  return rows[rows.length - 1].split('"').at(-2).replace("−", "-");
}
"""
HEADING = "document.querySelector('[data-chart=rule]').layout?.meta?.words"
BADGE = "document.querySelector('[data-chart=ranking]').layout.annotations[0].text"


def test_a_student_runs_the_tutorials_race_and_looks_back(page: Open) -> None:
    tab = page("/optimizers?optimizers_max_steps=64")
    board = Board(tab.page).ready()
    board.until(lambda: "Identical at step 0" in tab.page.evaluate(BADGE), "the badge")
    tab.page.get_by_label("Speed").select_option("0")
    board.press("Play")
    board.until(lambda: board.state == "done", "64 steps")
    assert (board.step, board.number("epoch"), board.number("racers"), board.number("starts")) == (64, 2, 4, 1)
    assert " won with" in board.said() and "Adam" in board.said()
    board.until(lambda: board.trace("loss", "Adam")["x"][-1] == 64, "the loss is drawn to its end")
    assert len(board.trace("fits", "SGD")["y"]) == len(board.trace("fits", "Adam")["y"])
    best = board.number("loss")
    board.scrub(0)
    board.until(lambda: board.step == 0, "back at the start")
    board.until(lambda: board.number("loss") > best, "when nobody had learned")
    names = ("SGD", "Momentum", "RMSprop", "Adam")
    board.until(lambda: len({board.trace("ranking", name)["x"][1] for name in names}) == 1, "all alike")


def test_the_rule_written_out_is_what_the_next_step_does(page: Open) -> None:
    tab = page("/optimizers?optimizers_inside=adam&optimizers_parameter=45")
    board = Board(tab.page).ready()
    board.open_chart("rule")
    board.until(lambda: "step 1:" in str(tab.page.evaluate(HEADING)), "the first step")
    for step in (1, 2, 3):
        promised = tab.page.evaluate(RULE)
        board.press("Step")
        board.until(lambda now=step: f"step {now + 1}:" in str(tab.page.evaluate(HEADING)), "the step after it")
        heading = str(tab.page.evaluate(HEADING)).replace("−", "-")
        assert f"= {promised}, changes" in heading


def test_when_the_race_rests_slow_pictures_show_its_step_too(page: Open) -> None:
    tab = page("/optimizers?optimizers_max_steps=0")
    board = Board(tab.page).ready()
    board.open_chart("rule")
    for _ in range(4):
        before = board.step
        board.play()
        board.until(lambda before=before: board.step > before + 15, "it runs")
        board.press("Pause")
        board.until(lambda: board.state == "paused", "it rests")
        board.until(lambda: f"step {board.step + 1}:" in str(tab.page.evaluate(HEADING)), "the rule of its next step")


def test_who_diverges_leaves_and_a_live_knob_is_no_new_race(page: Open) -> None:
    tab = page("/optimizers?optimizers_lr=3&optimizers_max_steps=0&optimizers_own=Adam(lr%3D0.01)")
    board = Board(tab.page).ready()
    assert board.number("racers") == 5
    board.play()
    board.until(lambda: board.number("racers") == 3, "two leave")
    assert "dropped out" in board.said() and "In the lead" in board.said()
    run, before = board.run, board.step
    tab.page.get_by_role("slider", name="Learning rate").press("ArrowLeft")
    board.until(lambda: "optimizers_lr=1" in tab.page.url, "the link follows")
    board.until(lambda: board.step > before + 20, "and it goes on")
    assert (board.run, board.number("racers")) == (run, 3)
    board.press("Reset")
    board.until(lambda: board.step == 0 and board.number("racers") == 5, "a new race with all")
    board.drawer()
    tab.page.get_by_text("Same start for all", exact=True).click()
    board.until(lambda: board.number("starts") == 5, "everybody from their own start")


@pytest.mark.in_turns
def test_what_moves_without_plotly_stands_where_plotly_would_put_it(page: Open) -> None:
    tab = page("/optimizers?optimizers_max_steps=0")
    board = Board(tab.page).ready()
    board.open_chart("rule")
    board.open_chart("memory")
    board.play()
    board.wait_frames(60)
    shown = """() => {
      const plot = (name) => document.querySelector(`[data-chart="${name}"]`);
      const memory = plot("memory"), rule = plot("rule"), { xaxis, yaxis } = memory._fullLayout;
      const points = memory.data.map(({ x, y }, at) => {
        const nodes = [...memory.querySelectorAll(`.trace${memory._fullData[at].uid} path.point`)];
        const found = nodes.map((node) => node.getAttribute("transform").match(/-?[\\d.]+/g).map(Number));
        return found.map(([left, top], i) => Math.hypot(left - xaxis.d2p(x[i]), top - yaxis.d2p(y[i])));
      });
      const lines = (node) => (node.children.length ? [...node.children] : [node]);
      const node = (at) => rule.querySelector(`.annotation[data-index="${at}"] text`);
      const text = (at) => lines(node(at)).map((line) => line.textContent).join("<br>");
      const texts = rule.layout.annotations.map((_, at) => text(at));
      const known = rule.layout.annotations.map(({ text }) => text);
      return { points, texts, known, heading: texts[0] };
    }"""
    first = tab.page.evaluate(shown)
    board.wait_frames(60)
    board.pause()
    tab.page.wait_for_timeout(1500)  # Plotly has drawn it all once more
    last = tab.page.evaluate(shown)
    for each in (first, last):
        assert [len(distances) for distances in each["points"]] == [61, 61, 61]
        assert max(max(distances) for distances in each["points"]) < 0.02, "pixels"
        assert each["texts"] == each["known"]
    assert first["heading"] != last["heading"], "the rule is that of another step"


def test_racers_are_removed_added_and_looked_into_at_their_list(page: Open) -> None:
    tab = page("/optimizers?optimizers_own=Adam(lr%3D0.1)")
    board = Board(tab.page).ready()
    names = "document.querySelector('[data-chart=ranking]').layout?.yaxis?.ticktext ?? []"
    board.until(lambda: tab.page.evaluate(names)[-1:] == ["Adam 0.1"], "five racers")
    board.press("Take RMSprop out of the race")
    board.until(lambda: board.number("racers") == 4 and "RMSprop" not in tab.page.evaluate(names), "four racers")
    board.press("Take Adam 0.1 out of the race")
    board.until(lambda: tab.page.evaluate(names) == ["SGD", "Momentum", "Adam"], "no own entry")
    board.press("+ racer")
    tab.page.locator(".choices").get_by_role("button", name="AdaGrad", exact=True).click()
    board.until(lambda: "AdaGrad" in tab.page.evaluate(names), "another racer")
    board.press("Look inside Momentum")
    board.until(lambda: str(tab.page.evaluate(f"{HEADING} ?? ''")).startswith("Momentum, step 1"), "its next step")
    assert "optimizers_inside=momentum" in tab.page.url
    assert tab.page.locator('[data-place="hero"] [data-chart="rule"]').count() == 1


def test_while_the_surface_is_the_largest_picture_the_rest_speaks_of_it(page: Open) -> None:
    tab = page("/optimizers?optimizers_try=local-minimum&optimizers_max_steps=64")
    board = Board(tab.page).ready()
    title = "document.querySelector('[data-chart=ranking]').layout.annotations[1].text"
    board.until(lambda: tab.page.evaluate(title) == "Height above the lowest point", "the list has heights")
    assert "one point of the surface" in board.said()
    numbers = {name: tab.page.locator(f"[data-status={name}]") for name in ("height", "loss")}
    assert numbers["height"].is_visible() and not numbers["loss"].is_visible()
    assert "Lowest height" in tab.page.locator("[data-place=strip]").inner_text()
    board.press("Play")
    board.until(lambda: board.state == "done", "64 steps")
    assert "Lowest: Momentum" in board.said() and board.number("height") < 0.01
    tab.page.locator("[data-thumb=loss]").click()
    board.until(lambda: tab.page.evaluate(title) == "Loss on all points", "the list has losses")
    assert " won with" in board.said() and numbers["loss"].is_visible() and not numbers["height"].is_visible()
