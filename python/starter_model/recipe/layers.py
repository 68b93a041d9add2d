"""The small kernels of a layer: norm, embedding rows, last row."""

from tvm.script import tirx as T

from starter_model.shape import GROUP

WORKGROUP = 64


def rms_norm(hidden, eps):
    """out = x / sqrt(mean(x^2) + eps) * w, one invocation a row."""

    @T.prim_func(s_tir=True)
    def kernel(var_x: T.handle, var_w: T.handle, var_out: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        rows = T.int32()
        x = T.match_buffer(var_x, (1, rows, hidden), "float32")
        w = T.match_buffer(var_w, (hidden,), "float32")
        out = T.match_buffer(var_out, (1, rows, hidden), "float32")
        for row in T.thread_binding(rows, thread="blockIdx.x"):
            for _ in T.thread_binding(1, thread="threadIdx.x"):
                with T.sblock("rms_norm"):
                    T.reads()
                    T.writes()
                    acc = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    acc[0] = T.float32(0)
                    for k in T.serial(hidden):
                        acc[0] = acc[0] + x[0, row, k] * x[0, row, k]
                    acc[0] = T.rsqrt(acc[0] * T.float32(1.0 / hidden) + T.float32(eps))
                    for k in T.serial(hidden):
                        out[0, row, k] = x[0, row, k] * acc[0] * w[k]

    return kernel


def embedding_rows(vocab, hidden):
    """Rows of the 8-bit table (starter_model.packing)."""

    def byte(word, k):
        value = T.bitwise_and(T.shift_right(word, T.cast(k % 4 * 8, "uint32")), T.uint32(255))
        return T.cast(value, "float32") - T.float32(128)

    @T.prim_func(s_tir=True)
    def kernel(var_ids: T.handle, var_w: T.handle, var_scale: T.handle, var_out: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        rows = T.int32()
        ids = T.match_buffer(var_ids, (rows,), "int32")
        w = T.match_buffer(var_w, (vocab, hidden // 4), "uint32")
        scale = T.match_buffer(var_scale, (vocab, hidden // GROUP), "float32")
        out = T.match_buffer(var_out, (rows, hidden), "float32")
        for row in T.thread_binding(rows, thread="blockIdx.y"):
            for bx in T.thread_binding(hidden // WORKGROUP, thread="blockIdx.x"):
                for tx in T.thread_binding(WORKGROUP, thread="threadIdx.x"):
                    with T.sblock("embedding"):
                        T.reads()
                        T.writes()
                        k: T.let[T.int32] = bx * WORKGROUP + tx
                        out[row, k] = byte(w[ids[row], k // 4], k) * scale[ids[row], k // GROUP]

    return kernel


def last_row(hidden):
    """The only row of a prefill whose logits are wanted."""

    @T.prim_func(s_tir=True)
    def kernel(var_x: T.handle, var_out: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        rows = T.int32()
        x = T.match_buffer(var_x, (1, rows, hidden), "float32")
        out = T.match_buffer(var_out, (1, 1, hidden), "float32")
        for bx in T.thread_binding(hidden // WORKGROUP, thread="blockIdx.x"):
            for tx in T.thread_binding(WORKGROUP, thread="threadIdx.x"):
                with T.sblock("last_row"):
                    T.reads()
                    T.writes()
                    out[0, 0, bx * WORKGROUP + tx] = x[0, rows - 1, bx * WORKGROUP + tx]

    return kernel
