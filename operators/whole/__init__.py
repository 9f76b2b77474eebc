"""Whole pictures through a network, window by window: tiles with exact seams, for networks of any scale."""
