"""The board's contract in a real Chromium: what stays, what moves, what comes back, and what never happens.

The `page` fixture also holds that no tab had a console error or asked a foreign host for anything.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from playground.engine.engine import MAX_AWAY_SECONDS
from tests.browser.student import KEEP_SOCKETS, Board

Open = Callable[..., Any]
ENDLESS = "/regression?regression_max_steps=0"
CHARTS = ("fit", "loss", "network", "gradients")


def test_a_cold_deep_link_opens_with_its_settings_and_paints_every_chart(page: Open) -> None:
    tab = page("/regression?regression_lr=0.1&regression_hidden=5")
    board = Board(tab.page).ready()
    assert board.number("parameters") == 16
    board.until(lambda: board.knob("lr").get_attribute("aria-valuetext") == "0.1", "the knob shows the link's value")
    for chart in CHARTS:
        board.open_chart(chart)
    assert len(board.run) >= 20
    assert board.state == "paused"
    assert set(board.numbers()) >= {"step", "epoch", "loss", "test_loss", "r2", "parameters", "steps_per_second"}


def test_chart_nodes_survive_fifty_frames_and_the_numbers_move(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    tab.page.evaluate(
        """() => {
          const nodes = [...document.querySelectorAll("[data-chart], [data-chart] .main-svg, [data-chart] .plot")];
          window.__kept = nodes.filter((node) => node.isConnected);
        }"""
    )
    kept = tab.page.evaluate("window.__kept.length")
    curve = board.trace("fit", "Model")["y"]
    board.play()
    board.wait_frames(50)
    assert tab.page.evaluate("window.__kept.filter((node) => node.isConnected).length") == kept >= 8
    assert board.step > 50
    board.until(lambda: board.trace("fit", "Model")["y"] != curve, "the curve moves")
    assert len(board.trace("loss", "Train")["y"]) > 20


def test_the_hero_hides_what_is_behind_it_so_that_a_frame_draws_less(page: Open) -> None:
    """Round corners or a pale ground would make the browser draw the page and the card under it in every frame."""
    tab = page(ENDLESS)
    Board(tab.page).ready()
    radius, ground = tab.page.evaluate(
        """() => {
          const look = getComputedStyle(document.querySelector("[data-place=hero] .stage"));
          return [look.borderRadius, look.backgroundColor];
        }"""
    )
    assert radius == "0px" and ground.startswith("rgb("), (radius, ground)


def test_a_zoom_survives_the_frames_after_it(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    board.open_chart("gradients")
    board.play()
    box = tab.page.locator('[data-chart="gradients"] .nsewdrag').bounding_box()
    tab.page.mouse.move(box["x"] + 40, box["y"] + 30)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 160, box["y"] + 120, steps=5)
    tab.page.mouse.up()
    span = "() => { const { xaxis, yaxis } = document.querySelector('[data-chart=gradients]')._fullLayout;"
    span += " return [...xaxis.range, ...yaxis.range]; }"
    zoomed = tab.page.evaluate(span)
    assert zoomed[0] > 0
    board.wait_frames(40)
    assert tab.page.evaluate(span) == pytest.approx(zoomed)
    board.choose("gradients", "Reset zoom")
    board.until(lambda: tab.page.evaluate(span)[0] == 0, "all steps are back")


def test_pause_holds_and_the_space_bar_goes_on(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    board.play()
    board.wait_frames(10)
    board.pause()
    held = board.step
    tab.page.wait_for_timeout(500)
    assert board.step == held > 0
    tab.page.keyboard.press("Space")
    board.until(lambda: board.step > held, "the space bar plays")
    tab.page.keyboard.press("Space")
    board.until(lambda: board.state == "paused", "the space bar pauses")


def test_step_takes_batches_or_epochs_and_reset_goes_back_to_the_same_start(page: Open) -> None:
    tab = page("/regression?regression_batch_size=20")
    board = Board(tab.page).ready()
    first = board.number("loss")
    board.press("Step")
    board.until(lambda: board.step == 1, "one batch")
    board.take(7)
    board.until(lambda: board.step == 8 and board.number("epoch") == 1, "seven batches more")
    board.take(2, "epochs")
    board.until(lambda: board.step == 15 and board.number("epoch") == 3, "to the end of the third epoch")
    assert board.number("loss") != first
    board.press("Reset")
    board.until(lambda: board.step == 0, "back at the start")
    assert board.number("loss") == first
    assert board.state == "paused"


def test_the_tutorials_run_stops_after_its_hundred_steps(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    tab.page.get_by_label("Speed").select_option("0")
    board.press("Play")
    board.until(lambda: board.state == "done", "done")
    assert board.step == 100
    assert board.number("loss") < 0.01
    assert board.number("r2") > 0.9
    board.press("Play")
    board.until(lambda: board.step == 200 and board.state == "done", "as many steps again")


def test_the_speed_can_be_as_slow_as_one_step_a_second(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    tab.page.get_by_label("Speed").select_option("10")
    before = time.monotonic()
    board.play()
    board.until(lambda: board.step >= 5, "it plays")
    step = board.step
    assert step <= 10 * (time.monotonic() - before) + 5, "not faster than its speed"


def test_scrubbing_moves_all_charts_to_an_earlier_step_and_now_returns(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    board.press("Play")
    board.until(lambda: board.state == "done", "done")
    end = {"loss": board.number("loss"), "curve": board.trace("fit", "Model")["y"]}
    assert board.places() >= 60
    board.scrub(3)
    board.until(lambda: board.step == 3, "step 3 is shown")
    board.until(lambda: board.trace("fit", "Model")["y"] != end["curve"], "the curve of step 3")
    assert board.number("loss") > end["loss"]
    handle = tab.page.locator("[data-place=strip] .handle-knob")
    board.until(lambda: abs(middle(handle) - board.place_of(3)[0]) < 1.5, "the handle stands there")
    board.press("Now")
    board.until(lambda: board.step == 100 and board.number("loss") == end["loss"], "now again")
    board.until(lambda: board.trace("fit", "Model")["y"] == end["curve"], "the curve of now")


def middle(locator: Any) -> float:
    """The x of a node's middle on the screen."""
    box = locator.bounding_box()
    return float(box["x"] + box["width"] / 2)


def test_one_looks_back_by_dragging_along_the_loss(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    board.press("Play")
    board.until(lambda: board.state == "done", "done")
    now = tab.page.get_by_role("button", name="Now", exact=True)
    assert not now.is_visible()
    before = tab.page.locator("[data-board] .player").bounding_box()
    tab.page.mouse.move(*board.place_of(90))
    tab.page.mouse.down()
    for step in (70, 50, 40):
        tab.page.mouse.move(*board.place_of(step + 0.5))
        board.until(lambda step=step: board.step == step, f"step {step} is shown")
    handle = tab.page.locator("[data-place=strip] .handle-knob")
    assert middle(handle) == pytest.approx(board.place_of(40)[0], abs=8)
    tab.page.mouse.up()
    assert now.is_visible() and middle(now) == pytest.approx(board.place_of(100)[0], abs=2)
    assert tab.page.locator("[data-board] .player").bounding_box() == before, "nothing moves"
    tab.page.keyboard.press("ArrowLeft")
    board.until(lambda: board.step == 39, "the keyboard continues where the pointer was")
    slider = tab.page.get_by_role("slider", name="Time")
    board.until(lambda: slider.get_attribute("aria-valuetext") == "step 39", "and says so")
    tab.page.keyboard.press("Home")
    board.until(lambda: board.step == 0, "the start")
    tab.page.keyboard.press("PageUp")
    board.until(lambda: board.step > 5, "a tenth further")
    tab.page.mouse.move(*board.place_of(20))
    tab.page.mouse.down()
    tab.page.mouse.move(*board.place_of(103))
    tab.page.mouse.up()
    board.until(lambda: board.step == 100 and not now.is_visible(), "dragged to the end, it is now")


def test_a_drag_along_the_loss_pauses_and_play_returns_to_now(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    board.play()
    board.wait_frames(20)
    tab.page.mouse.move(*board.place_of(board.step / 3))
    tab.page.mouse.down()
    board.until(lambda: board.state == "paused", "paused")
    tab.page.mouse.up()
    shown = board.step
    board.play()
    board.until(lambda: board.step > 2 * shown, "it goes on from now")


def test_before_the_first_step_the_strip_has_the_planned_length_and_says_what_comes(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    strip = tab.page.locator("[data-place=strip]")
    assert "Loss over the steps is drawn here." in strip.text_content()
    ticks = "[...document.querySelectorAll('[data-place=strip] .xtick text')].map((node) => node.textContent)"
    assert tab.page.evaluate(ticks) == ["0", "25", "50", "75", "100 steps"]
    board.press("Step")
    hint = tab.page.locator("[data-place=strip] .strip-hint")
    board.until(lambda: not hint.is_visible(), "the line begins")


def test_a_change_of_a_setting_is_a_notch_with_its_words(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    board.press("Step")
    board.until(lambda: board.step == 1, "a step")
    board.take(20)
    board.until(lambda: board.step == 21, "more steps")
    board.knob("optimizer").select_option("Adam")
    notch = tab.page.get_by_role("button", name="Step 21: Optimizer")
    notch.wait_for(state="attached")
    board.take(20)
    board.until(lambda: board.step == 41, "more steps")
    notch.hover()
    words = tab.page.get_by_role("tooltip").locator("visible=true")
    board.until(lambda: words.count() and "Adam" in words.first.text_content(), "its words")
    notch.press("Enter")
    board.until(lambda: board.step == 21, "the step at which it was changed")


def test_after_a_divergence_the_loss_is_crossed_and_one_can_start_again_with_a_lower_rate(page: Open) -> None:
    tab = page("/regression?regression_lr=10&regression_max_steps=0")
    board = Board(tab.page).ready()
    board.press("Play")
    board.until(lambda: board.state == "failed", "it diverges")
    assert "The loss is not finite" in tab.page.locator("[data-place=strip] .cross").inner_text()
    again = tab.page.get_by_role("button", name="Start again with learning rate 0.5", exact=True)
    again.focus()
    again.press("Enter")
    board.until(lambda: board.state == "paused" and board.step == 0, "from the start")
    board.until(lambda: board.knob("lr").get_attribute("aria-valuetext") == "0.5", "with a lower rate")
    assert board.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Play", "the focus is not lost"


def test_after_a_divergence_of_large_inputs_one_can_start_again_with_what_the_narrator_advises(page: Open) -> None:
    tab = page("/regression?regression_scale=100")
    board = Board(tab.page).ready()
    board.press("Play")
    board.until(lambda: board.state == "failed" and "Normalise x" in board.said(), "it diverges")
    tab.page.get_by_role("button", name="Start again with “Normalise x” on", exact=True).click()
    board.until(lambda: board.state == "paused" and "regression_normalise=true" in tab.page.url, "normalised")
    board.press("Play")
    board.until(lambda: board.step == 100, "it learns")
    assert "Stopped at step 100" in board.said()


def test_knobs_beside_the_player_turn_the_settings(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    rate = board.knob("lr")
    assert rate.get_attribute("aria-label") == "Learning rate" and rate.get_attribute("aria-valuetext") == "0.5"
    rate.focus()
    tab.page.keyboard.press("ArrowLeft")
    assert rate.get_attribute("aria-valuetext") == "0.3", "it shows its value at once"
    tab.page.wait_for_url("**regression_lr=0.3*")
    board.knob("optimizer").select_option("Adam")
    tab.page.wait_for_url("**regression_optimizer=adam*")
    board.drawer()
    drawn = tab.page.locator(".st-key-drawer").get_by_role("slider", name="Learning rate")
    board.until(lambda: drawn.get_attribute("aria-valuetext") == "0.3", "the drawer's widget shows it, too")
    assert rate.get_attribute("aria-valuetext") == "0.3"


def test_a_dragged_knob_sends_one_value_per_answer_and_never_jumps_back(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    rate = board.knob("lr")
    box = rate.bounding_box()
    tab.page.evaluate(
        """() => {
          const rate = document.querySelector("[data-knob=lr] input");
          window.__seen = [];
          new MutationObserver(() => window.__seen.push(Number(rate.value)))
            .observe(rate, { attributes: true, attributeFilter: ["aria-valuetext"] });
        }"""
    )
    tab.page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    tab.page.mouse.down()
    for part in range(20):
        tab.page.mouse.move(box["x"] + box["width"] * (1 - (part + 1) / 22), box["y"] + box["height"] / 2)
        tab.page.wait_for_timeout(30)
    tab.page.mouse.up()
    last = rate.input_value()
    board.until(
        lambda: f"regression_lr={rate.get_attribute('aria-valuetext')}" in tab.page.url, "the link has the last"
    )
    tab.page.wait_for_timeout(500)
    assert rate.input_value() == last
    seen = tab.page.evaluate("window.__seen")
    assert seen == sorted(seen, reverse=True), "it only went where the pointer went"


def test_a_hidden_knob_shows_its_value_with_a_lock(page: Open) -> None:
    tab = page("/regression?regression_lr=0.1&hide=lr")
    Board(tab.page).ready()
    knob = tab.page.locator('[data-knob="lr"]')
    assert knob.locator("input").count() == 0
    assert "0.1" in knob.text_content() and knob.get_by_role("img", name="Locked by the teacher").is_visible()


def test_the_other_numbers_open_beside_the_numbers(page: Open) -> None:
    tab = page("/regression")
    Board(tab.page).ready()
    epoch = tab.page.locator('[data-status="epoch"]')
    assert not epoch.is_visible()
    tab.page.locator("[data-board] .numbers").focus()
    tab.page.keyboard.press("Shift")  # a key, so that the focus is seen
    tab.page.locator("[data-board] .numbers").hover()
    epoch.wait_for(state="visible")
    tab.page.keyboard.press("Escape")
    epoch.wait_for(state="hidden")


def test_the_line_of_numbers_keeps_its_height(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    line, strip = (tab.page.locator(f".screen > {each}") for each in (".line", "[data-place=strip]"))
    before = line.bounding_box(), strip.bounding_box()
    board.play()
    board.wait_frames(30)
    tab.page.evaluate(
        "document.querySelector('[data-board] .narrator').firstChild.data = 'A very long sentence. '.repeat(30)"
    )
    assert (line.bounding_box(), strip.bounding_box()) == before


def test_shift_enter_asks_how_many_steps(page: Open) -> None:
    tab = page("/regression?regression_batch_size=20")
    board = Board(tab.page).ready()
    tab.page.locator("body").press("Shift+Enter")
    count = tab.page.get_by_role("spinbutton", name="Steps or epochs to take")
    assert count.evaluate("(node) => node === document.activeElement"), "the field has the focus"
    count.fill("0")
    tab.page.keyboard.press("Enter")
    board.until(lambda: "“0” is not a whole number" in board.said(), "why not")
    count.fill("3")
    tab.page.keyboard.press("Enter")
    board.until(lambda: board.step == 3, "three steps")
    assert not count.is_visible()
    step = tab.page.get_by_role("button", name="Step", exact=True)
    assert step.evaluate("(node) => node === document.activeElement"), "the focus is not lost"
    step.click(modifiers=["Shift"])
    count.wait_for(state="visible")
    tab.page.keyboard.press("Escape")
    assert board.step == 3


def test_a_cut_line_reconnects_by_itself_and_loses_nothing(page: Open) -> None:
    tab = page(ENDLESS, script=KEEP_SOCKETS)
    board = Board(tab.page).ready()
    board.play()
    board.wait_frames(10)
    run, before = board.run, board.step
    board.cut_the_line()
    board.until(lambda: board.step > before + 100, "training goes on")
    assert board.run == run
    assert board.state == "playing"
    assert len(board.trace("loss", "Train")["x"]) > 10
    assert board.trace("loss", "Train")["x"][0] == 0


def test_two_students_have_runs_of_their_own(page: Open) -> None:
    one, two = Board(page(ENDLESS).page).ready(), Board(page(ENDLESS).page).ready()
    assert one.run != two.run
    one.play()
    one.until(lambda: one.step > 100, "the first plays")
    assert two.step == 0
    two.play()
    two.until(lambda: two.step > 50, "the second plays too")
    before = one.step
    two.press("Reset")
    two.until(lambda: two.step < before, "the second starts over")
    one.until(lambda: one.step > before, "the first goes on")


def test_leaving_the_page_pauses_and_coming_back_finds_the_run_as_it_was(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    board.play()
    board.wait_frames(10)
    run = board.run
    tab.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Home").click()
    tab.page.get_by_role("heading", name="Watch a model learn").wait_for()
    board.until(lambda: tab.page.locator("[data-board][data-run]").count() == 0, "the run's board is gone")
    back_at = time.monotonic() + MAX_AWAY_SECONDS + 0.3
    tab.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Convolution").click()
    tab.page.wait_for_selector(
        "[data-testid=stMain] [data-chart] .main-svg"
    )  # another page, while the time away passes
    tab.page.wait_for_timeout(1000 * max(0.0, back_at - time.monotonic()))
    tab.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Regression").click()
    board.ready()
    assert board.run == run
    assert board.state == "paused"
    assert board.step > 0
    assert len(board.trace("loss", "Train")["x"]) > 5


def test_closing_the_tab_stops_its_compute_within_two_seconds(page: Open, serve: Any) -> None:
    with serve() as server:
        tab = page(ENDLESS, base=server.url)
        board = Board(tab.page).ready()
        board.play()
        process = psutil.Process(server.pid)
        assert (playing := busy(process, tab.page)) > 0.1, "a playing run uses the processor"
        clock = page(base=server.url).page  # an empty tab to wait in
        tab.page.close()
        clock.wait_for_timeout(2000)
        assert busy(process, clock) < min(0.1, playing / 2), "nobody is looking"


def busy(process: psutil.Process, page: Any) -> float:
    """How many cores a server and its workers use over the next second."""
    before = seconds_of(process)
    page.wait_for_timeout(1000)
    return seconds_of(process) - before


def seconds_of(process: psutil.Process) -> float:
    """The processor time that a process and those below it have used."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def test_over_the_limit_a_run_waits_in_the_queue_and_then_has_its_turn(page: Open, serve: Any) -> None:
    with serve(settings={"PLAYGROUND_MAX_RUNS": "1"}) as server:
        first = Board(page("/regression?regression_max_steps=0", base=server.url).page).ready()
        first.play()
        first.until(lambda: first.step > 0, "it plays")
        waiting = Board(page("/regression", base=server.url).page).ready()  # with its first picture
        waiting.press("Play")
        waiting.page.wait_for_selector('[data-state="queued"]')
        waiting.until(lambda: "number 1 in the queue" in waiting.said(), "its place in the queue")
        waiting.press("Pause")  # what waits can be paused
        waiting.until(lambda: waiting.state == "paused" and "queue" not in waiting.said(), "it leaves the queue")
        waiting.press("Play")
        waiting.page.wait_for_selector('[data-state="queued"]')
        assert waiting.step == 0
        first.page.close()
        waiting.until(lambda: waiting.step > 0, "its turn")
        waiting.page.close()  # before its server ends: it would try to reconnect


def test_a_chart_fills_the_screen_and_saves_its_picture_and_its_numbers(page: Open, tmp_path: Any) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    with tab.page.expect_download() as saved:
        board.choose("fit", "Save data as CSV")
    saved.value.save_as(tmp_path / "fit.csv")
    rows = (tmp_path / "fit.csv").read_text().splitlines()
    assert rows[0] == "series,x,y"
    assert len([row for row in rows if row.startswith("Train,")]) == 100
    with tab.page.expect_download() as saved:
        board.choose("loss", "Save as PNG")
    saved.value.save_as(tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    board.choose("fit", "Full screen")
    wide = "document.querySelector('[data-chart=fit] .main-svg').clientWidth"
    board.until(lambda: tab.page.evaluate(wide) > 1100, "the chart is as wide as the screen")
    tab.page.keyboard.press("Escape")
    tab.page.evaluate("document.fullscreenElement && document.exitFullscreen()")
    board.until(lambda: tab.page.evaluate(wide) < 700, "and back")


@pytest.mark.parametrize(("scheme", "text"), [("light", "#0f1720"), ("dark", "#e6ebf1")])
def test_charts_follow_the_theme(page: Open, scheme: str, text: str) -> None:
    tab = page("/regression", options={"color_scheme": scheme})
    Board(tab.page).ready()
    assert tab.page.evaluate("document.querySelector('[data-chart=fit]').layout.font.color") == text
    track = tab.page.locator("[data-place=strip]").screenshot()
    centre = tab.page.evaluate(
        """async (data) => {
          const image = await createImageBitmap(new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))]));
          const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
          pen.drawImage(image, 0, 0);
          return [...pen.getImageData(image.width / 2, image.height / 2, 1, 1).data].slice(0, 3);
        }""",
        base64.b64encode(track).decode(),
    )
    assert (max(centre) < 128) == (scheme == "dark"), "the strip, too"


def test_nothing_is_wider_than_a_phone(page: Open) -> None:
    tab = page("/regression", width=390, height=844)
    board = Board(tab.page).ready()
    board.play()
    board.wait_frames(5)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    chart = tab.page.locator('[data-chart="fit"]').bounding_box()
    assert chart["x"] >= 0 and chart["x"] + chart["width"] <= 390
    player = tab.page.locator("[data-board] .player").bounding_box()
    assert chart["y"] < player["y"] and player["y"] + player["height"] <= 844, "the player is in sight below"
    for name in ("Pause", "Step", "Reset", "All settings"):
        box = tab.page.locator("[data-board] .player").get_by_role("button", name=name, exact=True).bounding_box()
        assert min(box["width"], box["height"]) >= 44, name
