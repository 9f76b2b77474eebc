"""The restorer `completion`: parts of a face that are missing or hidden are made anew, with attributes to choose."""
