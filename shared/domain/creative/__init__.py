"""From a concept to finished ads: what is planned, cut and shown."""
