"""`matmul`'s products for a real GPU: workgroups that share their loads and sum their invocations' parts at a barrier.

The same layouts and options as in matmul.py. `norm`: x is root-mean-square normed on the way, with weights (cols,); its
factor is the same for all of a row, so that it is multiplied in once, with the sums.
"""

# ruff: noqa: F841 - a matched buffer is an argument's type; `and` would not keep the load behind the check of its index.
from tvm.script import tirx as T

from starter_model.recipe.matmul import HALF_TO_FLOAT, half_bits_high, half_bits_low, low_bits, meta_dtype, silu
from starter_model.shape import GROUP

LANES = 32  # invocations that share a row of weights
TEAMS = 4  # rows of weights a workgroup has in hand at once
THREADS = LANES * TEAMS
UNROLLED = 8  # words of a row that an invocation reads without a loop

TILE = 64  # rows of x, and rows of weights, that a workgroup multiplies
DEPTH = 16  # columns of them that it holds at once
SIDE = 16  # a workgroup is SIDE x SIDE invocations, each with TILE / SIDE rows and weight rows
STRIDE = TILE + 1  # of a column of the tile: off by one, so that neighbours lie in other banks


def vector_product(cols, outputs, bits, norm_eps=None, gated=False, residual=False, per_team=1):
    """A single row of x. LANES invocations share a weight row, word by word; per_team outputs are computed side by side.

    x and norm are read as vec4, which Relax refuses for float32 tensors: see compile.py's swap.
    """
    per_word = 32 // bits
    vectors = per_word // 4  # vec4s of x that belong to one word
    words = cols // per_word
    rounds = (words + LANES - 1) // LANES
    halves = 2 if gated else 1
    weights = per_team * halves
    normed = norm_eps is not None
    sums = weights + (1 if normed else 0)
    step = TEAMS * per_team
    norm_shape = (cols // 4,) if normed else (1, 1, cols // 4)
    factor = T.float32(1.0 / cols)
    eps = T.float32(norm_eps or 0.0)
    assert outputs % step == 0
    assert rounds <= UNROLLED or words % (LANES * UNROLLED) == 0

    def weight_row(first, j):
        return first + j // halves + j % halves * outputs

    @T.inline
    def accumulate(x, norm, w, meta, acc, total, product, word, values, first, at):
        total[0] = T.float32(0)
        for v in T.unroll(vectors):
            values[v] = x[0, 0, at * vectors + v]
            if normed:
                for p in T.unroll(4):
                    acc[weights] = acc[weights] + T.Shuffle([values[v]], [p]) * T.Shuffle([values[v]], [p])
                values[v] = values[v] * norm[at * vectors + v]
            for p in T.unroll(4):
                total[0] = total[0] + T.Shuffle([values[v]], [p])
        for j in T.unroll(weights):
            word[0] = w[weight_row(first, j), at]
            product[0] = T.float32(0)
            for p in T.unroll(per_word):
                product[0] = product[0] + T.Shuffle([values[p // 4]], [p % 4]) * low_bits(
                    T.shift_right(word[0], T.uint32(p * bits)), bits
                )
            if bits == 4:
                word[0] = meta[weight_row(first, j), at * per_word // GROUP]
                # Scaled first: a half's bits times a small sum would be less than GPUs take for zero.
                acc[j] = acc[j] + (
                    half_bits_low(word[0]) * T.float32(HALF_TO_FLOAT) * product[0]
                    + half_bits_high(word[0]) * T.float32(HALF_TO_FLOAT) * total[0]
                )
            else:
                acc[j] = acc[j] + meta[weight_row(first, j), at * per_word // GROUP] * (product[0] - T.float32(128) * total[0])

    def finished(total, r, column):
        if gated:
            return silu(total[0]) * total[1]
        return total[0] + r[0, 0, column] if residual else total[0]

    @T.prim_func(s_tir=True)
    def kernel(var_x: T.handle, var_norm: T.handle, var_w: T.handle, var_meta: T.handle, var_r: T.handle, var_out: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        x = T.match_buffer(var_x, (1, 1, cols // 4), "float32x4")
        norm = T.match_buffer(var_norm, norm_shape, "float32x4")
        w = T.match_buffer(var_w, (outputs * halves, words), "uint32")
        meta = T.match_buffer(var_meta, (outputs * halves, cols // GROUP), meta_dtype(bits))
        r = T.match_buffer(var_r, (1, 1, outputs if residual else cols), "float32")
        out = T.match_buffer(var_out, (1, 1, outputs), "float32")
        for bx in T.thread_binding(outputs // step, thread="blockIdx.x"):
            for tx in T.thread_binding(THREADS, thread="threadIdx.x"):
                with T.sblock("vector_product"):
                    T.reads()
                    T.writes()
                    parts = T.sblock_alloc_buffer((sums * THREADS,), "float32", scope="shared")
                    acc = T.sblock_alloc_buffer((sums,), "float32", scope="local")
                    total = T.sblock_alloc_buffer((2,), "float32", scope="local")
                    product = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    word = T.sblock_alloc_buffer((1,), "uint32", scope="local")
                    values = T.sblock_alloc_buffer((vectors,), "float32x4", scope="local")
                    first: T.let[T.int32] = bx * step + tx // LANES * per_team
                    for j in T.unroll(sums):
                        acc[j] = T.float32(0)
                    if rounds <= UNROLLED:
                        for i in T.unroll(rounds):
                            if i * LANES + tx % LANES < words:
                                accumulate(x, norm, w, meta, acc, total, product, word, values, first, i * LANES + tx % LANES)
                    else:
                        for i in T.serial(rounds // UNROLLED):
                            for u in T.unroll(UNROLLED):
                                accumulate(
                                    x,
                                    norm,
                                    w,
                                    meta,
                                    acc,
                                    total,
                                    product,
                                    word,
                                    values,
                                    first,
                                    (i * UNROLLED + u) * LANES + tx % LANES,
                                )
                    for j in T.unroll(sums):
                        parts[j * THREADS + tx] = acc[j]
                    T.tvm_storage_sync("shared")
                    if tx < step:
                        for j in T.unroll(halves):
                            total[j] = T.float32(0)
                            for lane in T.serial(LANES):
                                total[j] = (
                                    total[j] + parts[(tx % per_team * halves + j) * THREADS + tx // per_team * LANES + lane]
                                )
                        if normed:
                            product[0] = T.float32(0)
                            for lane in T.serial(LANES):
                                product[0] = product[0] + parts[weights * THREADS + tx // per_team * LANES + lane]
                            product[0] = T.rsqrt(product[0] * factor + eps)
                            for j in T.unroll(halves):
                                total[j] = total[j] * product[0]
                        out[0, 0, bx * step + tx] = finished(total, r, bx * step + tx)

    return kernel


def vector_product_for_relax(cols, outputs, bits, normed, gated, residual):
    """A kernel of vector_product's signature in types that Relax takes; it computes nothing."""
    weight_rows = outputs * (2 if gated else 1)

    @T.prim_func(s_tir=True)
    def kernel(var_x: T.handle, var_norm: T.handle, var_w: T.handle, var_meta: T.handle, var_r: T.handle, var_out: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True, "op_pattern": 8})
        x = T.match_buffer(var_x, (1, 1, cols), "float32")
        norm = T.match_buffer(var_norm, (cols,) if normed else (1, 1, cols), "float32")
        w = T.match_buffer(var_w, (weight_rows, cols * bits // 32), "uint32")
        meta = T.match_buffer(var_meta, (weight_rows, cols // GROUP), meta_dtype(bits))
        r = T.match_buffer(var_r, (1, 1, outputs if residual else cols), "float32")
        out = T.match_buffer(var_out, (1, 1, outputs), "float32")
        for bx in T.thread_binding(1, thread="blockIdx.x"):
            for tx in T.thread_binding(1, thread="threadIdx.x"):
                with T.sblock("stand_in"):
                    T.reads()
                    T.writes()
                    out[0, 0, bx + tx] = T.float32(0)

    return kernel


def matmul(cols, outputs, gated=False, residual=False):
    """Any number of rows, 4 bits: a workgroup multiplies TILE rows of x by TILE weight rows, DEPTH columns at a time."""
    halves = 2 if gated else 1
    tile_outputs = TILE // halves
    weight_rows = outputs * halves
    each = TILE // SIDE  # rows, and weight rows, of one invocation
    threads = SIDE * SIDE
    per_word = 8
    quarter = DEPTH // 4  # weights of a row that one invocation unpacks
    columns = outputs // tile_outputs
    assert outputs % tile_outputs == 0 and DEPTH == SIDE

    def weight_row(first, at):
        return first + at % tile_outputs + at // tile_outputs * outputs

    def finished(acc, i, j, r, row, column):
        total = acc[i * each + j]
        if gated:
            return silu(total) * acc[i * each + each // 2 + j]
        return total + r[0, row, column] if residual else total

    @T.prim_func(s_tir=True)
    def kernel(var_x: T.handle, var_w: T.handle, var_meta: T.handle, var_r: T.handle, var_out: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        rows = T.int32()
        x = T.match_buffer(var_x, (1, rows, cols), "float32")
        w = T.match_buffer(var_w, (weight_rows, cols // per_word), "uint32")
        meta = T.match_buffer(var_meta, (weight_rows, cols // GROUP), "uint32")
        r = T.match_buffer(var_r, (1, rows, outputs if residual else cols), "float32")
        out = T.match_buffer(var_out, (1, rows, outputs), "float32")
        for by in T.thread_binding((rows + TILE - 1) // TILE, thread="blockIdx.y"):
            for bx in T.thread_binding(columns, thread="blockIdx.x"):
                for tx in T.thread_binding(threads, thread="threadIdx.x"):
                    with T.sblock("matmul"):
                        T.reads()
                        T.writes()
                        xs = T.sblock_alloc_buffer((DEPTH * STRIDE,), "float32", scope="shared")
                        ws = T.sblock_alloc_buffer((DEPTH * STRIDE,), "float32", scope="shared")
                        acc = T.sblock_alloc_buffer((each * each,), "float32", scope="local")
                        a = T.sblock_alloc_buffer((each,), "float32", scope="local")
                        b = T.sblock_alloc_buffer((each,), "float32", scope="local")
                        word = T.sblock_alloc_buffer((2,), "uint32", scope="local")
                        for i in T.unroll(each * each):
                            acc[i] = T.float32(0)
                        for step in T.serial(cols // DEPTH):
                            for i in T.unroll(each):
                                xs[tx % DEPTH * STRIDE + i * SIDE + tx // DEPTH] = x[
                                    0, T.min(by * TILE + i * SIDE + tx // DEPTH, rows - 1), step * DEPTH + tx % DEPTH
                                ]
                            word[0] = w[
                                weight_row(bx * tile_outputs, tx // 4), step * (DEPTH // per_word) + tx % 4 * quarter // 8
                            ]
                            word[0] = T.shift_right(word[0], T.cast(tx % 4 * quarter % 8 * 4, "uint32"))
                            word[1] = meta[weight_row(bx * tile_outputs, tx // 4), step * DEPTH // GROUP]
                            for p in T.unroll(quarter):
                                ws[(tx % 4 * quarter + p) * STRIDE + tx // 4] = T.float32(HALF_TO_FLOAT) * (
                                    half_bits_low(word[1]) * low_bits(T.shift_right(word[0], T.uint32(p * 4)), 4)
                                    + half_bits_high(word[1])
                                )
                            T.tvm_storage_sync("shared")
                            for k in T.serial(DEPTH):
                                for i in T.unroll(each):
                                    a[i] = xs[k * STRIDE + i * SIDE + tx // SIDE]
                                    b[i] = ws[k * STRIDE + i * SIDE + tx % SIDE]
                                for i in T.unroll(each):
                                    for j in T.unroll(each):
                                        acc[i * each + j] = acc[i * each + j] + a[i] * b[j]
                            T.tvm_storage_sync("shared")
                        for i in T.unroll(each):
                            if by * TILE + i * SIDE + tx // SIDE < rows:
                                for j in T.unroll(each // halves):
                                    row = T.meta_var(by * TILE + i * SIDE + tx // SIDE)
                                    column = T.meta_var(bx * tile_outputs + j * SIDE + tx % SIDE)
                                    out[0, row, column] = finished(acc, i, j, r, row, column)

    return kernel


def rms_norm(hidden, eps):
    """out = x / sqrt(mean(x^2) + eps) * w, one workgroup a row."""
    threads = 64
    each = (hidden + threads - 1) // threads

    @T.prim_func(s_tir=True)
    def kernel(var_x: T.handle, var_w: T.handle, var_out: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        rows = T.int32()
        x = T.match_buffer(var_x, (1, rows, hidden), "float32")
        w = T.match_buffer(var_w, (hidden,), "float32")
        out = T.match_buffer(var_out, (1, rows, hidden), "float32")
        for row in T.thread_binding(rows, thread="blockIdx.x"):
            for tx in T.thread_binding(threads, thread="threadIdx.x"):
                with T.sblock("rms_norm"):
                    T.reads()
                    T.writes()
                    parts = T.sblock_alloc_buffer((threads,), "float32", scope="shared")
                    acc = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    acc[0] = T.float32(0)
                    for i in T.serial(each):
                        if i * threads + tx < hidden:
                            acc[0] = acc[0] + x[0, row, i * threads + tx] * x[0, row, i * threads + tx]
                    parts[tx] = acc[0]
                    T.tvm_storage_sync("shared")
                    acc[0] = T.float32(0)
                    for i in T.serial(threads):
                        acc[0] = acc[0] + parts[i]
                    acc[0] = T.rsqrt(acc[0] * T.float32(1.0 / hidden) + T.float32(eps))
                    for i in T.serial(each):
                        if i * threads + tx < hidden:
                            out[0, row, i * threads + tx] = x[0, row, i * threads + tx] * acc[0] * w[i * threads + tx]

    return kernel
