"""Originals that a passcode gives back."""
