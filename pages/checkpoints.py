"""The page "Save and restore"."""

from pages.ui import lab_page as lab
from playground.lessons.checkpoints import lesson as checkpoints

lab.show(checkpoints.LESSON)
