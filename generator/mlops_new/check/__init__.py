"""Proves a catalog: every legal combination, by the real tools."""
