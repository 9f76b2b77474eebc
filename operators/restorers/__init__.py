"""What improves a face crop: one contract, one module a restorer, one table of names."""
