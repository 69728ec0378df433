"""What the first visitor would wait for alone, done when the server starts: pages and Streamlit import much late."""

import inspect

import pandas  # noqa: F401  (half a second: Streamlit asks whether a component's data is a table)
import PIL.Image

from pages.ui import home_parts, lab_page, link, training_page  # noqa: F401  (and all that they import)
from pages.ui.classroom import in_class  # noqa: F401
from pages.ui.popovers import data_picture, data_points  # noqa: F401

PIL.Image.preinit()  # the formats in which a page's icon may be
inspect.stack()  # Streamlit looks once who has called it; Python then finds out where every module lies
