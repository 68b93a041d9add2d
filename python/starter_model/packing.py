"""The library's packed weight layout: GGUF's Q4_1 and Q8_0 blocks repacked bit for bit, and read back.

A packed matrix of R rows and C columns is two arrays:

- words (R, C * bits / 32) uint32: values in order along the row, lowest bits first;
- meta (R, C / 32): for 4 bits a uint32 of half scale | half min << 16, for 8 bits a float32 scale.

A 4-bit value is `scale * q + min`, an 8-bit one `scale * (q - 128)`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from starter_model.shape import GROUP

Words = npt.NDArray[np.uint32]
Meta = npt.NDArray[np.uint32] | npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

Q4_1_BYTES = 20  # half scale, half min, 16 bytes of nibbles
Q8_0_BYTES = 34  # half scale, 32 int8 values


def pack_q4_1(blocks: Bytes, rows: int, cols: int) -> tuple[Words, npt.NDArray[np.uint32]]:
    """Words and meta of a Q4_1 matrix. In a GGUF block the low nibbles are values 0..15, the high nibbles 16..31."""
    block = blocks.reshape(rows, cols // GROUP, Q4_1_BYTES)
    meta = np.ascontiguousarray(block[..., :4]).view("<u4").reshape(rows, cols // GROUP)
    nibbles = block[..., 4:]
    values = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.uint32).reshape(rows, cols // 8, 8)
    shifts = 4 * np.arange(8, dtype=np.uint32)
    return (values << shifts).sum(axis=-1, dtype=np.uint32), meta


def pack_q8_0(blocks: Bytes, rows: int, cols: int) -> tuple[Words, Floats]:
    """Words and meta of a Q8_0 matrix; int8 becomes value + 128, so that a kernel unpacks without sign extension."""
    block = blocks.reshape(rows, cols // GROUP, Q8_0_BYTES)
    scale = np.ascontiguousarray(block[..., :2]).view("<f2").astype(np.float32).reshape(rows, cols // GROUP)
    biased = (np.ascontiguousarray(block[..., 2:]) ^ 0x80).reshape(rows, cols)
    return biased.view("<u4"), scale


def _values(words: Words, bits: int) -> Floats:
    per_word = 32 // bits
    shifts = bits * np.arange(per_word, dtype=np.uint32)
    values = (words[..., None] >> shifts) & np.uint32((1 << bits) - 1)
    return values.reshape(words.shape[0], -1, GROUP).astype(np.float32)


def unpack(words: Words, meta: Meta) -> Floats:
    """The matrix (R, C) float32 that a packed one stands for; meta's dtype tells 4 bits from 8."""
    if meta.dtype == np.uint32:
        halves = meta.astype("<u4").view("<f2").astype(np.float32).reshape(*meta.shape, 2)
        scale, low = halves[..., 0], halves[..., 1]
        matrix = _values(words, 4) * scale[..., None] + low[..., None]
    else:
        matrix = (_values(words, 8) - np.float32(128)) * meta[..., None]
    return matrix.reshape(words.shape[0], -1)
