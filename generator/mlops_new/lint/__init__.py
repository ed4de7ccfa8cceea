"""Validators of what a project holds: recognises each artefact in a folder and runs the real tool for it."""
