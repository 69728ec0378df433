"""A student's own table is read as its author meant it, whatever program wrote it, or refused with a sentence."""

from __future__ import annotations

import codecs
import time

import pytest

from playground.data.own_rows import POINTS, Choice, DataError, Reading, labelled_points
from playground.parsing.tables import Form

LABELLED = labelled_points(5)
XY = ((0.5, 1.25), (1.5, 2.75), (2.5, -4.0))
THREE = ((0.5, 1.25, 0.0), (1.5, 2.75, 1.0), (2.5, -4.0, 1.0))


def xy(content: bytes | str, choice: Choice | None = None) -> Reading:
    return POINTS.read(content, 5_000, choice)


def labelled(content: bytes | str, choice: Choice | None = None) -> Reading:
    return LABELLED.read(content, 5_000, choice)


def refusal(content: bytes | str, *, classes: bool = False) -> str:
    with pytest.raises(DataError) as caught:
        (labelled if classes else xy)(content)
    message = str(caught.value)
    assert message[:1].isupper() and message.endswith((".", "”.")) and len(message) < 250 and "\n" not in message
    return message


# How cells are written and separated.

PLAIN = "x,y\n0.5,1.25\n1.5,2.75\n2.5,-4\n"
GERMAN = "x;y\n0,5;1,25\n1,5;2,75\n2,5;-4\n"
SAME = {
    "commas": PLAIN,
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "bars": PLAIN.replace(",", "|"),
    "comma and space": PLAIN.replace(",", ", "),
    "spaces": PLAIN.replace(",", " "),
    "fixed width": "  x        y\n  0.5   1.25  \n  1.5   2.75  \n  2.5     -4  \n",
    "tabs and spaces": PLAIN.replace(",", " \t "),
    "decimal commas, semicolons": GERMAN,
    "decimal commas, tabs": GERMAN.replace(";", "\t"),
    "decimal commas, spaces": GERMAN.replace(";", "   "),
    "decimal commas, quoted cells": 'x,y\n"0,5","1,25"\n"1,5","2,75"\n"2,5","-4"\n',
    "decimal commas, comma and space": "x, y\n0,5, 1,25\n1,5, 2,75\n2,5, -4,0\n",
    "decimal commas, trailing semicolons": GERMAN.replace("\n", ";\n"),
    "decimal commas, no header": GERMAN[4:],
    "decimal commas, tabs, no header": GERMAN[4:].replace(";", "\t"),
    "one number with a point among decimal commas": GERMAN.replace("0,5", "0.5"),
    "sep= line": "sep=;\r\n" + GERMAN.replace("\n", "\r\n"),
    "quoted sep= line": '"sep=;"\n' + GERMAN,
    "sep= of a comma": "sep=,\n" + PLAIN,
    "Mac line ends": PLAIN.replace("\n", "\r"),
    "Windows line ends": PLAIN.replace("\n", "\r\n"),
    "blank lines": "\n\n" + PLAIN.replace("\n", "\n\n  \n"),
    "lines of separators alone": PLAIN + ",\n,,,\n",
    "a trailing comma in each line": PLAIN.replace("\n", ",\n"),
    "a trailing comma in each row": "x,y\n0.5,1.25,\n1.5,2.75,\n2.5,-4,\n",
    "a leading comma in each line": "\n".join("," + line for line in PLAIN.splitlines()),
    "quotes everywhere": '"x","y"\n"0.5","1.25"\n"1.5","2.75"\n"2.5","-4"\n',
    "single quotes": "'x','y'\n'0.5','1.25'\n'1.5','2.75'\n'2.5','-4'\n",
    "a name on two lines": '"x","y\n(cm)"\n0.5,1.25\n1.5,2.75\n2.5,-4\n',
    "an inch mark in a name": 'x,y 5"\n0.5,1.25\n1.5,2.75\n2.5,-4\n',
    "exponents": "x,y\n5e-1,1.25E0\n0.15e+1,2.75\n2.5D0,-4.0d+00\n",
    "exponents with decimal commas": "x;y\n5E-01;1,25E+00\n1,5E+00;2,75\n2,5;-4\n",
    "a plus sign": PLAIN.replace("0.5", "+0.5"),
    "no zero before the point": "x,y\n.5,1.25\n1.5,2.75\n2.5,-4.\n",
    "a minus sign of a word processor": PLAIN.replace("-4", "−4"),
    "full-width digits and commas": "x，y\n０．５，１．２５\n1.5，2.75\n2.5，-4\n",
    "a comment above": "# measured in class 9b\n" + PLAIN,
    "comments with % and //": "% one\n// two\n" + PLAIN,
    "a comment below": PLAIN + "# the end\n",
    "a comment between": PLAIN.replace("1.5,", "# broken sensor\n1.5,"),
    "a remark behind a row": PLAIN.replace("2.75", "2.75 # odd"),
    "names in a comment": "# x,y\n" + PLAIN[4:],
    "names in a comment, spaces": "# y x\n1.25 0.5\n2.75 1.5\n-4 2.5\n",
    "a title above": "Versuch 3\n" + PLAIN,
    "a title with empty cells": "Versuch 3;;\n;;\n" + GERMAN.replace("\n", ";\n"),
    "values above the header": "Datum;2024\nGruppe;7\n" + GERMAN,
    "a row of units": "x,y\ns,cm\n" + PLAIN[4:],
    "no header": PLAIN[4:],
    "a table in Markdown": "| x | y |\n|---|---:|\n| 0.5 | 1.25 |\n| 1.5 | 2.75 |\n| 2.5 | -4 |\n",
    "a list of lists": "[[0.5, 1.25], [1.5, 2.75], [2.5, -4]]",
    "a list of tuples": "[(0.5, 1.25),\n (1.5, 2.75),\n (2.5, -4)]",
    "a NumPy array": "array([[ 0.5 ,  1.25],\n       [ 1.5 ,  2.75],\n       [ 2.5 , -4.  ]], dtype=float32)",
    "a printed NumPy array": "[[ 0.5   1.25]\n [ 1.5   2.75]\n [ 2.5  -4.  ]]",
    "names in square brackets": "[x],[y]\n" + PLAIN[4:],
    "columns in another order": "y,x\n1.25,0.5\n2.75,1.5\n-4,2.5\n",
    "units in the names": "y (cm);x (s)\n1,25;0,5\n2,75;1,5\n-4;2,5\n",
    "names in capitals": "Y,X\n1.25,0.5\n2.75,1.5\n-4,2.5\n",
    "German names": "Zielwert;Eingabe\n1,25;0,5\n2,75;1,5\n-4;2,5\n",
    "Chinese names": "输出,输入\n1.25,0.5\n2.75,1.5\n-4,2.5\n",
    "time and a value": "Höhe;Zeit\n1,25;0,5\n2,75;1,5\n-4;2,5\n",
    "names with commas in brackets": "Zeit (s, lokal),Hoehe (m, NN)\n0.5,1.25\n1.5,2.75\n2.5,-4\n",
    "names with commas, semicolons": "Zeit (s, lokal, UTC);Hoehe (m, NN)\n0,5;1,25\n1,5;2,75\n2,5;-4\n",
    "names of several words, spaces": "the time   the height\n0.5        1.25\n1.5        2.75\n2.5       -4\n",
    "an index column": ",x,y\n0,0.5,1.25\n1,1.5,2.75\n2,2.5,-4\n",
    "an index from 1": '"","x","y"\n"1",0.5,1.25\n"2",1.5,2.75\n"3",2.5,-4\n',
    "an index called Nr.": "Nr.;x;y\n7;0,5;1,25\n8;1,5;2,75\n9;2,5;-4\n",
    "an index called #": "#,x,y\n1,0.5,1.25\n2,1.5,2.75\n3,2.5,-4\n",
    "an index called Unnamed": "Unnamed: 0,x,y\n0,0.5,1.25\n1,1.5,2.75\n2,2.5,-4\n",
    "an index without a header": "0,0.5,1.25\n1,1.5,2.75\n2,2.5,-4\n",
    "row names of R": '"x" "y"\n"1" 0.5 1.25\n"2" 1.5 2.75\n"3" 2.5 -4\n',
    "row names of R that are words": "x y\nmazda 0.5 1.25\nfiat 1.5 2.75\nvolvo 2.5 -4\n",
    "names 0, 1 of an index and two columns": ",0,1\n0,0.5,1.25\n1,1.5,2.75\n2,2.5,-4.0\n",
    "names 0, 1 of numbers as programs write them": "0,1\n0.5,1.25\n1.5,2.75\n2.5,-4.0\n",
    "names that are years": "Land;2019;2020\nA;0,5;1,25\nB;1,5;2,75\nC;2,5;-4\n",
    "commas and tabs": PLAIN.replace(",", ",\t"),
    "a split column": "x,y,split\n0.5,1.25,train\n1.5,2.75,test\n2.5,-4,train\n",
    "a column of words": "name,x,y\nAnna,0.5,1.25\nBen,1.5,2.75\nCem,2.5,-4\n",
    "a column of dates": "day,x,y\n2024-01-01,0.5,1.25\n2024-01-02,1.5,2.75\n2024-01-03,2.5,-4\n",
    "an empty column": "x,note,y\n0.5,,1.25\n1.5,,2.75\n2.5,,-4\n",
    "more columns": "z,x,w,y\n9,0.5,8,1.25\n8,1.5,8,2.75\n9,2.5,7,-4\n",
    "a byte order mark in the text": "\ufeff" + PLAIN,
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_points_are_read_however_they_are_written(name: str) -> None:
    assert xy(SAME[name]).rows == XY


ENCODED = "Länge;x;y\n7;0,5;1,25\n7;1,5;2,75\n6;2,5;-4\n"


@pytest.mark.parametrize(
    "content",
    [
        ENCODED.encode(),
        codecs.BOM_UTF8 + ENCODED.encode(),
        ENCODED.encode("utf-16"),
        codecs.BOM_UTF16_BE + ENCODED.encode("utf-16-be"),
        ENCODED.encode("utf-16-le"),
        ENCODED.encode("utf-16-be"),
        ENCODED.encode("utf-32"),
        ENCODED.encode("cp1252"),
        ENCODED.replace("\n", "\r\n").encode("cp1252"),
    ],
    ids=["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "no mark le", "no mark be", "utf-32", "cp1252", "cp1252 crlf"],
)
def test_a_file_is_read_in_the_encoding_that_it_has(content: bytes) -> None:
    reading = xy(content)
    assert reading.rows == XY
    assert reading.options == ("Länge", "x", "y")


def test_a_chinese_file_of_a_spreadsheet_program_keeps_its_names() -> None:
    reading = labelled("类别,特征1,特征2\n1,0.5,1.25\n2,1.5,2.75\n2,2.5,-4\n".encode("gb18030"))
    assert reading.rows == THREE and reading.options == ("类别", "特征1", "特征2")


def test_thousands_in_groups_are_one_number() -> None:
    assert xy("x;y\n1.234,5;2\n10.000;3\n").rows == ((1234.5, 2.0), (10_000.0, 3.0))
    assert xy('x,y\n"1,234.5",2\n"10,000",3\n').rows == ((1234.5, 2.0), (10_000.0, 3.0))
    assert xy("x;y\n1'234.5;2\n10'000;3\n").rows == ((1234.5, 2.0), (10_000.0, 3.0))
    assert xy("x;y\n1 234,5;2\n10\u202f000;3\n").rows == ((1234.5, 2.0), (10_000.0, 3.0))


def test_where_a_comma_could_be_either_the_student_chooses() -> None:
    text = "x;y\n1,234;2\n5,678;3\n"
    assert xy(text).rows == ((1.234, 2.0), (5.678, 3.0)) and xy(text).unclear_decimal == ","
    assert xy(text, Choice(form=Form(decimal="."))).rows == ((1234.0, 2.0), (5678.0, 3.0))
    assert xy("x;y\n0,234;2\n5,678;3\n").unclear_decimal == "" and xy(GERMAN).unclear_decimal == ""


# Which column is what.

SAME_LABELLED = {
    "in order": "x1,x2,class\n0.5,1.25,0\n1.5,2.75,1\n2.5,-4,1\n",
    "class first": "class,x1,x2\n0,0.5,1.25\n1,1.5,2.75\n1,2.5,-4\n",
    "backwards": "label,x2,x1\n0,1.25,0.5\n1,2.75,1.5\n1,-4,2.5\n",
    "x, y and a class": "x,y,class\n0.5,1.25,0\n1.5,2.75,1\n2.5,-4,1\n",
    "x1, x2 and y": "y,x1,x2\n0,0.5,1.25\n1,1.5,2.75\n1,2.5,-4\n",
    "x0, x1 and y": "y,x0,x1\n0,0.5,1.25\n1,1.5,2.75\n1,2.5,-4\n",
    "x, y and z": "x,y,z\n0.5,1.25,0\n1.5,2.75,1\n2.5,-4,1\n",
    "x[0], x[1], target": "target,x[1],x[0]\n0,1.25,0.5\n1,2.75,1.5\n1,-4,2.5\n",
    "subscripts": "x₂,x₁,Klasse\n1.25,0.5,0\n2.75,1.5,1\n-4,2.5,1\n",
    "numbered features": "feature_2;feature_1;target\n1,25;0,5;0\n2,75;1,5;1\n-4;2,5;1\n",
    "Chinese": "类别,特征1,特征2\n0,0.5,1.25\n1,1.5,2.75\n1,2.5,-4\n",
    "German": "Klasse;Merkmal 1;Merkmal 2\n0;0,5;1,25\n1;1,5;2,75\n1;2,5;-4\n",
    "Russian": "класс,x1,x2\n0,0.5,1.25\n1,1.5,2.75\n1,2.5,-4\n",
    "an unknown name among known ones": "x2,foo,class\n1.25,0.5,0\n2.75,1.5,1\n-4,2.5,1\n",
    "unknown names": "a,b,c\n0.5,1.25,0\n1.5,2.75,1\n2.5,-4,1\n",
    "no header": "0.5,1.25,0\n1.5,2.75,1\n2.5,-4,1\n",
    "no header, class first": "0,0.5,1.25\n1,1.5,2.75\n1,2.5,-4.125\n1,2.5,-4.125\n",
    "the header 0,1,2": "0,1,2\n0.5,1.25,0\n1.5,2.75,1\n2.5,-4.0,1\n",
    "the header 1,2,3": "1,2,3\n0.5,1.25,0\n1.5,2.75,1\n2.5,-4.0,1\n",
    "the header 0,1,2 and an index": ",0,1,2\n0,0.5,1.25,0\n1,1.5,2.75,1\n2,2.5,-4.0,1\n",
    "the header 0,1 and a name": "0,1,label\n0.5,1.25,0\n1.5,2.75,1\n2.5,-4.0,1\n",
    "an index and a label": ",x1,x2,label\n0,0.5,1.25,0\n1,1.5,2.75,1\n2,2.5,-4,1\n",
    "an id and more columns": "Id,x1,x2,x3,species\n1,0.5,1.25,9,0\n2,1.5,2.75,9,1\n3,2.5,-4,8,1\n",
    "whole classes as decimals": "x1,x2,class\n0.5,1.25,0.0\n1.5,2.75,1.0\n2.5,-4,1.0\n",
    "a split": "x1,x2,class,split\n0.5,1.25,0,train\n1.5,2.75,1,test\n2.5,-4,1,train\n",
    "labels 1 and 2": "x1,x2,y\n0.5,1.25,1\n1.5,2.75,2\n2.5,-4,2\n",
    "labels -1 and 1": "x1,x2,y\n0.5,1.25,-1\n1.5,2.75,1\n2.5,-4,1\n",
    "labels with gaps": "x1,x2,y\n0.5,1.25,3\n1.5,2.75,70\n2.5,-4,70\n",
    "labels with fractions": "x1,x2,class\n0.5,1.25,0.5\n1.5,2.75,1.5\n2.5,-4,1.5\n",
    "words": "x1,x2,class\n0.5,1.25,cat\n1.5,2.75,dog\n2.5,-4,dog\n",
    "words without a header": "0.5,1.25,cat\n1.5,2.75,dog\n2.5,-4,dog\n",
    "words first": "cat 0.5 1.25\ndog 1.5 2.75\ndog 2.5 -4\n",
    "words with spaces": "x1;x2;class\n0,5;1,25;Iris setosa\n1,5;2,75;Iris virginica\n2,5;-4;Iris virginica\n",
    "booleans": "x1,x2,spam\n0.5,1.25,False\n1.5,2.75,True\n2.5,-4,True\n",
    "no and yes": "x1,x2,spam\n0.5,1.25,nein\n1.5,2.75,ja\n2.5,-4,ja\n",
    "- and +": "x1,x2,class\n0.5,1.25,-\n1.5,2.75,+\n2.5,-4,+\n",
    "ARFF": "@relation r\n@attribute x1 numeric\n@data\n0.5,1.25,a\n1.5,2.75,b\n2.5,-4,b\n",
}  # fmt: skip


@pytest.mark.parametrize("name", SAME_LABELLED)
def test_the_same_classes_are_read_whatever_their_columns_and_labels_are_called(name: str) -> None:
    assert labelled(SAME_LABELLED[name]).rows[:3] == (
        ((0.5, 1.25, 0.0), (1.5, 2.75, 1.0), (2.5, -4.125, 1.0)) if "class first" in name and "no" in name else THREE
    )


def test_a_sentence_says_which_class_has_which_number() -> None:
    assert "Classes are numbered from 0 here: “1” is 0, “2” is 1." in labelled("1,1,1\n2,1,2\n2,2,2\n").notes
    assert "Classes are numbered from 0 here: “cat” is 0, “dog” is 1." in labelled("1,1,dog\n2,1,cat\n").notes
    assert labelled("1,1,0\n2,1,1\n").notes == ()
    assert any("class 1 is empty" in note for note in labelled("1,1,0\n2,1,0\n").notes)
    assert any("“7” is 0" in note for note in labelled("1,1,7\n2,1,7\n").notes)


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (PLAIN, "3 rows; columns x, y from the header."),
        ("Weg;Zeit\n1,25;0,5\n2,75;1,5\n-4;2,5\n", "3 rows; columns “Zeit” as x, “Weg” as y from the header."),
        (PLAIN[4:], "3 rows; no names in a header: column 1 as x, column 2 as y."),
    ],
)
def test_a_sentence_says_how_the_table_was_understood(text: str, summary: str) -> None:
    assert xy(text).summary == summary


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("x,y,z\n0,1,2.5\n1,2,3\n", "Columns not used: “z”."),
        (GERMAN, "Decimal commas were read as decimal points."),
        ("a title\nx,y\n1,2\n3,4\n", "Lines above the table that were left out: 1."),
        ("x,y\n1,2\n3,\n5,6\nnan,7\n", "Lines left out because a cell is empty: 3, 5."),
        ("x,y\n" + "1,NA\n" * 7 + "1,2\n3,4\n", "Lines left out because a cell is empty: 2, 3, 4, 5, 6, and 2 more."),
        ("the,time,it,took\n1,2\n3,4\n", "The header does not fit the columns, so it was not used."),
    ],
)
def test_what_was_decided_or_left_out_is_said(text: str, note: str) -> None:
    assert note in xy(text).notes


@pytest.mark.parametrize("missing", ["", "NA", "NaN", "nan", "N/A", "#NV", "null", "None", "?", "-", " "])
def test_a_row_with_an_empty_cell_is_left_out(missing: str) -> None:
    assert xy(PLAIN + f"7,{missing}\n").rows == XY
    assert xy(PLAIN.replace("2.5,-4", f"{missing},3\n2.5,-4")).rows == XY


def test_the_student_chooses_other_columns() -> None:
    text = "a,b,c\n1,2,3\n4,5,6.5\n"
    assert xy(text, Choice((2, 0))).rows == ((3.0, 1.0), (6.5, 4.0))
    assert xy(text, Choice((2, 0))).summary == "2 rows; columns as you chose them: “c” as x, “a” as y."
    assert xy(text, Choice((9, 0))).columns == (0, 1), "a choice for another table is not used"
    with pytest.raises(DataError, match="a column of its own"):
        xy(text, Choice((1, 1)))


def test_a_first_line_of_numbers_is_a_header_or_a_point_as_the_student_says() -> None:
    unclear = "0,1\n1,2\n2,4\n"
    assert xy(unclear).rows[0] == (0.0, 1.0) and xy(unclear).first == "0, 1"
    assert "The first line (0, 1) is a point." in xy(unclear).notes
    assert xy(unclear, Choice(form=Form(header=True))).rows == ((1.0, 2.0), (2.0, 4.0))
    pandas = "0,1,2\n0.5,1.25,0\n1.5,2.75,1\n"
    assert "The first line (0, 1, 2) names the columns; it is not a point." in labelled(pandas).notes
    assert len(labelled(pandas).rows) == 2
    assert len(labelled(pandas, Choice(form=Form(header=False))).rows) == 3
    whole = "0,1,2\n3,4,0\n5,1,1\n2,2,1\n0,3,0\n"
    assert len(labelled(whole).rows) == 4, "class 2 would have this one point"
    assert xy("1,2,3,4\n5,6,7,8.5\n9,9,9,9.5\n").rows[0] == (1.0, 2.0)
    assert xy("x,y\n0,1\n1,2\n").first == "" and xy("1,3\n2,5\n").first == ""


# What cannot be read.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Höhe\n0,5\n0,7\n1,2\n", "The table has one column of numbers; 2 columns are needed (x,y)."),
        ("0,05\n0,07\n1,25\n", "The table has one column of numbers; 2 columns are needed (x,y)."),
        ("0.5\n0.7\n1.2\n", "The table has one column of numbers; 2 columns are needed (x,y)."),
        ("x,y\n0,5,1,25\n1,5,2,75\n2,5,-4\n", "separate the columns by semicolons or tabs"),
        ("x,y\n1,2\n3,4,5\n", "Line 3: expected 2 columns (x,y), found 3."),
        ("one,2\n3,4\n5,6\n", "Line 1: “one” is not a number."),
        ("x,y\n1,2\n3,4 cm\n", "Line 3: “4 cm” is not a number."),
        ("x,y\n1,2\n,4\n", "Lines with an empty cell cannot be used: 3."),
        ("x,y\n1,2\n3,inf\n", "Line 3: “inf” is out of range."),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_line(text: str, message: str) -> None:
    assert message in refusal(text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04" + b"x" * 100, "a workbook"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 100, "a workbook"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"\x1f\x8b" + b"x" * 100, "compressed"),
        (b"\x89PNG\r\n", "not text"),
        (bytes(range(256)) * 40, "not text"),
        (bytes(5000), "not text"),
        (b"1,2\n" * 2_000_000, "larger than 1,000 kB"),
        (("1,2\n" * 300_000).encode("utf-16"), "larger than 1,000 kB"),
    ],
    ids=lambda value: ascii(value)[:16],
)
def test_a_file_that_is_not_a_table_is_refused_with_what_it_is(content: bytes, message: str) -> None:
    assert message in refusal(content)


def test_more_classes_than_there_can_be_are_refused_with_the_column() -> None:
    message = refusal("x1,x2,class\n" + "".join(f"1,2,{label}\n" for label in "abcdef"), classes=True)
    assert "“class”, has 6 different values; at most 5" in message


HOSTILE = {
    "dashes": "-" * 900_000 + "x",
    "dashes in many lines": ("-" * 400 + "x\n") * 2_000,
    "spaces": "1" + " " * 900_000 + "2",
    "brackets": "[" * 900_000,
    "a bracket and spaces": "[1]" + " " * 900_000 + "[",
    "separators in brackets": "(" + ";" * 900_000 + "\n1;2\n3;4\n",
    "quotes": '"' * 900_001,
    "short quotes": ('"a,' * 20 + "\n") * 10_000,
    "digits": "1" * 130_000 + "," + "1" * 130_000,
    "groups": ",".join(["1"] + ["000"] * 200_000),
    "points": "1" + ".000" * 30_000 + ";1\n" * 3,
    "wide rows": ("1," * 4_000 + "1\n") * 100,
    "comments": "#\n" * 400_000 + "1,2\n3,4\n",
    "titles": "title,of\n" * 100_000 + "1,2\n3,4\n",
    "names": ",".join(f"n{at}" for at in range(100_000)) + "\n1,2\n3,4\n",
    "zeros": "\0,\0\n" * 200_000,
    "line separators": "\u2028" * 300_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_read_or_refused_at_once(name: str) -> None:
    began = time.thread_time()
    for form in (POINTS, LABELLED):
        try:
            form.read(HOSTILE[name], 5_000)
        except DataError as error:
            assert len(str(error)) < 250 and "\n" not in str(error)
    assert time.thread_time() - began < 15.0, "not in time that grows with the square of the length"
