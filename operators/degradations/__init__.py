"""What makes a good photograph a bad one: single degradations, and recipes of them as data."""
