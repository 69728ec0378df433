"""All addresses that Starlette serves beside Streamlit's pages."""

from __future__ import annotations

from pages.ui.routes import assets, base, class_pages, classroom, first, live, prose, readers, sessions, still

ROUTES = base.under_base(
    *(part.ROUTES for part in (live, still, sessions, assets, first, prose, classroom, class_pages, readers))
)
