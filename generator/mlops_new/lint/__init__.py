"""Validates the files of any folder by the real tool for each kind, and by checks of its own where there is none."""
