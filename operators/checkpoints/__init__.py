"""Reading checkpoint files that may come from anywhere: nothing in them is ever executed."""
