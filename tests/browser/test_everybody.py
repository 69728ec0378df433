"""For everybody (WCAG 2.1 AA, first part): axe-core on all pages, what is said aloud, keyboard, reduced motion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from playground.lessons import LESSONS
from tests.browser.student import PATIENCE, Board

Open = Callable[..., Any]
# Violations that are Streamlit's own: rule, and a piece of the HTML of the element; why they stay.
STREAMLITS = {
    ("list", "stSidebarNavItems"): "Streamlit's navigation has <div> elements between <ul> and <li>",
    ("listitem", "<li"): "the same",
    ("presentation-role-conflict", "stFileUploaderDropzone"): "its file uploader has a role and a name at once",
}
# What is shown on demand, in the drawer and in "More": it is the same on every page of a kind.
ON_DEMAND = {
    "classification": (("drawer", "Your own points"), ("more", "Save and restore"), ("more", "Share a link")),
    "cnn": (("drawer", "Upload a digit"),),
    "tensors": (("more", "Share a link"),),
}
THEMES = ("light", "dark")
WHERE = {"exclude": [[".plot-container"]]}  # Plotly's drawings, which are images with an alternative in words
PARTS = (
    ("", "tensors", "autograd", "activations"),
    ("gradient_descent", "regression", "checkpoints", "data_loader"),
    ("classification", "training_loop"),
    ("optimizers", "learning_rates", "convolution", "cnn"),
)


class Inspector:
    """axe-core in one open page; `found` counts the violations that were expected."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.found: Counter[tuple[str, str]] = Counter()

    def load(self) -> None:
        if not self.page.evaluate("typeof axe === 'object'"):
            self.page.evaluate(Axe().axe_script)

    def problems(self, where: str, rules: str = "") -> list[str]:
        """Every violation but Streamlit's own, as a sentence: of all rules, or of those with this tag or name."""
        options = {"resultTypes": ["violations"], **({"runOnly": [rules]} if rules else {})}
        self.page.wait_for_function(
            "() => !document.querySelector('[data-stale=true]')"
        )  # Streamlit fades it meanwhile
        found = self.page.evaluate("([where, options]) => axe.run(where, options)", [WHERE, options])
        problems = []
        for violation in found["violations"]:
            for node in violation["nodes"]:
                own = self.streamlits(violation["id"], node)
                if own is None:
                    problems.append(f"{where}: {violation['id']}: {node['html'][:160]}: {node['failureSummary'][:240]}")
                else:
                    self.found[own] += 1
        return problems

    def streamlits(self, rule: str, node: dict[str, Any]) -> tuple[str, str] | None:
        return next((known for known in STREAMLITS if known[0] == rule and known[1] in node["html"]), None)

    def in_both_themes(self, where: str) -> list[str]:
        problems = []
        for theme in THEMES:
            self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # colours change at once
            self.page.wait_for_function(
                """(theme) => getComputedStyle(document.querySelector(".stApp")).colorScheme === theme""", arg=theme
            )
            self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            problems += self.problems(f"{where}, {theme}", "" if theme == "light" else "color-contrast")
        return problems


@pytest.mark.in_turns
@pytest.mark.parametrize("names", PARTS, ids=lambda names: names[-1])
def test_axe_finds_nothing_that_is_ours_and_each_page_has_a_title_and_headings(
    page: Open, names: tuple[str, ...]
) -> None:
    tab = page(f"/{names[0]}")
    inspector, problems = Inspector(tab.page), []
    for name in names:
        if name != names[0]:
            title = LESSONS[name].title
            tab.page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
            tab.page.get_by_role("heading", level=1, name=title).wait_for()
        tab.page.locator("[data-chart] .main-svg, .st-key-tiles").first.wait_for(timeout=1000 * PATIENCE)
        assert_title_and_headings(tab.page, name)
        inspector.load()
        problems += inspector.in_both_themes(name or "home")
        for place, title in ON_DEMAND.get(name, ()):
            open_part(tab.page, place, title)
            problems += inspector.in_both_themes(f"{name}, {title}")
            tab.page.keyboard.press("Escape")
    assert problems == []
    if names[0] == "classification":
        assert set(STREAMLITS) == set(inspector.found), "an entry of the list is no longer needed"


def open_part(page: Any, place: str, title: str) -> None:
    """Open a part of the drawer or of "More", and wait for its content."""
    board = Board(page)
    if place == "drawer":
        board.drawer()
        shown = page.locator(".st-key-drawer")
    else:
        board.more()
        shown = page.get_by_role("dialog")
    part = shown.locator("details", has_text=title)
    part.locator("summary").click()
    content = "stCode" if title == "Share a link" else "stFileUploaderDropzone"
    part.get_by_test_id(content).first.wait_for(timeout=1000 * PATIENCE)


def test_axe_has_seen_every_page() -> None:
    assert sorted(name for part in PARTS for name in part) == sorted(["", *LESSONS])


def assert_title_and_headings(page: Any, name: str) -> None:
    """A title of the page's own, one heading of the first level, and no level left out."""
    title = f"{LESSONS[name].title} · PyTorch Playground" if name else "PyTorch Playground"
    page.wait_for_function("(title) => document.title === title", arg=title)
    levels = page.evaluate(
        "() => [...document.querySelectorAll('h1, h2, h3, h4')].filter((each) => each.textContent).map((each) => "
        "Number(each.tagName[1]))"
    )
    assert levels.count(1) == 1, name
    assert all(after <= before + 1 for before, after in pairwise(levels)), name


LISTEN = """() => {
  window.__said = [];
  const live = "[role=status], [role=alert], [role=log], output, [aria-live]:not([aria-live=off])";
  for (const region of document.querySelectorAll(live)) {
    const note = () => window.__said.push(region.textContent);
    new MutationObserver(note).observe(region, { childList: true, characterData: true, subtree: true });
  }
}"""
SAID = "() => window.__said.splice(0).filter(Boolean)"


@pytest.mark.in_turns
@pytest.mark.parametrize("address", ["/regression?regression_max_steps=0", "/convolution"])
def test_while_a_run_plays_little_is_said_and_at_its_pause_one_sentence(page: Open, address: str) -> None:
    tab = page(address)
    board = Board(tab.page).ready()
    tab.page.evaluate(LISTEN)
    board.play()
    tab.page.wait_for_timeout(4000)
    assert len(tab.page.evaluate(SAID)) <= 1
    board.pause()
    narrator = tab.page.locator(".narrator").text_content()
    tab.page.wait_for_function("() => window.__said.some(Boolean)", timeout=1000 * PATIENCE)
    tab.page.wait_for_timeout(800)  # nothing more is said
    said = tab.page.evaluate(SAID)
    assert len(said) == 1 and said[0] == tab.page.locator(".narrator").text_content() != ""
    assert narrator


def test_a_still_lab_says_its_new_answer_and_its_new_note(page: Open) -> None:
    tab = page("/tensors?tensors_lab=views").page
    note, answer = tab.locator("[data-sheet]:not([data-board] *) > div").first, tab.locator("[data-board] .answer")
    probe = tab.locator('[data-board] [data-knob="probe"] input')
    note.wait_for()
    tab.evaluate(LISTEN)
    before = note.text_content()
    for _ in range(3):
        probe.press("ArrowRight")
    tab.wait_for_function(
        """(before) => {
          const now = document.querySelector("[data-sheet]:not([data-board] *) > div").textContent.trim();
          return now !== before.trim() && window.__said.includes(now);
        }""",
        arg=before,
        timeout=1000 * PATIENCE,
    )
    assert len(tab.evaluate(SAID)) <= 4, "not each of the three"
    tab.goto("/autograd?autograd_lab=accumulate")
    tab.locator("[data-testid=stMain] [data-chart] .main-svg").first.wait_for()
    tab.evaluate(LISTEN)
    before = answer.text_content()
    tab.locator('[data-board] [data-knob="calls"] input').press("ArrowLeft")
    tab.wait_for_function("() => window.__said.length > 0", timeout=1000 * PATIENCE)
    assert answer.text_content() != before
    assert tab.evaluate(SAID) == [answer.text_content()], "nothing of the charts beside it"


def test_a_point_is_placed_with_the_keyboard_and_its_place_is_said(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    points = "() => document.querySelector('[data-chart=fit]').data[0].x.length"
    before = tab.page.evaluate(points)
    tab.page.evaluate(LISTEN)
    cursor = tab.page.get_by_role("application", name="Cursor in Fit")
    cursor.focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        cursor.press(key)
    tab.page.wait_for_function("() => window.__said.some(Boolean)", timeout=1000 * PATIENCE)
    tab.page.wait_for_timeout(800)  # the last place, if more than one was said
    x, y = (float(part.replace("−", "-")) for part in tab.page.evaluate(SAID)[-1].split(", "))
    cursor.press("Enter")
    board.until(lambda: tab.page.evaluate(points) == before + 1, "a point more")
    where = tab.page.evaluate("() => { const { x, y } = document.querySelector('[data-chart=fit]').data[0];"
                              " return [...x].map((each, at) => [each, y[at]]); }")  # fmt: skip
    assert any(abs(px - x) < 0.01 and abs(py - y) < 0.01 for px, py in where), (x, y)
    cursor.press("Shift+Enter")
    board.until(lambda: tab.page.evaluate(points) == before, "and removed again")


def test_a_setting_is_chosen_with_the_keyboard_in_a_chart(page: Open) -> None:
    tab = page("/activations?activations_lab=curves")
    tab.page.locator('[data-chart="function"] .main-svg').first.wait_for()
    cursor = tab.page.locator('[data-cursor="function"]')
    cursor.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Enter"):
        cursor.press(key)
    tab.page.wait_for_function("() => location.search.includes('activations_curves_probe=')", timeout=1000 * PATIENCE)


def test_a_chart_says_what_is_to_be_seen(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    tab.page.get_by_label("Speed").select_option("0")
    board.press("Play")
    board.until(lambda: board.state == "done", "done")
    loss = tab.page.locator('[data-chart="loss"]')
    words = tab.page.locator(f"#{loss.get_attribute('aria-describedby')}")
    end = tab.page.locator('[data-status="loss"]').text_content()
    board.until(lambda: f"Train: falls from 0.242 to {float(end):.3g}" in words.text_content(), "the loss in words")


FIGURES = [
    ({"mode": "lines", "x": [0, 1, 2, 3], "y": [8, 4, 2, 1]}, "Curve: falls from 8 to 1, still falling at the end."),
    ({"mode": "lines", "x": list(range(40)), "y": [1 / (1 + x) for x in range(20)] + [0.05] * 20}, "level at the end"),
    ({"mode": "lines", "x": [0, 1, 2, 3], "y": [4, -1, 2, 9]}, "falls from 4 to −1 at 1, then rises to 9"),
    ({"mode": "lines", "x": [0, 1, 2], "y": [0.5, 0.5, 0.5]}, "stays at 0.5"),
    ({"mode": "lines", "x": [0, 1, 0], "y": [0, 1, 2]}, "a path of 3 points from (0, 0) to (0, 2)"),
    ({"mode": "markers", "x": [1, 2], "y": [3, 5]}, "2 points, across from 1 to 2, up from 3 to 5"),
    ({"mode": "markers", "x": [1], "y": [None]}, ""),
    ({"type": "bar", "x": ["a", "b"], "y": [3, 5]}, "Curve: a: 3, b: 5."),
    ({"type": "heatmap", "x": [0, 1], "y": [0, 1], "z": [[1, 2], [3, 4]]}, "2 × 2: 0: 1, 2; 1: 3, 4"),
    ({"mode": "lines", "x": [-1, 1e-16, 1], "y": [1, 0, 1]}, "falls from 1 to 0 at 0, then rises to 1"),
    ({"mode": "lines", "x": [0, 1234, 2000], "y": [3, 5, 2]}, "rises from 3 to 5 at 1234, then falls to 2"),
    ({"mode": "lines", "x": [0, 1], "y": [3, 5], "meta": {"series": "Layer 1 update"}}, "Layer 1 update: rises"),
    ({"mode": "lines", "x": [0, 1], "y": [3, 5], "meta": {"csv": False}}, ""),
    ({"mode": "markers", "x": [7], "y": [0], "text": ["step 7: Noise"], "meta": {"csv": False}},
     "Curve: step 7: Noise."),
    ({"type": "heatmap", "z": [[row * 10 + at for at in range(10)] for row in range(7)]}, "7 × 10: from 0 to 69, "),
]  # fmt: skip


PAIRS = [(kind, rate) for kind in ("SGD", "Adam") for rate in range(20)]
LONG = {"Kind": [kind for kind, _ in PAIRS], "Rate": [rate for _, rate in PAIRS], "Loss": [*range(39), None]}
TABLES = [
    ({"table": {"Place": [2, 1], "Racer": ["SGD", "Adam"], "Loss": [0.51234, 12832]}},
     "Place, Racer, Loss: 2, SGD, 0.512; 1, Adam, 12832."),
    ({"table": LONG}, "A table of 40 rows: Kind, Rate, Loss. SGD: Loss from 0 at Rate 0 to 19 at Rate 19. "
     "Adam: Loss from 20 at Rate 0 to 38 at Rate 18. No number in 1 of its rows."),
    ({"table": LONG, "value": "Rate"}, "Adam: Rate from 0 at Rate 0 to 19 at Rate 19."),
    ({"table": {"Image": list(range(40)), "Loss": [*range(40)]}}, "Loss: from 0 at Image 0 to 39 at Image 39."),
]  # fmt: skip


def test_charts_in_words_are_computed_from_their_figures(page: Open) -> None:
    tab = page("/regression")
    Board(tab.page).ready()
    from pages.ui.board import WORDS

    curve = {"type": "scatter", "name": "Curve"}
    for trace, meta, expected in [*((each, {}, said) for each, said in FIGURES), *(({}, *each) for each in TABLES)]:
        said = tab.page.evaluate(
            "([trace, meta, words]) => window.__modules['chart/describe.js']"
            ".describe({ data: [trace], layout: { meta } }, words).join(' ')",
            [{**curve, **trace}, meta, WORDS],
        )
        assert expected in said and bool(expected) == bool(said), (expected, said)


def test_reduced_motion_has_no_transitions_and_no_animations(page: Open) -> None:
    tab = page("/regression", options={"reduced_motion": "reduce"})
    Board(tab.page).ready()
    moving = tab.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((each) => {
          const { transitionDuration, animationDuration, animationName } = getComputedStyle(each);
          const lasts = (text) => text.split(",").some((part) => parseFloat(part) > 0.001);
          return lasts(transitionDuration) || (animationName !== "none" && lasts(animationDuration));
        }).map((each) => each.outerHTML.slice(0, 80))"""
    )
    assert moving == []


def test_the_space_bar_plays_while_a_slider_has_the_focus(page: Open) -> None:
    tab = page("/regression?regression_max_steps=0")
    board = Board(tab.page).ready()
    rate = board.knob("lr")
    rate.press("ArrowLeft")
    rate.press("Space")
    board.until(lambda: board.state == "playing", "it plays")
    tab.page.get_by_role("slider", name="Time").press("Space")
    board.until(lambda: board.state == "paused", "it pauses")
    step = board.step
    tab.page.get_by_role("slider", name="Time").press("ArrowLeft")
    board.until(lambda: board.step < step, "an arrow looks back")
    assert board.state == "paused", "only the space bar and k play"
    tab.page.locator("body").press("Shift+Enter")
    tab.page.get_by_role("spinbutton", name="Steps or epochs to take").press("Space")
    tab.page.wait_for_timeout(300)
    assert board.state == "paused", "a field that is typed in keeps its key"


def test_a_wrong_number_of_steps_takes_none_and_says_why(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    tab.page.locator("body").press("Shift+Enter")
    count = tab.page.get_by_role("spinbutton", name="Steps or epochs to take")
    for text in ("-3", "0.5", "0", "100001", ""):
        count.fill(text)
        board.press("Take them")
        assert "whole number from 1 to 100,000" in board.said() and text in board.said()
        assert count.get_attribute("aria-invalid") == "true"
        assert board.step == 0
    count.fill("1000")
    assert count.evaluate("(field) => field.scrollWidth <= field.clientWidth"), "1000 is not cut"
    assert count.get_attribute("aria-invalid") is None
    board.press("Take them")
    board.until(lambda: board.step > 0, "a right number is taken")


def test_the_time_slider_says_its_step(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    board.take(20)
    board.until(lambda: board.step == 20, "twenty steps")
    board.scrub(5)
    board.until(lambda: board.step < 20, "an earlier step")
    slider = tab.page.get_by_role("slider", name="Time")
    board.until(lambda: slider.get_attribute("aria-valuetext") == f"step {board.step}", "the slider says it")
