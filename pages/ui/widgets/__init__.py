"""Widgets in the drawer: knobs, tables to type into, digits; and how what a browser sends of them is checked."""
