"""llama.cpp's own server (PyPI: xllamacpp) as a process: python llama_process.py MODEL.gguf CONTEXT PORT [KEY]. Port 0: any
that is free. Prints its address once it serves; ends when it is killed."""

from __future__ import annotations

import sys
import threading

import xllamacpp


def main() -> None:
    """Serves until it is killed."""
    gguf, context, port, *keys = sys.argv[1:]
    params = xllamacpp.CommonParams()
    params.model.path = gguf
    params.model_alias = {"starter"}
    params.port = int(port)
    params.n_ctx = int(context)
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # two that share a busy core are far slower

    params.n_batch = params.n_ubatch = 16
    params.warmup = False
    params.api_keys = keys
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
