"""Which of many samples become pairs: copies, what belongs together, parts, order."""
