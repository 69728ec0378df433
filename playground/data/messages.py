"""Every sentence about points that a model cannot be trained on, and about how a student's table was understood."""

from __future__ import annotations

REFUSALS = {
    "csv_too_large": "The CSV is larger than {limit:,} kB. Keep at most {max_rows:,} rows of {columns}.",
    "too_few_rows": "The CSV needs at least two rows of {columns}, such as “{example}”.",
    "too_few_rows_left": "At least two rows of {columns} are needed. Lines with an empty cell cannot be used: {lines}.",
    "wrong_columns": "Line {line}: expected {expected} columns ({columns}), found {found}.",
    "one_column": "The table has one column of numbers; {expected} columns are needed ({columns}).",
    "not_a_number": "Line {line}: “{cell}” is not a number. Each line must be {columns}.",
    "out_of_range": "Line {line}: “{cell}” is out of range. Numbers must be from -1e6 to 1e6.",
    "too_many_classes": "The column of the class, {name}, has {count:,} different values; at most {limit} classes are "
    "possible. Choose another column for the class.",
    "same_column": "Each of {columns} needs a column of its own. Choose another one.",
    "too_few_points": "At least two training points must stay. Add a point before you remove another.",
    "too_many_points": "These settings give {points:,} points, training and test together; at most {max_points:,} are "
    "allowed. Choose fewer points, then press Reset.",
}

# How a table was understood.
UNDERSTOOD = {
    "header": "{rows:,} rows; columns {columns} from the header.",
    "order": "{rows:,} rows; no names in a header: {columns}.",
    "chosen": "{rows:,} rows; columns as you chose them: {columns}.",
}
COLUMN = "{role}"
COLUMN_FROM = "“{name}” as {role}"
COLUMN_AT = "column {number} as {role}"
NAMED = "“{name}”"
UNNAMED = "column {number}"
NOTES = {
    "numbers_as_names": "The first line ({first}) names the columns; it is not a point.",
    "numbers_as_row": "The first line ({first}) is a point.",
    "unused_header": "The header does not fit the columns, so it was not used.",
    "skipped": "Lines above the table that were left out: {count:,}.",
    "below": "Lines below the table that were left out, such as totals: {below:,}.",
    "sideways": "Each column of the table is one point.",
    "signs": "Signs of percent and of currency were left out: 50 % is 50.",
    "missing": "Lines left out because a cell is empty: {lines}.",
    "decimal_commas": "Decimal commas were read as decimal points.",
    "unused": "Columns not used: {columns}.",
    "classes": "Classes are numbered from 0 here: {classes}.",
    "one_class": "All rows have the same class, so class 1 is empty: no point teaches the model when to predict it.",
}
CLASS = "“{label}” is {number}"
AND_MORE = "{listed}, and {count:,} more"
