"""The page "Save and restore"."""

from pages.ui import lab_page
from playground.lessons.checkpoints.lesson import LESSON

lab_page.show(LESSON)
