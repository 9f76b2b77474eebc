"""Tells people how a command ended, through Apprise."""
