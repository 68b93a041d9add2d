"""Products of float32 activations with packed weights (layout: starter_model.packing).

An invocation computes whole outputs and never waits at a workgroup barrier, and its loads are few: on a CPU rasterizer
such as SwiftShader barriers and storage loads (4-lane gathers) are what costs. On every kernel here:

- x (1, rows, cols) times w (outputs, cols) transposed gives out (1, rows, outputs);
- `gated`: w has 2 * outputs rows, gate rows first, and out = silu(gate) * up;
- `residual`: r (1, rows, outputs) is added. Without it r is read by nobody and x is passed for it.
"""

from tvm.script import tirx as T

from starter_model.shape import GROUP

WORKGROUP = 8
HALF_TO_FLOAT = float(2.0**112)  # undoes the exponent bias (127 - 15) of a half's bits moved into a float32's


def half_bits_low(word):
    """The half float in a word's low 16 bits, as float32 / HALF_TO_FLOAT (WGSL's f16 is not there on SwiftShader)."""
    sign = T.shift_left(T.bitwise_and(word, T.uint32(0x8000)), T.uint32(16))
    rest = T.shift_left(T.bitwise_and(word, T.uint32(0x7FFF)), T.uint32(13))
    return T.reinterpret("float32", T.bitwise_or(sign, rest))


def half_bits_high(word):
    """The half float in a word's high 16 bits, as float32 / HALF_TO_FLOAT."""
    sign = T.bitwise_and(word, T.uint32(0x80000000))
    rest = T.shift_right(T.bitwise_and(word, T.uint32(0x7FFF0000)), T.uint32(3))
    return T.reinterpret("float32", T.bitwise_or(sign, rest))


def low_bits(word, bits):
    """The word's lowest value as float32; by way of int32, since uint32 to float is slow on SwiftShader."""
    return T.cast(T.cast(T.bitwise_and(word, T.uint32((1 << bits) - 1)), "int32"), "float32")


def silu(value):
    """x * sigmoid(x)."""
    return value / (T.float32(1) + T.exp(T.float32(0) - value))


def meta_dtype(bits):
    """See starter_model.packing."""
    return "uint32" if bits == 4 else "float32"


def matmul(cols, outputs, bits, tile_rows, tile_outputs, gated=False, residual=False):
    """Any number of rows. One invocation computes tile_rows rows times tile_outputs outputs.

    So an x value is used tile_outputs times and an unpacked weight tile_rows times a load.
    """
    per_word = 32 // bits
    words = GROUP // per_word
    groups = cols // GROUP
    tile_weights = tile_outputs * (2 if gated else 1)
    weight_rows = outputs * (2 if gated else 1)
    assert outputs % (tile_outputs * WORKGROUP) == 0

    def weight_row(first, j):
        return first + j % tile_outputs + j // tile_outputs * outputs

    def last_row_or(row, rows):
        return 0 if tile_rows == 1 else T.min(row, rows - 1)

    def finished(acc, i, j, r, row, column):
        total = acc[i * tile_weights + j]
        if gated:
            return silu(total) * acc[i * tile_weights + tile_outputs + j]
        return total + r[0, row, column] if residual else total

    @T.prim_func(s_tir=True)
    def kernel(var_x: T.handle, var_w: T.handle, var_meta: T.handle, var_r: T.handle, var_out: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        rows = T.int32()
        x = T.match_buffer(var_x, (1, rows, cols), "float32")
        w = T.match_buffer(var_w, (weight_rows, groups * words), "uint32")
        meta = T.match_buffer(var_meta, (weight_rows, groups), meta_dtype(bits))
        r = T.match_buffer(var_r, (1, rows, outputs if residual else cols), "float32")
        out = T.match_buffer(var_out, (1, rows, outputs), "float32")
        for by in T.thread_binding((rows + tile_rows - 1) // tile_rows, thread="blockIdx.y"):
            for bx in T.thread_binding(outputs // (tile_outputs * WORKGROUP), thread="blockIdx.x"):
                for tx in T.thread_binding(WORKGROUP, thread="threadIdx.x"):
                    with T.sblock("matmul"):
                        T.reads()
                        T.writes()
                        acc = T.sblock_alloc_buffer((tile_rows * tile_weights,), "float32", scope="local")
                        scale = T.sblock_alloc_buffer((tile_weights,), "float32", scope="local")
                        low = T.sblock_alloc_buffer((tile_weights,), "float32", scope="local")
                        weight = T.sblock_alloc_buffer((tile_weights,), "float32", scope="local")
                        word = T.sblock_alloc_buffer((tile_weights,), "uint32", scope="local")
                        value = T.sblock_alloc_buffer((1,), "float32", scope="local")
                        first: T.let[T.int32] = (bx * WORKGROUP + tx) * tile_outputs
                        for i in T.unroll(tile_rows * tile_weights):
                            acc[i] = T.float32(0)
                        for g in T.serial(groups):
                            for j in T.unroll(tile_weights):
                                if bits == 4:
                                    word[j] = meta[weight_row(first, j), g]
                                    scale[j] = half_bits_low(word[j]) * T.float32(HALF_TO_FLOAT)
                                    low[j] = half_bits_high(word[j]) * T.float32(HALF_TO_FLOAT)
                                else:
                                    scale[j] = meta[weight_row(first, j), g]
                                    low[j] = scale[j] * T.float32(-128)
                            for index in T.serial(words):
                                for j in T.unroll(tile_weights):
                                    word[j] = w[weight_row(first, j), g * words + index]
                                for p in T.serial(per_word):
                                    for j in T.unroll(tile_weights):
                                        weight[j] = low_bits(word[j], bits) * scale[j] + low[j]
                                        word[j] = T.shift_right(word[j], T.uint32(bits))
                                    for i in T.unroll(tile_rows):
                                        row = T.meta_var(last_row_or(by * tile_rows + i, rows))
                                        value[0] = x[0, row, g * GROUP + index * per_word + p]
                                        for j in T.unroll(tile_weights):
                                            at = T.meta_var(i * tile_weights + j)
                                            acc[at] = acc[at] + value[0] * weight[j]
                        for i in T.unroll(tile_rows):
                            if by * tile_rows + i < rows:
                                for j in T.unroll(tile_outputs):
                                    row = T.meta_var(by * tile_rows + i)
                                    out[0, row, first + j] = finished(acc, i, j, r, row, first + j)

    return kernel


def vector_product(cols, outputs, bits, tile_outputs, gated=False, residual=False):
    """`matmul` for a single row of x, with x and w read as vec4.

    The scale and the low value of a group are applied once to sums over the group: with x's sum S and the sum P of
    x * q, the group contributes scale * P + low * S (4 bits) or scale * (P - 128 * S) (8 bits).

    Its parameter types (float32x4 for a float32 tensor) are refused by Relax, so compile.py puts it in the place of
    `matmul` after CallTIRRewrite, with tirx.disable_assert set.
    """
    per_word = 32 // bits
    vectors = GROUP // per_word // 4  # vec4 loads of w a group
    groups = cols // GROUP
    tile_weights = tile_outputs * (2 if gated else 1)
    weight_rows = outputs * (2 if gated else 1)
    assert outputs % (tile_outputs * WORKGROUP) == 0

    def weight_row(first, j):
        return first + j % tile_outputs + j // tile_outputs * outputs

    def quantized(q, j, k):
        """Value k of the group, out of the vec4s of weight row j."""
        vector = q[j * vectors + k // per_word // 4]
        word = T.Shuffle([vector], [k // per_word % 4])
        return low_bits(T.shift_right(word, T.uint32(k % per_word * bits)), bits)

    def group_total(meta, row, g, word, product, total):
        if bits == 4:
            return T.float32(HALF_TO_FLOAT) * (half_bits_low(word) * product + half_bits_high(word) * total)
        return meta[row, g] * (product - T.float32(128) * total)

    def finished(acc, j, r, column):
        if gated:
            return silu(acc[j]) * acc[tile_outputs + j]
        return acc[j] + r[0, 0, column] if residual else acc[j]

    @T.prim_func(s_tir=True)
    def kernel(var_x: T.handle, var_w: T.handle, var_meta: T.handle, var_r: T.handle, var_out: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        x = T.match_buffer(var_x, (1, 1, cols // 4), "float32x4")
        w = T.match_buffer(var_w, (weight_rows, groups * vectors), "uint32x4")
        meta = T.match_buffer(var_meta, (weight_rows, groups), meta_dtype(bits))
        r = T.match_buffer(var_r, (1, 1, outputs if residual else cols), "float32")
        out = T.match_buffer(var_out, (1, 1, outputs), "float32")
        for bx in T.thread_binding(outputs // (tile_outputs * WORKGROUP), thread="blockIdx.x"):
            for tx in T.thread_binding(WORKGROUP, thread="threadIdx.x"):
                with T.sblock("matmul"):
                    T.reads()
                    T.writes()
                    acc = T.sblock_alloc_buffer((tile_weights,), "float32", scope="local")
                    product = T.sblock_alloc_buffer((tile_weights,), "float32", scope="local")
                    total = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    word = T.sblock_alloc_buffer((1,), "uint32", scope="local")
                    q = T.sblock_alloc_buffer((tile_weights * vectors,), "uint32x4", scope="local")
                    values = T.sblock_alloc_buffer((1,), "float32x4", scope="local")
                    first: T.let[T.int32] = (bx * WORKGROUP + tx) * tile_outputs
                    for i in T.unroll(tile_weights):
                        acc[i] = T.float32(0)
                    for g in T.serial(groups):
                        for j in T.unroll(tile_weights):
                            for v in T.unroll(vectors):
                                q[j * vectors + v] = w[weight_row(first, j), g * vectors + v]
                            product[j] = T.float32(0)
                        total[0] = T.float32(0)
                        for h in T.unroll(GROUP // 4):
                            values[0] = x[0, 0, g * (GROUP // 4) + h]
                            for p in T.unroll(4):
                                total[0] = total[0] + T.Shuffle([values[0]], [p])
                                for j in T.unroll(tile_weights):
                                    product[j] = product[j] + T.Shuffle([values[0]], [p]) * quantized(q, j, h * 4 + p)
                        for j in T.unroll(tile_weights):
                            row = T.meta_var(weight_row(first, j))
                            if bits == 4:
                                word[0] = meta[row, g]
                            acc[j] = acc[j] + group_total(meta, row, g, word[0], product[j], total[0])
                    for j in T.unroll(tile_outputs):
                        out[0, 0, first + j] = finished(acc, j, r, first + j)

    return kernel
