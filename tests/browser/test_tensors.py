"""Tensors in a real Chromium: the sizes of two shapes are changed where they are drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.student import PATIENCE

Open = Callable[..., Any]
LINK = "/tensors?tensors_lab=broadcasting&tensors_broadcasting_a=4+1&tensors_broadcasting_b=3"


def ready(tab: Any) -> Any:
    tab.page.wait_for_selector('[data-place="second"] [data-chart="shapes"] .main-svg', timeout=1000 * PATIENCE)
    return tab.page


def wait_for_answer(page: Any, text: str) -> None:
    page.wait_for_function(
        "(text) => document.querySelector('.lab-line').innerText.includes(text)", arg=text, timeout=1000 * PATIENCE
    )


def test_sizes_are_changed_at_the_axes_and_the_focus_stays(page: Open) -> None:
    tab = ready(page(LINK))
    wait_for_answer(tab, "torch.Size([4, 3])")
    larger = tab.get_by_role("button", name="a, axis -1: larger", exact=True)
    larger.focus()
    larger.press("Enter")
    wait_for_answer(tab, "RuntimeError")
    assert tab.evaluate("document.activeElement.getAttribute('aria-label')") == "a, axis -1: larger"
    assert "tensors_broadcasting_a=4+2" in tab.url
    larger.press("Enter")
    wait_for_answer(tab, "torch.Size([4, 3])")
    tab.get_by_role("button", name="b: one more axis", exact=True).click()
    wait_for_answer(tab, "RuntimeError")  # 4 against the new axis of size 2
    smaller = tab.get_by_role("button", name="b, axis -2: smaller", exact=True)
    smaller.click()
    wait_for_answer(tab, "torch.Size([4, 3])")
    smaller.click()
    tab.get_by_role("button", name="b: one more axis", exact=True).wait_for(timeout=1000 * PATIENCE)
    assert "tensors_broadcasting_b=3" in tab.url, "the first axis is gone"


def test_a_hidden_shape_has_no_controls(page: Open) -> None:
    tab = ready(page(f"{LINK}&hide=a"))
    tab.get_by_role("button", name="b, axis -1: larger", exact=True).wait_for(timeout=1000 * PATIENCE)
    assert tab.get_by_role("button", name="a, axis -1: larger", exact=True).count() == 0
