"""The page "Tensors"."""

from functools import partial

from pages.ui import array_table, lab
from playground.lessons import tensors

TABLE = {"tensors_operations": partial(array_table.below, "tensors_operations")}

lab.show(tensors.LESSON, extras=TABLE)
