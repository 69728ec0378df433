"""The page "Tensors"."""

from functools import partial

from pages.ui import array_table
from pages.ui import lab_page as lab
from playground.lessons.tensors import lesson as tensors

TABLE = {"tensors_operations": partial(array_table.below, "tensors_operations")}

lab.show(tensors.LESSON, extras=TABLE)
