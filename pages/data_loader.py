"""The page "Data loader"."""

from pages.ui import lab_page as lab
from playground.lessons.data_loader import lesson as data_loader

lab.show(data_loader.LESSON)
