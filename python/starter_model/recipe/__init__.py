"""How the model library is made. The modules that import TVM run in the recipe's own venv (see library/__main__.py)."""
