"""Rendering: a timeline and its files become an MP4, a preview and a thumbnail."""
