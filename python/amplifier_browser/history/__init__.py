"""Conversations on the disk: written as they happen, listed, searched, taken up again, exported and imported."""
