"""The product's library: everything the stages, the containers and the laptop have in common."""
