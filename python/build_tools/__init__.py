"""What build.py does, step by step. Standard library only, except for `drive`, which runs in the project's environment."""
