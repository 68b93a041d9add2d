"""Modules that the panel offers as a beginning of one's own. They run only in a sandbox, as everybody's do."""
