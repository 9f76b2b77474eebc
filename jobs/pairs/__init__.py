"""`job: pairs`: good photographs to pairs of degraded and good pictures."""
