"""Layers that several architectures share, with the parameter names of the published checkpoints."""
