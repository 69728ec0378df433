"""PyTorch Playground: the ASGI app. Start it with `streamlit run app.py`, or with `uvicorn app:app`."""

import asyncio
import gc
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # pages are scripts that Streamlit runs; they import from here

from playground.settings import Settings, unknown_variables  # noqa: E402

logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
logging.getLogger("playground").setLevel(logging.INFO)
try:
    SETTINGS = Settings.from_environment()  # first, so that a wrong value ends the start at once
except ValueError as error:
    sys.exit(str(error))
for sentence in unknown_variables(os.environ):
    logging.getLogger(__name__).warning(sentence)

from pages.ui import session  # noqa: E402

POOL = session.pool()  # before all that takes long: its workers start while this process imports the rest

from pages.ui import early_imports, housekeeping  # noqa: E402, F401  (no visitor waits for the first)
from pages.ui.routes import first, readiness, served  # noqa: E402
from pages.ui.routes.files import assets, theme  # noqa: E402
from pages.ui.widgets import widget_values  # noqa: E402  (no visitor waits for the first)
from playground import lessons  # noqa: E402, F401  (imported now, so that no visitor waits for it)

widget_values.check_all()
theme.find_once()
GC_THRESHOLDS = (10_000, 20, 20)  # Python's own make it look through sixty students' pages once a second
CALM_SECONDS = 5.0  # a busy machine answers before it is calm


def prepare() -> None:
    """Do before the server answers what its first visitor would wait for: files, a worker that has drawn, and calm."""
    assets.prepare()
    first.draw_one()
    POOL.wait_until_calm(CALM_SECONDS)


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Look after what visitors leave behind while the server runs, and stop the workers with it."""
    gc.collect()
    gc.freeze()  # the libraries' objects are here to stay: no later collection has to look at them
    gc.set_threshold(*GC_THRESHOLDS)
    house = asyncio.create_task(housekeeping.keep_house())
    gone = threading.Event()
    await asyncio.to_thread(prepare)
    threading.Thread(target=first.draw_defaults, args=(gone,), name="first pictures", daemon=True).start()
    readiness.DRAIN.at_sigterm(SETTINGS.drain_seconds)
    yield {}
    gone.set()
    house.cancel()
    POOL.stop()


app = st.App(
    ROOT / "pages" / "navigation.py",
    routes=served.routes(),
    middleware=served.middleware(SETTINGS),
    lifespan=lifespan,
)
