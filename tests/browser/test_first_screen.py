"""What a visitor sees first, counted and measured in a real Chromium: few controls, one large picture, nothing cut.

A plain run takes a few sizes and pages; naming this file takes them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground.lesson import LabLesson
from playground.lessons import LESSONS
from tests.browser.student import Board

Open = Callable[..., Any]
TRAINING = [lesson.name for lesson in LESSONS.values() if not isinstance(lesson, LabLesson)]
LABS = [
    f"{lesson.name}?{lesson.name}_lab={lab.name.removeprefix(f'{lesson.name}_')}"
    for lesson in LESSONS.values()
    if isinstance(lesson, LabLesson)
    for lab in lesson.labs
]
LAPTOP, LOW, PROJECTOR, PHONE = (1280, 900), (1366, 657), (1920, 1080), (390, 844)
TABLET, SMALL_PHONE = (1024, 768), (320, 640)
LARGE_TYPE = "localStorage.setItem('board-large', 'yes')"
MOST_CONTROLS = 30

# What can be operated in the main area, as far as it is seen. These groups count once, and only these: − and + of one
# setting, a racer and its −, buttons of which one is pressed, the entries of a legend, a label and its field.
CONTROLS = """() => {
  const main = document.querySelector("[data-testid=stMain]");
  const kinds = "button, a[href], input, select, textarea, summary, [role=slider], [role=tab], [tabindex='0']";
  const seen = [...main.querySelectorAll(kinds)].filter((node) => {
      const { width, height, left, right, top, bottom } = node.getBoundingClientRect();
      const inSight = width > 1 && height > 1 && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
      return inSight && node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    });
  const groups = ".counter, .racer, .legend, .several, label, [role=radiogroup]";
  const units = seen.map((node) => node.closest(groups) ?? node);
  return [...new Set(units)].map((node) =>
    node.getAttribute("aria-label") || node.title || node.textContent.trim().slice(0, 40) || node.className);
}"""

# The boxes of the parts, in pixels: left, top, width, height.
BOXES = """() => {
  const boxOf = (selector) => {
    const node = document.querySelector(selector);
    if (!node || !node.checkVisibility()) return null;
    const { left, top, width, height } = node.getBoundingClientRect();
    return { left, top, width, height };
  };
  return {
    rail: boxOf("[data-rail]"), player: boxOf("[data-board] .player"), strip: boxOf("[data-place=strip]"),
    hero: boxOf("[data-place=hero] > :is(.card, .beside)"), second: boxOf("[data-place=second] .card"),
  };
}"""

# Texts that are cut by a box or by the window, and texts that lie over one another. What may be scrolled sideways is
# not cut, nor what opens whole on focus, nor a line of which nothing is seen.
SPOILT = """() => {
  const isSeen = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const main = document.querySelector("[data-testid=stMain]");
  const known = new Map();
  const ancestors = (node) => {
    if (!known.has(node)) {
      const style = getComputedStyle(node);
      const outer = node === main || !node.parentElement ? [] : ancestors(node.parentElement);
      known.set(node, [...outer, {
        node,
        hidesX: ["hidden", "clip"].includes(style.overflowX),
        hidesY: ["hidden", "clip"].includes(style.overflowY),
        scrolls: ["auto", "scroll"].includes(style.overflowX) && node !== main,
        floats: ["sticky", "fixed"].includes(style.position) || Boolean(node.popover),
        box: node.getBoundingClientRect(),
      }]);
    }
    return known.get(node);
  };
  const texts = [];
  const spoilt = [];
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const words = text.data.trim().slice(0, 40);
    const parent = text.parentElement;
    if (!words || !isSeen(parent) || parent.closest("option, style, script, [tabindex='0'].said")) continue;
    if (parent.getBoundingClientRect().width === 0) continue; // in a group that is not displayed
    range.selectNodeContents(text);
    const around = ancestors(parent);
    if (around.some(({ scrolls }) => scrolls)) continue;
    const floating = around.filter(({ floats }) => floats).at(-1)?.node;
    for (const box of range.getClientRects()) {
      if (box.width < 1.5 || box.height < 1.5) continue;
      const isOut = around.some(({ hidesX, hidesY, box: clip }) =>
        hidesX && (box.left >= clip.right - 1 || box.right <= clip.left + 1) ||
        hidesY && (box.top >= clip.bottom - 2 || box.bottom <= clip.top + 2));
      if (isOut) continue;
      const isWide = around.some(({ hidesX, box: clip }) =>
        hidesX && (box.left < clip.left - 2 || box.right > clip.right + 2));
      const slack = 0.25 * box.height; // of a letter's box above and below the letter
      const isHigh = around.some(({ hidesY, box: clip }) =>
        hidesY && (box.top < clip.top - slack || box.bottom > clip.bottom + slack));
      if (isWide || isHigh || box.left < -2 || box.right > innerWidth + 2) spoilt.push(`cut: ${words}`);
      texts.push({ words, box, floating, chart: parent.closest("[data-chart]") });
    }
  }
  for (const { words, box, chart } of texts) {
    if (!chart) continue;
    const frame = chart.getBoundingClientRect();
    const isBeside = box.left < frame.left - 2 || box.right > frame.right + 2;
    if (isBeside || box.top < frame.top - 3 || box.bottom > frame.bottom + 3) {
      spoilt.push(`outside ${chart.dataset.chart}: ${words}`);
    }
  }
  const pen = document.createElement("canvas").getContext("2d");
  for (const field of main.querySelectorAll("select, input:is([type=text], [type=number])")) {
    if (!isSeen(field) || field.clientWidth < 2) continue;
    const style = getComputedStyle(field);
    pen.font = style.font;
    const words = field.selectedOptions?.[0]?.textContent ?? field.value;
    const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (field.matches("select, [type=number]") && pen.measureText(words).width > room + 1) spoilt.push(`cut: ${words}`);
  }
  texts.sort((one, other) => one.box.top - other.box.top);
  texts.forEach((one, at) => {
    for (const other of texts.slice(at + 1)) {
      if (other.box.top > one.box.bottom) break;
      if (one.floating !== other.floating) continue; // what is fixed at an edge hides what is scrolled under it
      const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const up = Math.min(one.box.bottom, other.box.bottom) - other.box.top;
      if (across > 2 && up > 0.3 * Math.min(one.box.height, other.box.height)) {
        spoilt.push(`${one.words} over ${other.words}`);
      }
    }
  });
  return [...new Set(spoilt)];
}"""


def opened(page: Open, address: str, size: tuple[int, int], *, large: bool = False, scheme: str = "light") -> Any:
    """The page at a size, with its first pictures painted."""
    options = {} if scheme == "light" else {"color_scheme": scheme}
    first = LARGE_TYPE if large else ""
    tab = page(f"/{address}", width=size[0], height=size[1], script=first, options=options).page
    tab.wait_for_selector("[data-place=hero] :is([data-chart] .main-svg, table)", timeout=30_000)
    tab.wait_for_timeout(1500)
    assert tab.evaluate("getComputedStyle(document.documentElement).fontSize") == ("24px" if large else "16px")
    return tab


def share(box: dict[str, float] | None, size: tuple[int, int]) -> float:
    """The share of the window that a box takes, in percent."""
    return 0.0 if box is None else 100 * box["width"] * box["height"] / (size[0] * size[1])


def sizes(*, labs: bool = False) -> list[Any]:
    """The cases (address, size, large type, least share of the hero): a plain run takes two of each kind."""
    names = LABS if labs else TRAINING
    wanted = [(LAPTOP, False, 30), (LOW, False, 30), (PROJECTOR, False, 40), (PROJECTOR, True, 30)]
    if labs:
        wanted = [(LAPTOP, False, 25), (LOW, False, 25), (PROJECTOR, False, 30)]
    cases = [(name, *case) for name in names for case in wanted]
    some = {(names[at % len(names)], at) for at in range(len(wanted))}
    return [
        pytest.param(*case, marks=[pytest.mark.in_ci] if (case[0], wanted.index(case[1:])) in some else [])
        for case in cases
    ]


@pytest.mark.in_turns
@pytest.mark.in_ci
@pytest.mark.parametrize("lesson", TRAINING)
def test_few_controls_are_seen_at_once(page: Open, lesson: str) -> None:
    seen = opened(page, lesson, LAPTOP).evaluate(CONTROLS)
    assert 10 < len(seen) <= MOST_CONTROLS, f"{len(seen)} controls: {seen}"


@pytest.mark.in_turns
@pytest.mark.parametrize(("lesson", "size", "large", "least"), sizes())
def test_one_picture_is_large_and_all_parts_are_in_sight(
    page: Open, lesson: str, size: tuple[int, int], large: bool, least: float
) -> None:
    boxes = opened(page, lesson, size, large=large).evaluate(BOXES)
    assert share(boxes["hero"], size) >= least, boxes
    if size == PROJECTOR and not large:
        assert share(boxes["hero"], size) + share(boxes["second"], size) >= 60, boxes
    for part, box in boxes.items():
        assert box is not None, f"{part} is not on the page"
        assert box["top"] >= 0 and box["top"] + box["height"] <= size[1] + 1, f"{part} is not wholly in sight: {box}"
        assert box["left"] >= 0 and box["left"] + box["width"] <= size[0] + 1, f"{part} is not wholly in sight: {box}"


@pytest.mark.in_turns
@pytest.mark.parametrize(("lab", "size", "large", "least"), sizes(labs=True))
def test_a_labs_largest_picture_is_large(
    page: Open, lab: str, size: tuple[int, int], large: bool, least: float
) -> None:
    boxes = opened(page, lab, size, large=large).evaluate(BOXES)
    assert max(share(boxes["hero"], size), share(boxes["second"], size)) >= least, boxes


@pytest.mark.in_turns
@pytest.mark.in_ci
@pytest.mark.parametrize("lesson", TRAINING)
def test_on_a_phone_the_picture_and_the_player_are_in_sight(page: Open, lesson: str) -> None:
    boxes = opened(page, lesson, PHONE).evaluate(BOXES)
    for part in ("hero", "player"):
        box = boxes[part]
        assert box and box["top"] >= 0 and box["top"] + box["height"] <= PHONE[1] + 1, (part, box)


NO_TEXT = [
    pytest.param(address, size, scheme, large, marks=[pytest.mark.in_ci] * (address in chosen))
    for address in (*TRAINING, *LABS)
    for size, scheme, large, chosen in (
        (LAPTOP, "light", False, TRAINING[:2]), (LOW, "light", False, ()), (PROJECTOR, "dark", False, ()),
        (PROJECTOR, "light", True, TRAINING[2:]), (PHONE, "light", False, ()), (PHONE, "light", True, ("cnn",)),
        (SMALL_PHONE, "light", False, ()),
    )
]  # fmt: skip


@pytest.mark.in_turns
@pytest.mark.parametrize(("address", "size", "scheme", "large"), NO_TEXT)
def test_no_text_is_cut_or_over_another(
    page: Open, address: str, size: tuple[int, int], scheme: str, large: bool
) -> None:
    assert opened(page, address, size, large=large, scheme=scheme).evaluate(SPOILT) == []


@pytest.mark.parametrize(
    "address", [pytest.param(each, marks=[pytest.mark.in_ci] * (each == "optimizers")) for each in (*TRAINING, *LABS)]
)
def test_nothing_is_scrolled_sideways(page: Open, address: str) -> None:
    tab = opened(page, address, SMALL_PHONE)
    for width, height in (SMALL_PHONE, TABLET):
        tab.set_viewport_size({"width": width, "height": height})
        tab.wait_for_function(
            """([width]) => {
              const main = document.querySelector("[data-testid=stMain]");
              return innerWidth === width && main.scrollWidth <= main.clientWidth &&
                document.documentElement.scrollWidth <= innerWidth;
            }""",
            arg=[width],
            timeout=10_000,
        )


@pytest.mark.in_ci
def test_a_table_beside_the_largest_picture_is_not_scrolled_sideways(page: Open) -> None:
    tab = opened(page, "checkpoints?checkpoints_lab=pickle", LAPTOP)
    tables = tab.evaluate(
        "() => [...document.querySelectorAll('.beside .sheet')].map((each) => each.scrollWidth - each.clientWidth)"
    )
    assert tables and max(tables) <= 0, tables


# What moved, also in the half second after a click, which the browser's own sum leaves out.
SHIFTS = """window.__shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.__shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""
LONG_SENTENCE = """document.querySelector("[data-board] .narrator").textContent = "A longer sentence. ".repeat(9)"""


@pytest.mark.parametrize(
    ("lesson", "seconds"),
    [pytest.param("classification", 3, marks=pytest.mark.in_ci), *((each, 20) for each in TRAINING)],
)
def test_nothing_moves_when_playing_starts_or_a_text_grows(page: Open, lesson: str, seconds: int) -> None:
    tab = page(f"/{lesson}?{lesson}_max_steps=0" if lesson != "cnn" else "/cnn", script=SHIFTS)
    board = Board(tab.page).ready()
    tab.page.wait_for_timeout(1500)
    before = tab.page.evaluate("window.__shift")
    board.play()
    tab.page.wait_for_timeout(1000 * seconds)
    assert board.state in ("playing", "done")
    after = tab.page.evaluate("window.__shift")
    assert after - before < 0.02
    tab.page.evaluate(LONG_SENTENCE)
    tab.page.wait_for_timeout(300)
    assert tab.page.evaluate("window.__shift") - after < 0.002, "a longer sentence moves what is below it"
