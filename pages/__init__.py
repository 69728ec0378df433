"""The app's pages: one thin file for each lesson, and what they share in `ui`."""
