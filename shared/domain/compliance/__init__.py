"""Compliance: whether a video may run as an ad where it is to run, measured on the file itself."""
