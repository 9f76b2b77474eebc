"""Measures of quality of faces and images, without and with a reference."""
