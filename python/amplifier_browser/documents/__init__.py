"""The user's documents: cut into chunks, found again by question, and quoted with their sources."""
