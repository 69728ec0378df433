"""Settings in a real Chromium: each widget holds the value of the run, also one that is mounted long after the page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from pages.ui.widgets.knob_widgets import kind_of
from playground.knobs import Config, Knob
from playground.lesson import Bench, LabLesson, Lesson
from playground.lessons import LESSONS
from tests.browser.student import PATIENCE, Board

Open = Callable[..., Any]
BENCHES: dict[str, tuple[Lesson, Bench]] = {
    bench.name: (lesson, bench)
    for lesson in LESSONS.values()
    for bench in lesson.benches
    if any(spec.more for spec in bench.config.knobs().values())
}


def widgets_behind_more(lesson: Lesson, bench: Bench) -> set[tuple[str, bool, str]]:
    """The kinds of widgets behind "More" on a kind of page, which is what their code depends on."""
    page = "still" if bench.build is None else "lab" if isinstance(lesson, LabLesson) else "lesson"
    return {(kind_of(spec), spec.options is not None, page) for spec in bench.config.knobs().values() if spec.more}


def one_for_each_kind() -> list[str]:
    """Benches that have, together, every kind of widget on every kind of page; those with many kinds come first."""
    kinds = {name: widgets_behind_more(*each) for name, each in BENCHES.items()}
    found: list[str] = []
    while missing := set().union(*kinds.values()).difference(*(kinds[name] for name in found)):
        found.append(max(kinds, key=lambda name: len(kinds[name] & missing)))
    return found


# What every widget of a bench shows on the page just now, and whether it can be turned, by its knob's name.
SHOWN = """(prefix) => {
  const found = {};
  for (const node of document.querySelectorAll(`[class*="st-key-${prefix}_"]`)) {
    const name = [...node.classList].find((each) => each.startsWith(`st-key-${prefix}_`)).slice(8 + prefix.length);
    const inputs = [...node.querySelectorAll("input")];
    const pills = [...node.querySelectorAll("button[aria-checked], button[aria-pressed], button[kind^=pills]")];
    const input = inputs[0];
    let value = null;
    if (input?.type === "checkbox") value = String(input.checked);
    else if (input?.type === "range") value = input.getAttribute("aria-valuetext") ?? input.value;
    else if (input) value = input.value;
    else if (pills.length) {
      const on = (pill) => ["aria-checked", "aria-pressed"].some((state) => pill.getAttribute(state) === "true") ||
        pill.getAttribute("kind") === "pillsActive";
      value = pills.filter(on).map((pill) => pill.innerText.trim()).join(",");
    }
    const enabled = inputs.concat(pills).every((each) => !each.disabled);
    if (value !== null) found[name] = [value, enabled, input?.type ?? "pills"];
  }
  return found;
}"""


class Settings:
    """The settings of one bench on an open page."""

    def __init__(self, page: Any, lesson: Lesson, bench: Bench) -> None:
        self.page, self.lesson, self.bench = page, lesson, bench

    def link(self, **values: str) -> str:
        pairs = [f"{self.bench.name}_{name}={text}" for name, text in values.items()]
        if isinstance(self.lesson, LabLesson):
            pairs.append(f"{self.lesson.name}_lab={self.bench.name.removeprefix(f'{self.lesson.name}_')}")
        return f"/{self.lesson.name}?" + "&".join(pairs)

    def ready(self) -> Settings:
        self.page.wait_for_selector("[data-testid=stMain] [data-chart]", state="attached", timeout=1000 * PATIENCE)
        Board(self.page).drawer()
        self.page.wait_for_selector(f'[class*="st-key-{self.bench.name}_"] input', timeout=1000 * PATIENCE)
        return self

    @property
    def config(self) -> Config:
        """What the address says: the page writes there the config that it has built its run from."""
        prefix = f"{self.bench.name}_"
        texts = {name.removeprefix(prefix): text
                 for name, text in parse_qsl(urlsplit(self.page.evaluate("location.href")).query)
                 if name.startswith(prefix)}  # fmt: skip
        config, problems = self.bench.config.parse(texts)
        assert problems == []
        return config

    def shown(self) -> dict[str, tuple[str, bool, str]]:
        return {name: tuple(each) for name, each in self.page.evaluate(SHOWN, self.bench.name).items()}

    def open_all(self) -> dict[str, tuple[str, bool, str]]:
        """What the widgets show in the drawer, also those behind "More", which stay open."""
        Board(self.page).drawer()
        closed = self.page.locator('.st-key-drawer [class*="-more-"] details:not([open]) summary')
        while closed.count():
            closed.first.click()
        return self.shown()

    def unfold(self, widget: Any) -> None:
        """Open the list of a select box; a page that arrives just then closes it, and a student opens it again."""
        options = self.page.get_by_role("option").locator("visible=true")
        end = time.monotonic() + PATIENCE
        while not options.count():
            assert time.monotonic() < end, "the list of a select box does not open"
            widget.press("ArrowDown")
            self.page.wait_for_timeout(500)

    def turn(self, name: str) -> None:
        """Turn a knob by one step with the keyboard, and wait until the page has taken it."""
        before = self.config
        spec, value, kind = self.bench.config.knobs()[name], getattr(before, name), self.shown()[name][2]
        widget = self.page.locator(f".st-key-{self.bench.name}_{name} input").first
        widget.evaluate("(node) => node.scrollIntoView({ block: 'center' })")  # a list closes when the drawer scrolls
        self.page.wait_for_timeout(300)
        if kind == "checkbox":
            widget.press("Space")
        elif kind == "number":
            widget.press("ArrowUp")
            widget.press("Enter")
        elif kind == "range":
            widget.press("ArrowLeft" if value in (spec.hi, (spec.options or (None,))[-1]) else "ArrowRight")
        else:
            self.unfold(widget)
            widget.press("ArrowDown" if value != (spec.options or ("",))[-1] else "ArrowUp")
            widget.press("Enter")
        end = time.monotonic() + PATIENCE
        while self.config == before:
            assert time.monotonic() < end, f"{name} was turned and the address stayed the same"
            self.page.wait_for_timeout(30)


def assert_widgets_hold(config: Config, shown: dict[str, tuple[str, bool, str]]) -> None:
    for name, (text, _, kind) in shown.items():
        spec, value = config.knobs()[name], getattr(config, name)
        assert text in texts_of(spec, value) or is_number(text, value, kind), (name, value, text)


def texts_of(spec: Knob, value: Any) -> tuple[str, ...]:
    if spec.many:
        return (",".join(spec.name_of(option) for option in value.split(",")),)
    return (spec.name_of(value), str(value).lower() if isinstance(value, bool) else str(value))


def is_number(text: str, value: Any, kind: str) -> bool:
    try:
        return kind in ("range", "number") and abs(float(text) - float(value)) < 0.006
    except (TypeError, ValueError):
        return False


def turnable(shown: dict[str, tuple[str, bool, str]], config_type: type[Config], *, more: bool) -> list[str]:
    """The knobs on the page that a key can turn, behind "More" or not."""
    specs = config_type.knobs()
    return [name for name, (_, enabled, kind) in shown.items()
            if enabled and kind != "pills" and specs[name].more is more
            and (kind != "text" or specs[name].options is not None)]  # fmt: skip


@pytest.mark.in_turns
@pytest.mark.parametrize("name", one_for_each_kind())
def test_settings_behind_more_keep_their_values_when_others_are_turned(page: Open, name: str) -> None:
    lesson, bench = BENCHES[name]
    tab = page().page
    settings = Settings(tab, lesson, bench)
    tab.goto(settings.link())
    settings.ready()
    first = turnable(settings.shown(), bench.config, more=False)[0]
    start = settings.config
    settings.turn(first)
    assert set(settings.config.changed_from(start)) == {first}
    shown = settings.open_all()
    assert {each for each, spec in bench.config.knobs().items() if spec.more} & shown.keys()
    assert_widgets_hold(settings.config, shown)
    for another in turnable(settings.shown(), bench.config, more=True)[:2]:
        before = settings.config
        settings.turn(another)
        assert set(settings.config.changed_from(before)) == {another}
        assert_widgets_hold(settings.config, settings.shown())
    tab.keyboard.press("Escape")
    before, last = settings.config, turnable(settings.shown(), bench.config, more=False)[-1]
    settings.turn(last)
    assert set(settings.config.changed_from(before)) == {last}
    assert_widgets_hold(settings.config, settings.open_all())


def test_hidden_layers_keep_their_units_when_they_come_into_use(page: Open) -> None:
    lesson, bench = BENCHES["regression"]
    tab = page().page
    settings = Settings(tab, lesson, bench)
    tab.goto(settings.link(layers="3", hidden="10", hidden_2="8", hidden_3="6"))
    settings.ready().turn("noise")
    settings.turn("layers")
    assert settings.config.widths == (10, 8, 6, 10)  # type: ignore[attr-defined]
    assert_widgets_hold(settings.config, settings.open_all())
    tab.keyboard.press("Escape")
    settings.turn("lr")
    assert settings.config.widths == (10, 8, 6, 10)  # type: ignore[attr-defined]


@pytest.mark.in_turns
@pytest.mark.parametrize("first", ["Share", "Compare"])
def test_a_link_or_a_comparison_leaves_what_is_behind_more(page: Open, first: str) -> None:
    lesson, bench = BENCHES["regression"]
    tab = page().page
    settings = Settings(tab, lesson, bench)
    tab.goto(settings.link(seed="7"))
    settings.ready()
    Board(tab).more()
    if first == "Share":
        tab.get_by_role("dialog").get_by_text("Share a link").click()
        tab.get_by_text("This link opens the lesson").wait_for()
    else:
        tab.get_by_role("dialog").get_by_text("Compare", exact=True).click()
        tab.wait_for_function("() => location.search.includes('versus=')")
    tab.keyboard.press("Escape")
    before = settings.config
    assert_widgets_hold(before, settings.open_all())
    tab.keyboard.press("Escape")
    settings.turn("noise")
    assert set(settings.config.changed_from(before)) == {"noise"}


def test_back_leaves_the_page_although_knobs_were_turned_on_it(page: Open) -> None:
    tab = page("/classification")
    board = Board(tab.page).ready()
    entries = tab.page.evaluate("history.length")
    board.drawer()
    slider = tab.page.locator(".st-key-drawer").get_by_role("slider", name="Units in layer 1")
    for units in (11, 12):
        slider.press("ArrowRight")
        board.until(lambda units=units: f"units_1={units}" in tab.page.url, "the link follows")
    assert tab.page.evaluate("history.length") == entries, "a turned knob is no new entry"
    for name in ("Optimizers", "Classification"):
        tab.page.get_by_role("link", name=name, exact=True).first.click()
        board.until(lambda name=name: urlsplit(tab.page.url).path == f"/{name.lower()}", name)
        board.ready()
    board.until(lambda: "units_1=12" in tab.page.url, "its settings are kept")
    assert tab.page.evaluate("history.length") == entries + 2
    tab.page.go_back()
    board.until(lambda: urlsplit(tab.page.url)[2:4] == ("/optimizers", ""), "Back, without the settings of a neighbour")
