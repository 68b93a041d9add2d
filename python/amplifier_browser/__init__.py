"""The session behind the side panel: what to ask, what to keep, what to show. Runs in Pyodide and in CPython."""
