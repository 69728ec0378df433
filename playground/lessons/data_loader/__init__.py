"""The lesson "data_loader"."""
