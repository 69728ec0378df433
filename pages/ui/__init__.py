"""What pages share; with the pages, the only code that imports Streamlit or Starlette."""
