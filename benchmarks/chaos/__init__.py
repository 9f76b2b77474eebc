"""A run whose processes are killed and whose storage fails, compared with an undisturbed one."""
