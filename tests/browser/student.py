"""What a student sees and does on a page with a live board; browser tests are written in these words."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 20.0  # seconds; the machines that run these tests may be slow and busy

# Sockets are kept where a test can close them, and /live/ ones can be kept from opening.
KEEP_SOCKETS = """
window.__sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(url, ...rest) {
    super(window.__cut && String(url).includes("/live/") ? String(url).replace("/live/", "/nowhere/") : url, ...rest);
    window.__sockets.push(this);
  }
};
"""

# Counts, chart by chart in window.__full, how often Plotly draws all of it.
COUNT_FULL_UPDATES = """() => {
  const { react } = window.Plotly;
  window.__full = {};
  window.Plotly.react = (plot, ...rest) => {
    window.__full[plot.dataset.chart] = (window.__full[plot.dataset.chart] ?? 0) + 1;
    return react(plot, ...rest);
  };
}"""


IN_PAGE = "[data-testid=stMain]"  # where the board is taken to, after it was the first picture


class Board:
    """The one live board of an open page (playwright.sync_api.Page)."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.root = page.locator("[data-board]")

    def ready(self) -> Board:
        """Wait until the first chart is painted and the run can be played."""
        self.page.wait_for_selector(f"{IN_PAGE} [data-chart] .main-svg", timeout=1000 * PATIENCE)
        self.until(lambda: self.state in ("paused", "playing", "done"), "the run is ready")
        return self

    def until(self, holds: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
        """Wait until something holds; fail saying what."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"not within {seconds:g} s: {what} (state {self.state}, {self.numbers()})"
            self.page.wait_for_timeout(30)

    @property
    def run(self) -> str:
        return str(self.root.get_attribute("data-run"))

    @property
    def state(self) -> str:
        return str(self.root.get_attribute("data-state"))

    @property
    def step(self) -> int:
        return int(self.number("step"))

    def number(self, name: str) -> float:
        return float(self.page.locator(f'[data-status="{name}"]').text_content().replace("−", "-"))

    def numbers(self) -> dict[str, str]:
        found = self.page.evaluate(
            "() => Object.fromEntries([...document.querySelectorAll('[data-status]')]"
            ".map((node) => [node.dataset.status, node.textContent]))"
        )
        return dict(found)

    def said(self) -> str:
        """The notice, or else the narrator's line."""
        notice = self.page.locator("[data-board] .notice").text_content()
        return str(notice or self.page.locator("[data-board] .narrator").text_content()).replace("\u00a0", " ")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def play(self) -> None:
        """Press Play, and wait until it plays; a short run may have ended when one looks."""
        self.press("Play")
        self.until(lambda: self.state in ("playing", "done", "failed"), "playing")

    def pause(self) -> None:
        self.press("Pause")
        self.until(lambda: self.state == "paused", "paused")

    def frames(self) -> int:
        return int(self.page.evaluate("window.__board_frames"))

    def wait_frames(self, count: int) -> None:
        """Wait until so many more frames are painted."""
        goal = self.frames() + count
        self.until(lambda: self.frames() >= goal, f"{count} more frames")

    def open_chart(self, chart: str) -> None:
        """Open a chart from its small picture, if it is not large already; in another view, that view first."""
        card = self.page.locator(f'[data-place] [data-chart="{chart}"]')
        thumb = self.page.locator(f'[data-thumb="{chart}"]')
        if not card.count() and not thumb.count():
            self.page.get_by_role("button", name="All pictures", exact=True).click()
        if not card.count():
            thumb.first.click()
        self.page.wait_for_selector(f'[data-place] [data-chart="{chart}"] .main-svg')

    def choose(self, chart: str, act: str) -> None:
        """Use the menu of a large chart: the name of one of its items, or of one of its switches."""
        self.open_chart(chart)
        card = self.page.locator(".card", has=self.page.locator(f'[data-chart="{chart}"]'))
        card.locator(".dots").focus()
        self.page.keyboard.press("Enter")
        menu = card.locator(".chart-menu")
        switch = menu.get_by_label(act, exact=True).and_(menu.locator("input"))
        if switch.count():
            switch.click()
            self.page.keyboard.press("Escape")
        else:
            menu.locator(".act", has_text=act).click()

    def drawer(self) -> None:
        """Open "All settings", if they are not open."""
        if self.page.evaluate("document.documentElement.dataset.drawer") != "open":
            self.page.get_by_role("button", name="All settings").locator("visible=true").first.click()
        self.page.wait_for_selector(".st-key-drawer", state="visible")

    def own_points(self) -> None:
        """Open "Your own points", in the drawer."""
        self.drawer()
        self.page.locator(".st-key-drawer summary", has_text="Your own points").click()

    def more(self) -> None:
        """Open "More", in the title row."""
        self.page.get_by_role("button", name="More", exact=True).click()

    def pin(self, times: int = 1) -> None:
        """Pin the run as it is now, in "More"."""
        self.more()
        for _ in range(times):
            self.press("Pin this run")
        self.page.keyboard.press("Escape")

    def larger(self) -> Any:
        """Switch larger type on or off, in "More"; the button."""
        self.more()
        button = self.page.get_by_role("button", name="Larger type (A+)", exact=True)
        button.click()
        return button

    def take(self, count: int, unit: str = "") -> None:
        """Take several steps at once, with the form that Shift+Enter opens."""
        self.page.locator("body").press("Shift+Enter")
        self.page.get_by_role("spinbutton", name="Steps or epochs to take").fill(str(count))
        if unit:
            self.page.get_by_label("Unit of a step").select_option(unit)
        self.press("Take them")

    def knob(self, name: str) -> Any:
        """The control of a knob in the board."""
        return self.page.locator(f'[data-knob="{name}"]').locator("input, select")

    def trace(self, chart: str, name: str) -> dict[str, list[float]]:
        """The x and y of one trace as Plotly holds them; a small picture is opened for it."""
        self.open_chart(chart)
        found = self.page.evaluate(
            """([chart, name]) => {
              const trace = document.querySelector(`[data-chart="${chart}"]`).data.find((each) => each.name === name);
              return { x: [...trace.x], y: [...trace.y] };
            }""",
            [chart, name],
        )
        return dict(found)

    def notes(self, chart: str) -> tuple[list[str], list[str]]:
        """The words of a chart's notes as they stand on the page, and as the figure has them."""
        shown, known = self.page.evaluate(
            """(chart) => {
              const plot = document.querySelector(`[data-chart="${chart}"]`);
              const lines = (node) => (node.children.length ? [...node.children] : [node]);
              const words = (node) => lines(node).map((line) => line.textContent).join("<br>");
              const shown = [...plot.querySelectorAll(".annotation text")].map(words);
              return [shown, plot.layout.annotations.map(({ text }) => text)];
            }""",
            chart,
        )
        return list(shown), list(known)

    def scrub(self, to: int) -> None:
        """Drag the time slider to one of its places."""
        self.page.get_by_role("slider", name="Time").evaluate(
            "(slider, to) => { slider.value = to; slider.dispatchEvent(new Event('input')); }", to
        )

    def places(self) -> int:
        """The last place of the time slider."""
        return int(self.page.get_by_role("slider", name="Time").get_attribute("max"))

    def place_of(self, step: float) -> tuple[float, float]:
        """Where on the screen a step lies on the strip."""
        x, y = self.page.evaluate(
            """(step) => {
              const plot = document.querySelector("[data-place=strip] [data-chart]");
              const box = plot.getBoundingClientRect();
              const { xaxis } = plot._fullLayout;
              return [box.left + xaxis._offset + xaxis.d2p(step), box.top + box.height / 2];
            }""",
            step,
        )
        return float(x), float(y)

    def click_at(self, chart: str, x: float, y: float, modifiers: tuple[str, ...] = ()) -> None:
        """Click on a chart at data coordinates."""
        spot = self.page.evaluate(
            """([chart, x, y]) => {
              const plot = document.querySelector(`[data-chart="${chart}"]`);
              const { xaxis, yaxis } = plot._fullLayout;
              return { x: xaxis._offset + xaxis.d2p(x), y: yaxis._offset + yaxis.d2p(y) };
            }""",
            [chart, x, y],
        )
        self.page.locator(f'[data-chart="{chart}"]').click(position=spot, modifiers=list(modifiers))

    def cut_the_line(self) -> None:
        """Close the live socket under the page, which must have been opened with KEEP_SOCKETS."""
        closed = self.page.evaluate(
            """() => {
              const live = window.__sockets.filter((each) => each.url.includes("/live/") && each.readyState < 2);
              live.forEach((each) => each.close());
              return live.length;
            }"""
        )
        assert closed == 1, f"{closed} live sockets were open"

    def hold_the_line(self, *, cut: bool) -> None:
        """From now on, keep live sockets from opening (or let them open again)."""
        self.page.evaluate(f"window.__cut = {json.dumps(cut)}")
