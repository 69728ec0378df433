"""Tables that programs print, export or lay on their side are read as the same points; totals and IDs are no points."""

from __future__ import annotations

import time

import pytest

from playground.data.own_rows import POINTS, DataError, Reading, labelled_points

LABELLED = labelled_points(5)
XY = ((0.5, 1.25), (1.5, 2.75), (2.5, -4.0))
THREE = ((0.5, 1.25, 0.0), (1.5, 2.75, 1.0), (2.5, -4.0, 1.0))


def xy(content: bytes | str) -> Reading:
    return POINTS.read(content, 5_000)


def labelled(content: bytes | str) -> Reading:
    return LABELLED.read(content, 5_000)


SAME = {
    "torch": "tensor([[ 0.5000,  1.2500],\n        [ 1.5000,  2.7500],\n        [ 2.5000, -4.0000]])",
    "torch on a GPU": "tensor([[ 0.5,  1.25],\n        [ 1.5,  2.75],\n        [ 2.5, -4.0]], device='cuda:0',\n"
    "       dtype=torch.float64, grad_fn=<AddBackward0>)",
    "torch, assigned": "x = torch.tensor([[0.5, 1.25], [1.5, 2.75], [2.5, -4.0]])",
    "two tensors": "x = torch.tensor([0.5, 1.5, 2.5])\ny = torch.tensor([1.25, 2.75, -4.0])\n",
    "two lists": "y = [1.25, 2.75, -4]\nx = [0.5, 1.5, 2.5]\n",
    "a dictionary": "{'y': [1.25, 2.75, -4], 'x': [0.5, 1.5, 2.5]}",
    "R vectors": "x <- c(0.5, 1.5, 2.5)\ny <- c(1.25, 2.75, -4)\n",
    "MATLAB": "A = [0.5 1.25; 1.5 2.75; 2.5 -4];",
    "MATLAB, lines": "A = [\n0.5, 1.25;\n1.5, 2.75;\n2.5, -4\n];\n",
    "MATLAB vectors": "x = [0.5 1.5 2.5];\ny = [1.25 2.75 -4];",
    "GeoGebra": "A = (0.5, 1.25)\nB = (1.5, 2.75)\nC = (2.5, -4)\n",
    "points with decimal commas": "P1(0,5 | 1,25)\nP2(1,5 | 2,75)\nP3(2,5 | -4,0)\n",
    "JSON records": '[{"y": 1.25, "x": 0.5}, {"y": 2.75, "x": 1.5}, {"y": -4, "x": 2.5}]',
    "JSON lines": '{"x": 0.5, "y": 1.25}\n{"x": 1.5, "y": 2.75}\n{"x": 2.5, "y": -4}\n',
    "JSON of pandas": '{"x":{"0":0.5,"1":1.5,"2":2.5},"y":{"0":1.25,"1":2.75,"2":-4}}',
    "LaTeX": "\\begin{tabular}{cc}\n\\hline\ny & x \\\\ \\hline\n"
    "1.25 & 0.5 \\\\\n2.75 & 1.5 \\\\\n-4 & 2.5 \\\\\n\\end{tabular}",
    "a box of SQLite": "┌─────┬──────┐\n│  x  │  y   │\n├─────┼──────┤\n"
    "│ 0.5 │ 1.25 │\n│ 1.5 │ 2.75 │\n│ 2.5 │ -4.0 │\n└──┴──┘\n",
    "MySQL": "+-----+------+\n| y   | x    |\n+-----+------+\n"
    "| 1.25 | 0.5 |\n| 2.75 | 1.5 |\n| -4 | 2.5 |\n+-----+------+\n"
    "3 rows in set (0.00 sec)\n",
    "psql": "  x  |  y   \n-----+------\n 0.5 | 1.25\n 1.5 | 2.75\n 2.5 |   -4\n(3 rows)\n",
    "polars": "shape: (3, 2)\n│ x   ┆ y    │\n│ --- ┆ ---  │\n"
    "│ f64 ┆ f64  │\n│ 0.5 ┆ 1.25 │\n│ 1.5 ┆ 2.75 │\n│ 2.5 ┆ -4.0 │\n",
    "pandas in print": "       y    x\n0   1.25  0.5\n1   2.75  1.5\n"
    "..   ...  ...\n99  -4.0  2.5\n\n[100 rows x 2 columns]\n",
    "a tibble of R": "# A tibble: 3 × 2\n      y     x\n  <dbl> <dbl>\n1  1.25   0.5\n2  2.75   1.5\n3 -4      2.5\n",
    "a matrix of R": "     [,1]  [,2]\n[1,]  0.5  1.25\n[2,]  1.5  2.75\n[3,]  2.5 -4.00\n",
    "Markdown, other order": "| y | x |\n|---|---|\n| 1.25 | 0.5 |\n| 2.75 | 1.5 |\n| -4 | 2.5 |\n",
    "each line in quotes": '"y;x"\n"1,25;0,5"\n"2,75;1,5"\n"-4;2,5"\n',
    "Excel's texts": 'y,x\n="1.25",="0.5"\n="2.75",="1.5"\n="-4",="2.5"\n',
    "Excel's apostrophes": "y;x\n'1,25;'0,5\n'2,75;'1,5\n'-4;'2,5\n",
    "invisible signs": "x,y\n\u200b0.5,1.25\n1.5,\u200e2.75\n2.5,-4\n",
    "footnotes": "x\ty[a]\n0.5[1]\t1.25\n1.5\t2.75[2]\n2.5\t-4[b]\n",
    "values above the names": "Name;Max\nKlasse;9b\ny;x\n1,25;0,5\n2,75;1,5\n-4;2,5\n",
    "two lines of names": "Gruppe A;Gruppe A\ny;x\nm;s\n1,25;0,5\n2,75;1,5\n-4;2,5\n",
    "names with units": "s in m;t in s\n1,25;0,5\n2,75;1,5\n-4;2,5\n",
    "a remark below": "x,y\n0.5,1.25\n1.5,2.75\n2.5,-4\n\nSource: own measurement\n",
    "a total": "Monat;x;y\nJan;0,5;1,25\nFeb;1,5;2,75\nMrz;2,5;-4\nSumme;4,5;0\n",
    "a student called Max": "Name;x;y\nAnna;0,5;1,25\nBen;1,5;2,75\nMax;2,5;-4\n",
    "remarks behind some rows": "y,x\n1.25,0.5,\n2.75,1.5,odd\n-4,2.5,\n",
    "an identity": "StationId,x_cm,y_cm\n70312,0.5,1.25\n70315,1.5,2.75\n70399,2.5,-4\n",
    "numbers too large, and the same": "day,station,a1,a2\n"
    "20240101,7,0.5,1.25\n20240102,7,1.5,2.75\n20240103,7,2.5,-4\n",
    "percent and currency": "x;y\n0,5 %;1,25 €\n1,5%;2,75€\n2,5 %;-4,00 €\n",
    "dollars": 'x,y\n$0.50,"$1.25"\n$1.50,$2.75\n$2.50,-$4.00\n',
    "percent between spaces": "x   y  z\n0.5 1.25 1 %\n1.5 2.75 2 %\n2.5 -4 9 %\n",
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_what_programs_print_or_export_gives_the_same_points(name: str) -> None:
    assert xy(SAME[name]).rows == XY


@pytest.mark.parametrize(
    "text",
    [
        "x;0,5;1,5;2,5;3\ny;1,25;2,75;-4;3\n",
        "y 1.25 2.75 -4 3\nx 0.5 1.5 2.5 3\n",
        "Messung 3\nt in s;0,5;1,5;2,5;3\nv in m/s;1,25;2,75;-4;3\n",
        "0.5,1.5,2.5,3\n1.25,2.75,-4,3\n",
        "x;0,5;1,5;2,5;3\ny;1,25;2,75;-4;3\nz;1;2;3;4\n",
    ],
)
def test_a_table_that_lies_on_its_side_is_turned_and_that_is_said(text: str) -> None:
    reading = xy(text)
    assert reading.rows == (*XY, (3.0, 3.0)) and "Each column of the table is one point." in reading.notes


def test_a_row_of_counts_on_a_table_that_lies_on_its_side_is_a_value_and_not_a_header() -> None:
    assert xy("x 1 2 3 4 5\ny 1 4 9 16 25\n").rows == tuple((float(at), float(at**2)) for at in range(1, 6))
    assert xy("Jahr;2018;2019;2020\nUmsatz;5,5;6;7\n").rows == ((2018.0, 5.5), (2019.0, 6.0), (2020.0, 7.0))
    assert labelled("x2;5;4;3;2\nx1;1;2;3;4\nKlasse;A;B;B;A\n").rows[:2] == ((1.0, 5.0, 0.0), (2.0, 4.0, 1.0))


@pytest.mark.parametrize("text", ["a,b,c,d\n1,2,3,4\n5,6,7,8.5\n", "1,2,3,4\n5,6,7,8\n9,9,9,9\n", "1,2,3\n4,5,6\n"])
def test_a_table_that_stands_upright_is_not_turned(text: str) -> None:
    assert not any("one point" in note for note in xy(text).notes)


def test_the_counts_and_classes_above_a_table_of_scikit_learn_are_not_learned() -> None:
    text = "3,2,setosa,versicolor,virginica\n0.5,1.25,1,1,0\n1.5,2.75,1,1,1\n2.5,-4,1,1,1\n"
    assert labelled(text).rows == THREE
    assert "The header does not fit the columns, so it was not used." in labelled(text).notes


TITANIC = (
    "PassengerId,Survived,Pclass,Name,Sex,Age,Fare,Embarked\n"
    '1,0,3,"Braund, Mr. Owen",male,22,7.25,S\n2,1,1,"Cumings, Mrs. John",female,38,71.28,C\n'
    '3,1,3,"Heikkinen, Miss. Laina",female,26,7.92,Q\n6,0,3,"Moran, Mr. James",male,,8.45,Q\n'
)
ADS = (
    "User ID,Gender,Age,Salary,Purchased\n15624510,Male,19,19000,0\n15810944,Male,35,20000,0\n1566,Female,26,43000,1\n"
)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (TITANIC, ("Pclass", "Age", "Survived")),
        (ADS, ("Age", "Salary", "Purchased")),
        ("a,b,c,eor\n0.5,1,u,eor\n1.5,2,v,eor\n2.5,4,u,eor\n", ("a", "b", "c")),
        ("x,y,quality,note\n0.5,1,5,u\n1.5,2,6,v\n2.5,4,5,w\n", ("x", "y", "quality")),
        ("| class | x1 | x2 |\n|---|---|---|\n| 0 | 5 | 1 |\n| 1 | 15 | 2 |\n", ("x1", "x2", "class")),
        ("df = pd.DataFrame({'class': ['a', 'b c'], 'x1': [1, 2], 'x2': [3, 4]})", ("x1", "x2", "class")),
    ],
)
def test_identities_and_constants_are_not_taken_for_features_or_classes(text: str, columns: tuple[str, ...]) -> None:
    reading = labelled(text)
    assert tuple(reading.options[at] for at in reading.columns) == columns


def test_signs_that_were_left_out_and_totals_are_said() -> None:
    assert any("50 % is 50" in note for note in xy(SAME["percent and currency"]).notes)
    assert not any("50 % is 50" in note for note in xy(SAME["footnotes"]).notes)
    assert "Lines below the table that were left out, such as totals: 1." in xy(SAME["a total"]).notes


def test_where_a_column_is_refused_others_can_still_be_chosen() -> None:
    with pytest.raises(DataError, match="6 different values") as caught:
        labelled("x1,x2,class,sort\n" + "".join(f"{at},{at},{name},{at % 2}\n" for at, name in enumerate("abcdef")))
    assert caught.value.reading is not None
    assert caught.value.reading.options == ("x1", "x2", "class", "sort") and caught.value.reading.columns == (0, 1, 2)


@pytest.mark.parametrize(
    ("names", "encoding"), [("Значение;Время", "cp1251"), ("時間;値段", "cp932"), ("Länge;Größe", "mac-roman")]
)
def test_names_in_other_code_pages_are_read(names: str, encoding: str) -> None:
    content = f"{names}\r0,5;1,25\r1,5;2,75\r2,5;-4\r".replace("\r", "\r" if encoding == "mac-roman" else "\r\n")
    reading = xy(content.encode(encoding))
    assert ";".join(reading.options) == names and reading.rows == XY


HOSTILE = {
    "spaces and a bracket": " " * 900_000 + "(",
    "dots": "... " * 200 + "x\n" + ("...  " * 300 + "x\n") * 250,
    "lists": "x=[" * 300_000,
    "open lists": "x=[" + "1," * 400_000 + "\n" + "y=[1\n" * 1_000,
    "vectors": "x<-c(" * 180_000,
    "records": '[{"a":1' + "".join(f',"b{at}":1' for at in range(15_000)) + "}" + ",{}" * 60_000 + "]",
    "columns": '{"a":{' + ",".join(f'"{at}":1' for at in range(50_000)) + "}"
    + "".join(f',"b{at}":{{}}' for at in range(20_000)) + "}",
    "deep": '{"a":' * 100_000,
    "lines of TeX": "\n" * 400_000 + "& \\\\",
    "quoted lines": '"' * 500_000 + "\n" + '""""\n' * 50_000,
    "totals": "total,1\n" * 100_000,
    "places of R": "[1] " * 80_000 + "\n" + "[,1] " * 20_000,
    "wide titles": ("a," * 900 + "\n") * 100 + ("1," * 900 + "\n") * 100,
    "percent": "1 % " * 200_000,
    "points": "A=(1,2)\n" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_notation_is_read_or_refused_at_once(name: str) -> None:
    began = time.thread_time()
    for form in (POINTS, LABELLED):
        try:
            form.read(HOSTILE[name], 5_000)
        except DataError as error:
            assert len(str(error)) < 250 and "\n" not in str(error)
    assert time.thread_time() - began < 15.0, "not in time that grows with the square of the length"
