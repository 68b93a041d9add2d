"""How often the passage that answers a question is found, on questions that others wrote."""
