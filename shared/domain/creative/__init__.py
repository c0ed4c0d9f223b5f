"""From a concept to edit lists: what the variations say, and how footage is cut for them."""
