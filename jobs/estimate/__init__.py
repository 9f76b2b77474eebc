"""What a run will come to, told from a sample of its records; and, afterwards, how right that was."""
