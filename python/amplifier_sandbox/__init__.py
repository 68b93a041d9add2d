"""What runs in a Pyodide Worker of its own, apart from the session: other people's code, and the little that serves it."""
