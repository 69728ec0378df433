"""The page "Save and restore"."""

from pages.ui import lab
from playground.lessons import checkpoints

lab.show(checkpoints.LESSON)
