"""The lesson Save and restore: its labs, its figures and its prose."""
