"""Inversion: codes of a generator whose picture, degraded as the photograph was, is the photograph."""
