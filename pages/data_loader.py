"""The page "Data loader"."""

from pages.ui import lab_page
from playground.lessons.data_loader.lesson import LESSON

lab_page.show(LESSON)
