"""The popover with the student's own table, with no browser: what was given last counts, and the student may choose."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from pages.ui.session import pool
from playground.lessons import LESSONS
from tests.pages.questions import Peek
from tests.pages.session import Open, run_id

PASTED = "x,y\n0,1\n1,2\n2,3\n3,5\n"
FILE = b"x;y\n0,5;1\n1,5;2\n2,5;3\n3,5;5\n4,5;7\n"
UNCLEAR = "0,1\n1,2\n2,4\n"


def opened(visit: Open, lesson: str = "regression") -> AppTest:
    session = visit(LESSONS[lesson], **{f"{lesson}_test_share": "0"})
    session.session_state[f"{lesson}:data"] = True  # the popover is open
    return session.run()


def paste(session: AppTest, text: str, lesson: str = "regression") -> None:
    session.text_area(key=f"{lesson}:csv").set_value(text).run()


def upload(session: AppTest, content: bytes, name: str = "points.csv", lesson: str = "regression") -> None:
    session.file_uploader(key=f"{lesson}:file").set_value((name, content, "text/csv")).run()


def press(session: AppTest, label: str) -> None:
    next(button for button in session.button if button.label == label).click().run()
    assert list(session.exception) == []


def rows(session: AppTest) -> set[tuple[float, ...]]:
    """The table in use."""
    return set(pool().call(run_id(session), Peek("edits.rows")) or ())


def said(session: AppTest) -> str:
    return "\n".join(each.value for kind in (session.caption, session.success, session.error) for each in kind)


def choose(session: AppTest, label: str, value: Any) -> None:
    next(box for box in session.selectbox if box.label == label).set_value(value).run()
    assert list(session.exception) == []


def test_rows_pasted_after_an_upload_are_used_and_an_upload_after_them_again(visit: Open) -> None:
    session = opened(visit)
    upload(session, FILE)
    assert "From the file `` points.csv ``: 5 rows; columns x, y from the header." in said(session)
    press(session, "Use these points")
    assert len(rows(session)) == 5
    paste(session, PASTED)
    assert "From the pasted text: 4 rows" in said(session)
    press(session, "Use these points")
    assert rows(session) == {(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 5.0)}
    upload(session, FILE.replace(b"4,5;7", b"4,5;8"))
    press(session, "Use these points")
    assert (4.5, 8.0) in rows(session)
    paste(session, "")
    press(session, "Use these points")
    assert (4.5, 8.0) in rows(session), "an emptied field leaves the file"


def test_the_button_says_what_is_missing_and_is_never_off(visit: Open) -> None:
    session = opened(visit)
    press(session, "Use these points")
    assert "Paste rows or upload a table first." in said(session)


def test_a_student_who_chooses_a_column_uses_it_at_once_and_two_columns_change_places(visit: Open) -> None:
    session = opened(visit)
    paste(session, "a;b;c\n1;2;3\n4;5;6\n")
    choose(session, "Column for x", 2)
    assert rows(session) == {(3.0, 2.0), (6.0, 5.0)}
    choose(session, "Column for y", 2)
    assert rows(session) == {(2.0, 3.0), (5.0, 6.0)}
    paste(session, "a;b;c\n1;2;3\n4;5;7\n")
    press(session, "Use these points")
    assert rows(session) == {(1.0, 2.0), (4.0, 5.0)}, "another table is read on its own"


def test_a_first_line_that_could_be_names_and_a_comma_that_could_be_either_are_asked_about(visit: Open) -> None:
    session = opened(visit)
    paste(session, UNCLEAR)
    choose(session, "First line: 0, 1", True)
    assert rows(session) == {(1.0, 2.0), (2.0, 4.0)}
    paste(session, "x;y\n1,234;2\n5,678;3\n")
    assert "decimal commas" in said(session).lower()
    choose(session, "Meaning of 1,234", ".")
    assert rows(session) == {(1234.0, 2.0), (5678.0, 3.0)}


def test_the_popover_says_which_settings_a_table_overrides(visit: Open) -> None:
    session = opened(visit)
    assert "have no effect" not in said(session)
    paste(session, PASTED)
    press(session, "Use these points")
    assert "Your table of 4 rows is in use." in said(session)
    assert "Target, Noise, Training points." in said(session)
    session.run()
    assert "Your table of 4 rows is in use." in said(session), "also after the rerun that used it"
    press(session, "Back to generated points")
    assert "have no effect" not in said(session)


def test_classes_that_do_not_count_from_0_are_named(visit: Open) -> None:
    session = opened(visit, "classification")
    paste(session, "x1,x2,y\n0,1,cat\n1,2,dog\n2,1,cat\n", "classification")
    press(session, "Use these points")
    assert {row[2] for row in rows(session)} == {0.0, 1.0}
    assert "Classes are numbered from 0 here" in said(session) and "cat" in said(session)


def test_the_class_of_clicked_points_is_chosen_in_the_popover_from_those_that_the_data_has(visit: Open) -> None:
    session = opened(visit, "classification")
    (control,) = [each for each in session.get("button_group") if each.label == "Class of clicked points"]
    assert control.options == ["0", "1"] and control.value == 0
    control.set_value(1).run()
    assert list(session.exception) == []
    assert pool().call(run_id(session), Peek("config.brush")) == 1
    paste(session, "x1,x2,y\n0,1,a\n1,2,b\n2,1,c\n", "classification")
    press(session, "Use these points")
    session.run()
    (control,) = [each for each in session.get("button_group") if each.label == "Class of clicked points"]
    assert control.options == ["0", "1", "2"] and control.value == 1


def test_what_a_table_says_has_no_effect_as_markdown(visit: Open) -> None:
    session = opened(visit)
    paste(session, "![](https://evil.example/pixel.png),[x](//evil.example)\n1,2\n3,4\n")
    upload(session, b"<script>,y\n1,2\n3,<b>\n", "![](https://evil.example).csv")
    for text in (each.value for kind in (session.caption, session.error) for each in kind):
        assert "evil.example" not in text or "``" in text


def test_where_a_column_is_refused_another_one_can_be_chosen(visit: Open) -> None:
    session = opened(visit, "classification")
    table = "x1,x2,class,kind\n" + "".join(f"{at},{at % 3},{name},{at % 2}\n" for at, name in enumerate("abcdef"))
    paste(session, table, "classification")
    press(session, "Use these points")
    assert "6 different values" in said(session) and not rows(session)
    choose(session, "Column for class", 3)
    assert rows(session) == {(float(at), float(at % 3), float(at % 2)) for at in range(6)}
