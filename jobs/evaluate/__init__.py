"""`facejobs evaluate`: what restorers come to on pictures whose truth is known, or on a set without one."""
