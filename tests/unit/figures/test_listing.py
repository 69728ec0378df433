"""Code with a table beside it."""

from __future__ import annotations

from playground.figures.listing import CHARACTER, CodeLine, listing


def test_a_long_line_of_code_keeps_clear_of_the_table() -> None:
    code = "loss = loss_fn(prediction, target)"
    layout = listing([CodeLine((code,), (("0.5",),))], ("made",), (10,), code_width=20)["layout"]
    cell = next(each for each in layout["annotations"] if each["text"] == "0.5")
    assert cell["x"] * layout["meta"]["made_for"][0] >= (len(code) + 4) * CHARACTER - 1
