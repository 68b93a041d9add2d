"""A model of Llama 3.2 1B's shape with random weights, for both runtimes: `wide.py LISTING STARTER OUT`.

LISTING is the params.json that compiling the shape gave, STARTER the starter model's folder. Needs numpy and gguf. A file of
750 MB is nothing to keep or to send, so that it is made where it is used.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from starter_model.chat_config import chat_config
from starter_model.gguf_recipe import write_gguf_of_zeros, write_recipe
from starter_model.shape import MEASURED_SHAPES
from starter_model.tensor_cache import write_cache
from starter_model.tiny_weights import random_params


def make(listing: Path, starter: Path, out: Path) -> None:
    """Write the model's folder."""
    shape = MEASURED_SHAPES["wide"]
    out.mkdir(parents=True, exist_ok=True)
    write_cache(out, random_params(json.loads(listing.read_text(encoding="utf-8"))))
    shutil.copyfile(starter / "tokenizer.json", out / "tokenizer.json")
    (out / "mlc-chat-config.json").write_text(json.dumps(chat_config(shape)), encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=out) as name:
        vocabulary, zeros = Path(name) / "vocabulary.gguf", Path(name) / "zeros.gguf"
        shutil.copyfile(starter / "gguf-header.bin", vocabulary)
        with vocabulary.open("r+b") as file:
            file.truncate(json.loads((starter / "gguf.json").read_text(encoding="utf-8"))["bytes"])
        write_gguf_of_zeros(vocabulary, zeros, shape)
        write_recipe(zeros, out)


if __name__ == "__main__":
    make(*map(Path, sys.argv[1:4]))
