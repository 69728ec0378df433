"""What a browser loads: our modules and styles, a smaller plotly.js, and Streamlit's page, scripts and theme."""
