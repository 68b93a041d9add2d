"""Rotary positions, and the way into the cache: one kernel for both, of both families of kernels.

TVM appends keys and values in a kernel of its own; recipe/wasm.py has the cache hand pages and slots to this one instead.
"""

import math

from tvm.script import tirx as T

PAGE_SIZE = 16


def rope_and_append(kv_heads, heads, head_dim, theta, key_at):
    """Split the fused projection, turn q and k by their positions, and put k and v into the cache.

    key_at(p, d): where in its page's block (PAGE_SIZE, head_dim) element d of position p's key lies, as (row, column).
    """
    fused = heads + 2 * kv_heads
    half = head_dim // 2
    step = math.log2(theta) / half

    @T.prim_func(s_tir=True)
    def kernel(
        var_qkv: T.handle,
        var_position: T.handle,
        var_q: T.handle,
        var_k: T.handle,
        var_v: T.handle,
        var_pages: T.handle,
        var_slot: T.handle,
    ):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        rows = T.int32()
        all_pages = T.int32()
        position_at = T.int32()
        slot_at = T.int32()
        qkv = T.match_buffer(var_qkv, (rows, fused, head_dim), "float32")
        position = T.match_buffer(var_position, (rows,), "int32", elem_offset=position_at)
        q = T.match_buffer(var_q, (rows, heads, head_dim), "float32")
        k = T.match_buffer(var_k, (rows, kv_heads, head_dim), "float32")
        v = T.match_buffer(var_v, (rows, kv_heads, head_dim), "float32")
        pages = T.match_buffer(var_pages, (all_pages, 2, kv_heads, PAGE_SIZE, head_dim), "float32")
        slot = T.match_buffer(var_slot, (rows,), "int32", elem_offset=slot_at)
        for row in T.thread_binding(rows, thread="blockIdx.y"):
            for head in T.thread_binding(fused, thread="blockIdx.x"):
                for tx in T.thread_binding(half, thread="threadIdx.x"):
                    with T.sblock("rope_and_append"):
                        T.reads()
                        T.writes()
                        turned = T.sblock_alloc_buffer((2,), "float32", scope="local")
                        angle = T.sblock_alloc_buffer((1,), "float32", scope="local")
                        page: T.let[T.int32] = slot[row] // PAGE_SIZE
                        p: T.let[T.int32] = slot[row] % PAGE_SIZE
                        turned[0] = qkv[row, head, tx]
                        turned[1] = qkv[row, head, tx + half]
                        if head < heads + kv_heads:
                            angle[0] = T.cast(position[row], "float32") * T.exp2(T.cast(tx, "float32") * T.float32(-step))
                            turned[0] = turned[0] * T.cos(angle[0]) - turned[1] * T.sin(angle[0])
                            turned[1] = turned[1] * T.cos(angle[0]) + qkv[row, head, tx] * T.sin(angle[0])
                        for i in T.unroll(2):
                            if head < heads:
                                q[row, head, i * half + tx] = turned[i]
                            else:
                                if head < heads + kv_heads:
                                    at = T.meta_var(key_at(p, i * half + tx))
                                    k[row, head - heads, i * half + tx] = turned[i]
                                    pages[page, 0, head - heads, at[0], at[1]] = turned[i]
                                else:
                                    v[row, head - heads - kv_heads, i * half + tx] = turned[i]
                                    pages[page, 1, head - heads - kv_heads, p, i * half + tx] = turned[i]

    return kernel
