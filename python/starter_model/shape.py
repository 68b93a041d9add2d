"""The dimensions of the two models whose libraries are built here. Standard library only: all other modules read it."""

from __future__ import annotations

from dataclasses import dataclass

GROUP = 32
"""Weights along a row that share one scale, in GGUF's Q4_1 and Q8_0 and so in the library's kernels."""


@dataclass(frozen=True)
class ModelShape:
    """A Llama-architecture decoder. Sizes in elements, context and prefill_chunk in tokens."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocab: int = 49152
    rope_theta: float = 100000.0
    norm_eps: float = 1e-5
    context: int = 2048
    prefill_chunk: int = 512

    @property
    def qkv_rows(self) -> int:
        """Rows of the fused query, key and value projection."""
        return (self.heads + 2 * self.kv_heads) * self.head_dim


SHAPES = {
    "starter": ModelShape(layers=30, hidden=576, heads=9, kv_heads=3, head_dim=64, ffn=1536),
    "tiny": ModelShape(layers=2, hidden=64, heads=1, kv_heads=1, head_dim=64, ffn=128),
}
"""Model id -> shape. "starter" is SmolLM2-135M-Instruct; "tiny" has random weights and is for tests."""

MEASURED_SHAPES = {
    "wide": ModelShape(layers=16, hidden=2048, heads=32, kv_heads=8, head_dim=64, ffn=8192, rope_theta=500000.0),
}
"""Shapes that only benchmarks compile. "wide" is Llama 3.2 1B's, with the starter's vocabulary."""
