"""Training of face completion: Chen, Nie, Wu, Healey, arXiv 1801.07632 (2018), grown as Karras et al. (2018)."""
