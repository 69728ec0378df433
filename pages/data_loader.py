"""The page "Data loader"."""

from pages.ui import lab
from playground.lessons import data_loader

lab.show(data_loader.LESSON)
