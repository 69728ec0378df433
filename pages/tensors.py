"""The page "Tensors"."""

from functools import partial

from pages.ui import lab_page
from pages.ui.widgets import number_tables
from playground.lessons.tensors.lesson import LESSON

lab_page.show(LESSON, {"tensors_operations": partial(number_tables.array, "tensors_operations")})
