"""How a command that drives a job ended, on one page: for people, for mail, and for programs."""
