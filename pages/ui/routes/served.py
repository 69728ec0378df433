"""All that this server serves beside Streamlit's pages, and what every request passes through."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from pages.ui.routes import base, first, live, origins, prose, readiness, returns, sessions, still
from pages.ui.routes.classroom import class_pages, readers, sockets
from pages.ui.routes.files import assets
from pages.ui.routes.files.page_script import PageScript
from pages.ui.routes.files.streamlit_files import StreamlitFiles
from pages.ui.routes.headers import SecurityHeaders
from playground.settings import Settings


def routes() -> list[BaseRoute]:
    """Every route of ours, under the app's path."""
    parts = (live, still, sessions, returns, assets, first, prose, sockets, class_pages, readers, readiness)
    return base.under_base(*(part.ROUTES for part in parts))


def middleware(settings: Settings) -> list[Middleware]:
    """What a request passes through on a server with these settings, from the first to the last."""
    return [
        origins.middleware(settings),
        Middleware(readiness.Draining),
        Middleware(sessions.LoadedAgain),
        Middleware(SecurityHeaders, embed=settings.embedding_sites),
        Middleware(StreamlitFiles),
        Middleware(PageScript),
    ]
