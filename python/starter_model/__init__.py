"""The starter model: weights conversion and the WebLLM model library's recipe. Build time only, never shipped."""
