"""Runs the delivery of a project on this machine, with no cloud."""
