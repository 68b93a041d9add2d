"""Models to choose from: the catalogue, what fits this machine, downloads, and models by address."""
