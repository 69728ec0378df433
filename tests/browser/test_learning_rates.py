"""The page Learning rates in a real Chromium: a sweep fills its map and can be cancelled; the ranking follows the rate.

The `page` fixture also holds that no tab had a console error or asked a foreign host for anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.student import COUNT_FULL_UPDATES, Board

Open = Callable[..., Any]
SWEEP = "/learning_rates?learning_rates_sweep_optimizers=sgd,adam&learning_rates_sweep_seeds=1"
WINNER = "/learning_rates?learning_rates_lab=winner&learning_rates_winner_steps=100&learning_rates_winner_seeds=1"

PLACES = """() => {
  const plot = (name) => document.querySelector(`[data-chart="${name}"]`);
  const off = [];
  for (const chart of [plot("course"), plot("best")]) {
    chart.data.forEach(({ mode, x, y }, at) => {
      if (mode !== "markers") return;
      const { xaxis, yaxis } = chart._fullLayout;
      const node = chart.querySelector(`.trace${chart._fullData[at].uid} path.point`);
      const [left, top] = /([\\d.]+),([\\d.]+)/.exec(node.getAttribute("transform")).slice(1).map(Number);
      off.push(Math.abs(left - xaxis.d2p(x[0])), Math.abs(top - yaxis.d2p(y[0])));
    });
  }
  return [off, plot("course").data.find(({ mode }) => mode === "markers").x[0]];
}"""


def test_a_sweep_fills_its_map_can_be_cancelled_and_looked_back_at(page: Open) -> None:
    tab = page(SWEEP)
    board = Board(tab.page).ready()
    assert board.number("trainings") == 32 and "Press Play" in board.said()
    tab.page.get_by_label("Speed").select_option("0")
    board.play()
    board.until(lambda: board.number("diverged") > 0, "some have diverged")
    board.until(lambda: len(board.trace("map", "Diverged")["x"]) > 0, "their crosses are there")
    board.press("Reset")
    board.until(lambda: board.state == "paused" and board.step == 0, "the sweep is cancelled")
    board.play()
    board.until(lambda: board.state == "done", "the sweep is over")
    assert board.step == 400 and board.number("share") == 100
    assert len(board.trace("map", "Best rate of each")["x"]) == 2 and "Lowest loss after step 400" in board.said()
    board.scrub(0)
    board.until(lambda: board.trace("map", "Diverged")["x"] == [], "the map of step 0")
    assert board.number("diverged") == 0


def test_the_ranking_follows_the_rate_by_slider_and_by_click(page: Open) -> None:
    tab = page(WINNER)
    board = Board(tab.page).ready()
    tab.page.get_by_label("Speed").select_option("0")
    board.play()
    board.until(lambda: board.state == "done", "the sweep is over")
    board.until(lambda: "At 0.01 after step 100:" in board.said(), "ranked at the knob's rate")
    run = board.run
    board.drawer()
    tab.page.locator(".st-key-drawer").get_by_role("slider", name="Learning rate").press("ArrowRight")
    board.until(lambda: "At 0.01468 after" in board.said(), "the ranking has followed the slider")
    assert board.run == run and board.step == 100, "nothing is trained anew"
    board.click_at("lines", 0.0, 0.5)
    board.until(lambda: "At 1 after" in board.said(), "the ranking has followed the click")
    assert "diverged" in str(tab.page.locator('[data-chart="ranking"]').text_content())


def test_a_sweeps_charts_move_without_plotly_to_where_it_would_put_them(page: Open) -> None:
    tab = page(SWEEP, height=1400)
    board = Board(tab.page).ready()
    board.play()
    board.until(lambda: board.step > 30, "the first steps")
    tab.page.evaluate(COUNT_FULL_UPDATES)
    before, cursors = board.frames(), set()
    for _ in range(10):
        board.wait_frames(3)
        off, cursor = tab.page.evaluate(PLACES)
        shown, known = board.notes("best")
        assert len(off) == 2 * 2 + 2 * 2 and max(off) < 1.0, "pixels"
        assert shown == known and len(shown) == 4
        cursors.add(cursor)
    assert len(cursors) > 5, "it moved"
    full, frames = tab.page.evaluate("window.__full"), board.frames() - before
    assert max(full.get(name, 0) for name in ("map", "best", "course")) < frames / 3


def test_the_numbers_of_a_map_are_saved_under_names(page: Open, tmp_path: Any) -> None:
    tab = page(SWEEP)
    board = Board(tab.page).ready()
    board.press("Step")
    board.until(lambda: board.step == 1, "a step")
    with tab.page.expect_download() as saved:
        board.choose("map", "CSV")
    saved.value.save_as(tmp_path / "map.csv")
    first, *rows = (tmp_path / "map.csv").read_text().splitlines()
    assert first == "Optimizer,Learning rate,Loss,Lowest of the seeds,Highest of the seeds,Seeds that diverged"
    assert len(rows) == 32, "2 optimizers, 16 rates"
    assert rows[0].startswith("SGD,0.0001,0.") and rows[-1].split(",")[:2] == ["Adam", "10"]


FIGURES = """() => {
  const { csvOf } = window.__modules["chart/csv.js"];
  const axes = { xaxis: { title: { text: "Step" } }, yaxis: { title: { text: "Loss, <i>mean</i>" } } };
  const trace = { type: "scatter", mode: "lines", name: "A", x: [0, 1], y: [0.5, NaN] };
  const row = { title: "", tickvals: [0, 1], ticktext: ["one", 'the "other"'] };
  const named = { name: "Map", side: 2, values: Uint8Array.of(1, 128, 255, 128), lut: "signed", size: 3, boxes: [] };
  const filling = { ...named, name: "Ink", lut: "ink filling", values: Uint8Array.of(0, 255, 51, 255), size: 1 };
  const bar = { type: "bar", name: "Softmax", x: [0, 1], y: [0.25, 0.75] };
  const layer = { weights: [1, 2], biases: [3], units: ["h"], sources: ["x", "y"] };
  const layout = (more) => ({ ...axes, ...more });
  return {
    traces: csvOf({ data: [trace, { ...trace, meta: { csv: false } }, { ...trace, mode: "text" }], layout: axes }),
    rows: csvOf({ data: [{ ...trace, x: [4, 5], y: [1, 0] }], layout: layout({ yaxis: row }) }),
    series: csvOf({ data: [{ ...trace, meta: { series: "A update" } }], layout: axes }),
    table: csvOf({ data: [trace], layout: layout({ meta: { table: { Name: ["a, b"], Loss: [0.1] } } }) }),
    own: csvOf({ data: [trace], layout: layout({ meta: { csv: "mine", table: {} } }) }),
    maps: csvOf({ data: [bar], layout: axes, maps: [named, filling] }),
    parameters: csvOf({ data: [trace], layout: axes, parameters: [layer] }),
  };
}"""


def test_a_csv_file_has_the_numbers_shown_in_columns_with_names(page: Open) -> None:
    tab = page("/learning_rates?learning_rates_lab=momentum")
    made = tab.page.evaluate(FIGURES)
    assert {name: text.splitlines() for name, text in made.items()} == {
        "traces": ['series,Step,"Loss, mean"', "A,0,0.5"],
        "rows": ["series,Step,y", 'A,4,"the ""other"""', "A,5,one"],
        "series": ['series,Step,"Loss, mean"', "A update,0,0.5"],
        "table": ["Name,Loss", '"a, b",0.1'],
        "own": ["mine"],
        "maps": [
            "map,number,row,column,value",
            *("Map,1,0,0,-3", "Map,1,0,1,0", "Map,1,1,0,3", "Map,1,1,1,0"),
            *("Ink,1,0,0,", "Ink,1,0,1,1", "Ink,1,1,0,0.2", "Ink,1,1,1,1"),
            *("Softmax,,,0,0.25", "Softmax,,,1,0.75"),
        ],
        "parameters": ["layer,unit,input,weight", "1,h,x,1", "1,h,y,2", "1,h,bias,3"],
    }
