"""Every sentence about a formula, an array or a table that cannot be used, in one dictionary for each."""

from __future__ import annotations

FORMULA = {
    # Where the mistake is.
    "at": "At character {place}: {sentence}",
    "at_text": "At character {place} (“{text}”): {sentence}",
    # What is typed.
    "empty": "The formula is empty. Write one, such as x**2 + 3*x.",
    "too_long": "The formula has {count:,} characters; it may have {limit}. Make it shorter.",
    "syntax": "This cannot be read. Is a bracket, an operator or a name missing?",
    "nested": "The formula is nested too deeply. Make it simpler.",
    "too_many_parts": "The formula has over {limit} numbers, names and operators. Make it shorter.",
    "too_deep": "The formula is nested more than {limit} levels deep here. Make it simpler.",
    "number_too_large": "Numbers may be up to {limit:,.0f}.",
    "character": "A formula cannot contain this character. Use plain letters, digits and + - * /.",
    "no_operator": "An operator is missing: write 2*x for 2 times x.",
    "not_allowed": "A formula cannot contain {what}. It can contain numbers, + - * / ** @, brackets, functions such as "
    "sin, and the inputs: {inputs}.",
    "unknown_name": "There is no input with this name. A formula can contain numbers, + - * / ** @, brackets, "
    "functions such as sin, and the inputs: {inputs}.",
    "no_inputs": "none",
    "no_call": "{name} is a function: write {name}( ) around its argument.",
    "unknown_function": "This function is unknown. Did you mean {near}?",
    "functions": "This function is unknown. Some that can be used: {near}.",
    "argument": "{name} does not take this argument here.",
    "takes_one": "{name} takes one value; here it has {count}.",
    "takes_more": "{name} takes {takes} values, separated by commas; here it has {count}.",
    "dim": "A dimension is an integer from -3 to 2.",
    "mixes": "{name} takes many numbers together, but here each x is one number.",
    # What is computed.
    "no_value": "“{name}” has no value.",
    "input_too_large": "“{name}” has {count:,} numbers; the limit is {limit:,}.",
    "zero_division": "This divides by zero.",
    "torch": "PyTorch says: {error}.",
    "not_finite": "This is not a finite real number.",
    "not_matrices": "@ multiplies matrices; write * for numbers.",
    "exponent": "Exponents may be from -{limit} to {limit}.",
    "different_shapes": "The shapes {shapes} must be the same.",
    "broadcast": "The shapes {shapes} do not broadcast together.",
    "product_shapes": "The shapes {shapes} do not fit in a matrix product.",
    "two_shapes": "{one} and {other}",
    "result_too_large": "The result would have {count:,} numbers; the limit is {limit:,}.",
    "product_too_large": "The result would have {count:,} numbers; that is too large here.",
}
FORBIDDEN_CHARACTERS = {
    "^": "Powers are written **, as in x**2.",
    "'": "A formula cannot contain text in quotes.",
    '"': "A formula cannot contain text in quotes.",
    "\\": "A formula cannot contain a backslash.",
    ";": "Only one formula is allowed: remove the semicolon.",
    "#": "A formula cannot contain comments.",
    "!": "A formula cannot contain an exclamation mark.",
}
FORBIDDEN_SYNTAX = {  # by the name of the node in Python's syntax tree
    "Attribute": "a dot followed by a name",
    "Subscript": "square brackets",
    "Lambda": "a lambda",
    "Call": "a call of this kind",
    "ListComp": "a comprehension",
    "SetComp": "a comprehension",
    "DictComp": "a comprehension",
    "GeneratorExp": "a comprehension",
    "Compare": "a comparison",
    "BoolOp": "“and” or “or”",
    "IfExp": "“if”",
    "List": "a list",
    "Tuple": "a comma between values",
    "Dict": "a dictionary",
    "Set": "a set",
    "NamedExpr": "an assignment",
    "Starred": "a star before a value",
}
OTHER_SYNTAX = "this"

ARRAY = {
    "empty": "The array is empty. Type numbers such as {example}.",
    "too_long": "The array's text has {count} characters; it may have {limit}. Type fewer numbers.",
    "not_a_number": "This is not a number: “{text}”. Type numbers separated by spaces, and rows separated by ; as in "
    "{example}.",
    "not_in_dtype": "The number {number} does not fit in {dtype}, which holds {low:,} to {high:,}. Choose another "
    "dtype.",
    "rows": "The rows have {lengths} numbers. All rows must have the same number of numbers.",
    "brackets": "The brackets do not match. Close each [ with a ].",
    "too_deep": "The brackets are nested {depth} deep; an array here has at most {limit} axes. Remove some brackets.",
    "outer_brackets": "Put one pair of brackets around the whole array, as in [[0, 1], [2, 3]].",
    "inner_lists": "The inner lists have different lengths, or are empty. All must have the same number of numbers.",
    "unknown_call": "This call is not known here: “{call}”. Use arange(stop), linspace(start, stop, count), "
    "zeros(shape) or ones(shape).",
    "call_sizes": "Give all sizes of {name}, as in {name}(2, 3).",
    "call_not_finite": "Finite numbers only: {name} does not accept nan or inf.",
    "call_count": "This {name} has {count} elements; it may have 1 to {limit}. Choose another size.",
    # Shapes.
    "not_a_shape": "This is not a shape: “{text}”. Type integers, such as 2 3.",
    "sizes": "This shape cannot be used: “{text}”. Each size must be at least 1; one size may be -1, which means "
    "whatever is left.",
    "too_many_axes": "This shape has {axes} axes; the limit is {limit}. Use fewer.",
    "too_many_elements": "A shape of {shape} has {count} elements; the limit is {limit:,}. Use a smaller one.",
    "reshape": "The shape {shape} has room for {needed}; the array has {count}. Change one of the two.",
    "reshape_rest": "The shape {shape} needs a multiple of {needed} numbers; here are {count}. Change one of the two.",
}

TABLE = {
    # Files that are not text.
    "workbook": "This is a workbook of a spreadsheet program, not text. Save it there as CSV, then upload that file.",
    "packed": "This file is compressed. Unpack it, then upload the file inside.",
    "web_page": "This is a web page, not a table. Download the file itself, or copy the table and paste it.",
    "not_text": "This file is not text. Upload a table as CSV or as plain text.",
    # Lines.
    "not_csv": "Line {line} cannot be read as cells: a cell is too long, or a quotation mark is not closed.",
    "row_length": "Line {line}: expected {expected} columns, found {found}.",
    "commas": "Line {line}: expected {expected} columns, found {found}. If the numbers have decimal commas, separate "
    "the columns by semicolons or tabs.",
    "too_many_columns": "The table has {columns:,} columns. Keep at most {limit:,}.",
    "too_many_rows": "Line {line}: the table has more than {max_rows:,} rows. Keep at most {max_rows:,}.",
}
