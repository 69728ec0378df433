"""Pages that the browser translates: a translator puts <font> elements in the place of the texts that React holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground.lessons import LESSONS
from tests.browser.student import Board

Open = Callable[..., Any]
# What Chrome's translator does, again and again: other words in a <font> instead of each text node.
TRANSLATE = """() => {
  const isLeftAlone = (node) => node.parentElement.closest(
    "[translate=no], font, script, style, noscript, textarea, title",
  );
  const translate = () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) if (walker.currentNode.data.trim()) texts.push(walker.currentNode);
    for (const text of texts.filter((each) => !isLeftAlone(each))) {
      const [outer, inner] = [document.createElement("font"), document.createElement("font")];
      inner.textContent = `«${text.data}»`;
      outer.append(inner);
      text.parentNode.replaceChild(outer, text);
    }
  };
  translate();
  setInterval(translate, 100);
}"""
NEEDED = "() => document.querySelectorAll('font').length"


PARTS = [list(LESSONS)[at : at + 4] for at in range(0, len(LESSONS), 4)]


@pytest.mark.in_turns
@pytest.mark.parametrize("names", PARTS, ids=lambda names: names[0])
def test_translated_pages_play_follow_their_settings_and_lead_to_each_other(page: Open, names: list[str]) -> None:
    tab = page(f"/{names[0]}").page
    tab.locator("[data-testid=stMain] [data-chart] .main-svg").first.wait_for()
    Board(tab).drawer()
    tab.evaluate(TRANSLATE)
    for name in names:
        if name != names[0]:
            tab.get_by_test_id("stSidebarNav").locator(f'a[href$="/{name}"]').click()
            tab.get_by_role("heading", level=1).filter(has_text=LESSONS[name].title).wait_for()
        assert_it_plays_and_follows_its_settings(tab)


def assert_it_plays_and_follows_its_settings(tab: Any) -> None:
    board = Board(tab)
    shown = tab.locator("[data-board] [data-chart] .main-svg:visible")
    board.until(lambda: board.root.count() == 1 and shown.count() > 0, "a board")
    play = tab.locator("[data-board] .button.primary")
    if play.count():
        play.first.click()
    tab.locator(".st-key-knobs input").first.wait_for(state="attached")
    for knob in tab.locator(".st-key-knobs input[type=range]").all()[:2]:
        knob.press("ArrowRight")
        tab.wait_for_timeout(150)
    for lab in tab.locator(".st-key-tabs").get_by_role("radio").all()[1:3]:
        address = tab.url
        lab.click()
        board.until(lambda before=address: tab.url != before, "another lab")
    board.until(lambda: board.root.count() == 1 and shown.count() > 0, "its one board")
    board.until(lambda: tab.evaluate(NEEDED) > 50, "the page is translated")


def test_what_changes_is_seen_in_a_translated_page(page: Open) -> None:
    tab = page("/tensors?tensors_lab=operations")
    tab.page.locator("[data-testid=stMain] [data-chart] .main-svg").first.wait_for()
    tab.page.evaluate(TRANSLATE)
    chosen = tab.page.get_by_role("combobox").first
    note = tab.page.locator("[data-sheet] > div").first
    before = note.text_content()
    chosen.click()
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_function(
        "(before) => document.querySelector('[data-sheet] > div').textContent.replace(/[«»]/g, '') !== before",
        arg=before.replace("«", "").replace("»", ""),
    )


def test_numbers_code_and_what_is_said_are_left_alone(page: Open) -> None:
    tab = page("/regression")
    Board(tab.page).ready()
    tab.page.get_by_text("Show the script").click()
    tab.page.get_by_test_id("stCode").first.wait_for()
    tab.page.wait_for_timeout(400)
    tab.page.evaluate(TRANSLATE)
    changed = (
        "[data-status], [role=status], [role=alert], .narrator, [data-chart], .legend, [data-place=strip] .end, "
        "[data-board] [data-knob] .value, code, .stSlider [role=slider]"
    )
    assert tab.page.locator(f":is({changed}) font").count() == 0
    assert tab.page.locator("[data-board] h2 font").count() > 0, "titles are translated"


# What React does with the text nodes that it holds: removes one, inserts before one, changes one.
AS_REACT_DOES = """async (keeps) => {
  const parent = document.createElement("p");
  const [first, code, last] = [new Text("one "), document.createElement("code"), new Text(" three")];
  parent.append(first, code, last);
  document.querySelector("[data-board]").before(parent);
  const translate = (text, words) => {
    const font = document.createElement("font");
    text.parentNode.replaceChild(font, text);
    if (keeps) font.append(text);
    else font.textContent = words;
  };
  translate(first, "eins ");
  translate(last, " drei");
  await new Promise((done) => setTimeout(done, 50));
  const seen = [];
  const note = async () => {
    await new Promise((done) => setTimeout(done, 50));
    seen.push(parent.textContent);
  };
  parent.insertBefore(new Text("two"), last);
  await note();
  last.data = " four";
  await note();
  parent.removeChild(first);
  await note();
  parent.removeChild(last);
  await note();
  let refused = "";
  try { parent.removeChild(document.createElement("b")); } catch (error) { refused = error.name; }
  parent.remove();
  return [seen, refused];
}"""


def test_react_finds_its_texts_in_a_translated_page_whether_they_are_wrapped_or_replaced(page: Open) -> None:
    tab = page("/tensors")
    tab.page.locator("[data-testid=stMain] [data-chart] .main-svg").first.wait_for()
    for keeps in (True, False):
        seen, refused = tab.page.evaluate(AS_REACT_DOES, keeps)
        first, last = ("one ", " three") if keeps else ("eins ", " drei")
        assert seen == [f"{first}two{last}", f"{first}two four", "two four", "two"]
        assert refused == "NotFoundError", "other mistakes are still errors"
