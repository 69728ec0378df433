"""Everything that Starlette serves beside Streamlit's pages: streams, files, headers."""
