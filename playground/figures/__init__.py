"""Figures: arrays in, Plotly figure dicts out; nothing is computed here but positions."""
