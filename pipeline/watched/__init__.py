"""Workers in processes of their own, watched: a record that crashes, never ends or eats all memory costs one row."""
