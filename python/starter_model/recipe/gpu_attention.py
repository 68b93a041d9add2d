"""Attention for a real GPU: a workgroup owns a head (decode) or some rows of one (prefill), and its invocations share keys.

As in attention.py: TVM's paged KV cache, one sequence, no sliding window, log-sum-exp in base 2. The cache's layout within
a page is its kernels' own affair: here a page's keys lie as vec4s, those of the same dimensions of all positions side by
side, so that invocations that each score one position read neighbouring words.
"""

# ruff: noqa: B023, F841 - TVM reads the kernels' source: a thread is no loop, and a matched buffer is an argument's type.
from tvm.script import tirx as T

from starter_model.recipe.attention import LOG2_E, LOWEST, PAGE_SIZE, TINY, cached_tokens, up_to_row

THREADS = 256
ROWS = 16  # of queries that a workgroup of a prefill answers
PER_ROW = THREADS // ROWS
HELD = 2048  # floats of keys or values that a workgroup of a prefill holds at once


def key_at(p, d, head_dim):
    """Where in its page's block (PAGE_SIZE, head_dim) element d of the key of position p lies, as (row, column)."""
    at = d // 4 * (PAGE_SIZE * 4) + p * 4 + d % 4
    return at // head_dim, at % head_dim


def decode(kv_heads, heads, head_dim):
    """One query a sequence against all of its cached keys and values, THREADS positions at a time.

    First each invocation scores one position; then it weighs, for four dimensions, the values of its slice of the
    positions, with a softmax of the slice's own. The slices are merged at the end.
    """
    group = heads // kv_heads
    quads = head_dim // 4
    slices = THREADS // quads
    length = THREADS // slices  # positions of a slice

    @T.prim_func(s_tir=True)
    def kernel(
        var_q: T.handle,
        var_pages: T.handle,
        var_page_indptr: T.handle,
        var_page_values: T.handle,
        var_last_page_length: T.handle,
        var_k_offset: T.handle,
        var_q_position: T.handle,
        var_out: T.handle,
        var_lse: T.handle,
        rotary_mode: T.int32,
        rope_scale: T.float32,
        rope_theta: T.float32,
        sm_scale: T.float32,
    ):
        T.func_attr({"tirx.is_scheduled": True})
        sequences = T.int32()
        used_pages = T.int32()
        all_pages = T.int32()
        page_indptr_at = T.int32()
        page_values_at = T.int32()
        last_page_length_at = T.int32()
        k_offset_at = T.int32()
        q_position_at = T.int32()
        q = T.match_buffer(var_q, (sequences, heads, quads), "float32x4")
        pages = T.match_buffer(var_pages, (all_pages, 2, kv_heads, PAGE_SIZE * quads), "float32x4")
        page_indptr = T.match_buffer(var_page_indptr, (sequences + 1,), "int32", elem_offset=page_indptr_at)
        page_values = T.match_buffer(var_page_values, (used_pages,), "int32", elem_offset=page_values_at)
        last_page_length = T.match_buffer(var_last_page_length, (sequences,), "int32", elem_offset=last_page_length_at)
        k_offset = T.match_buffer(var_k_offset, (sequences,), "int32", elem_offset=k_offset_at)
        q_position = T.match_buffer(var_q_position, (sequences,), "int32", elem_offset=q_position_at)
        out = T.match_buffer(var_out, (sequences, heads, head_dim), "float32")
        lse = T.match_buffer(var_lse, (sequences, heads), "float32")
        for sequence in T.thread_binding(sequences, thread="blockIdx.y"):
            for head in T.thread_binding(heads, thread="blockIdx.x"):
                for tx in T.thread_binding(THREADS, thread="threadIdx.x"):
                    with T.sblock("decode"):
                        T.reads()
                        T.writes()
                        scores = T.sblock_alloc_buffer((THREADS,), "float32", scope="shared")
                        sums = T.sblock_alloc_buffer((slices * head_dim,), "float32", scope="shared")
                        marks = T.sblock_alloc_buffer((2 * slices,), "float32", scope="shared")
                        acc = T.sblock_alloc_buffer((1,), "float32x4", scope="local")
                        product = T.sblock_alloc_buffer((1,), "float32x4", scope="local")
                        highest = T.sblock_alloc_buffer((1,), "float32", scope="local")
                        mass = T.sblock_alloc_buffer((1,), "float32", scope="local")
                        weight = T.sblock_alloc_buffer((1,), "float32", scope="local")
                        keys: T.let[T.int32] = cached_tokens(page_indptr, last_page_length, sequence)
                        acc[0] = T.Broadcast(T.float32(0), 4)
                        highest[0] = T.float32(LOWEST)
                        mass[0] = T.float32(0)
                        for block in T.serial((keys + THREADS - 1) // THREADS):
                            # Those past the end score the last one anew, and it comes to nothing.
                            own: T.let[T.int32] = T.min(block * THREADS + tx, keys - 1)
                            page: T.let[T.int32] = page_values[page_indptr[sequence] + own // PAGE_SIZE]
                            product[0] = T.Broadcast(T.float32(0), 4)
                            for i in T.unroll(quads):
                                product[0] = (
                                    product[0]
                                    + q[sequence, head, i] * pages[page, 0, head // group, i * PAGE_SIZE + own % PAGE_SIZE]
                                )
                            scores[tx] = T.if_then_else(
                                block * THREADS + tx < keys,
                                (
                                    T.Shuffle([product[0]], [0])
                                    + T.Shuffle([product[0]], [1])
                                    + T.Shuffle([product[0]], [2])
                                    + T.Shuffle([product[0]], [3])
                                )
                                * (sm_scale * T.float32(LOG2_E)),
                                T.float32(2 * LOWEST),
                            )
                            T.tvm_storage_sync("shared")
                            weight[0] = highest[0]
                            for i in T.unroll(length):
                                highest[0] = T.max(highest[0], scores[tx // quads * length + i])
                            weight[0] = T.exp2(weight[0] - highest[0])
                            mass[0] = mass[0] * weight[0]
                            acc[0] = acc[0] * T.Broadcast(weight[0], 4)
                            for i in T.unroll(length):
                                at = T.meta_var(T.min(block * THREADS + tx // quads * length + i, keys - 1))
                                weight[0] = T.exp2(scores[tx // quads * length + i] - highest[0])
                                mass[0] = mass[0] + weight[0]
                                acc[0] = (
                                    acc[0]
                                    + T.Broadcast(weight[0], 4)
                                    * pages[
                                        page_values[page_indptr[sequence] + at // PAGE_SIZE],
                                        1,
                                        head // group,
                                        at % PAGE_SIZE * quads + tx % quads,
                                    ]
                                )
                            T.tvm_storage_sync("shared")
                        for i in T.unroll(4):
                            sums[tx // quads * head_dim + tx % quads * 4 + i] = T.Shuffle([acc[0]], [i])
                        if tx % quads == 0:
                            marks[tx // quads] = highest[0]
                            marks[slices + tx // quads] = mass[0]
                        T.tvm_storage_sync("shared")
                        if tx < head_dim:
                            highest[0] = T.float32(LOWEST)
                            mass[0] = T.float32(0)
                            weight[0] = T.float32(0)
                            for i in T.serial(slices):
                                highest[0] = T.max(highest[0], marks[i])
                            for i in T.serial(slices):
                                mass[0] = mass[0] + marks[slices + i] * T.exp2(marks[i] - highest[0])
                                weight[0] = weight[0] + sums[i * head_dim + tx] * T.exp2(marks[i] - highest[0])
                            mass[0] = T.max(mass[0], T.float32(TINY))
                            out[sequence, head, tx] = weight[0] / mass[0]
                            if tx == 0:
                                lse[sequence, head] = highest[0] + T.log2(mass[0])

    return kernel


def online_tiles(head_dim):
    """The body of both prefill kernels, to be inlined: ROWS rows of a head against `length` positions, some at a time.

    key(p, d) and value(p, d) are element d of position p's key and value; `sees` says how many positions row i of the
    workgroup's sees, and the workgroup as a whole sees `length`.
    """
    held = HELD // head_dim  # positions
    scored = held // PER_ROW  # scores that an invocation computes at a time
    stride = head_dim + 1
    each = head_dim // PER_ROW  # dimensions of its row that an invocation answers

    @T.inline
    def attend(query, key, value, length, visible, sm_scale, out, lse, row, rows, head, tx):
        queries = T.sblock_alloc_buffer((ROWS * stride,), "float32", scope="shared")
        tile = T.sblock_alloc_buffer((held * stride,), "float32", scope="shared")
        scores = T.sblock_alloc_buffer((ROWS * (held + 1),), "float32", scope="shared")
        acc = T.sblock_alloc_buffer((each,), "float32", scope="local")
        score = T.sblock_alloc_buffer((scored,), "float32", scope="local")
        highest = T.sblock_alloc_buffer((1,), "float32", scope="local")
        mass = T.sblock_alloc_buffer((1,), "float32", scope="local")
        weight = T.sblock_alloc_buffer((1,), "float32", scope="local")
        for i in T.unroll(each):
            acc[i] = T.float32(0)
            queries[tx // PER_ROW * stride + i * PER_ROW + tx % PER_ROW] = query(i * PER_ROW + tx % PER_ROW) * (
                sm_scale * T.float32(LOG2_E)
            )
        highest[0] = T.float32(LOWEST)
        mass[0] = T.float32(0)
        for block in T.serial((length + held - 1) // held):
            for i in T.unroll(HELD // THREADS):
                at = T.meta_var(i * THREADS + tx)
                tile[at // head_dim * stride + at % head_dim] = key(
                    T.min(block * held + at // head_dim, length - 1), at % head_dim
                )
            T.tvm_storage_sync("shared")
            for i in T.unroll(scored):
                score[i] = T.float32(0)
            for d in T.serial(head_dim):
                for i in T.unroll(scored):
                    score[i] = score[i] + queries[tx // PER_ROW * stride + d] * tile[(i * PER_ROW + tx % PER_ROW) * stride + d]
            for i in T.unroll(scored):
                scores[tx // PER_ROW * (held + 1) + i * PER_ROW + tx % PER_ROW] = T.if_then_else(
                    block * held + i * PER_ROW + tx % PER_ROW < visible, score[i], T.float32(2 * LOWEST)
                )
            T.tvm_storage_sync("shared")
            for i in T.unroll(HELD // THREADS):
                at = T.meta_var(i * THREADS + tx)
                tile[at // head_dim * stride + at % head_dim] = value(
                    T.min(block * held + at // head_dim, length - 1), at % head_dim
                )
            T.tvm_storage_sync("shared")
            weight[0] = highest[0]
            for c in T.serial(held):
                highest[0] = T.max(highest[0], scores[tx // PER_ROW * (held + 1) + c])
            weight[0] = T.exp2(weight[0] - highest[0])
            mass[0] = mass[0] * weight[0]
            for i in T.unroll(each):
                acc[i] = acc[i] * weight[0]
            for c in T.serial(held):
                weight[0] = T.exp2(scores[tx // PER_ROW * (held + 1) + c] - highest[0])
                mass[0] = mass[0] + weight[0]
                for i in T.unroll(each):
                    acc[i] = acc[i] + weight[0] * tile[c * stride + i * PER_ROW + tx % PER_ROW]
            T.tvm_storage_sync("shared")
        if row < rows:
            for i in T.unroll(each):
                out[row, head, i * PER_ROW + tx % PER_ROW] = acc[i] / T.max(mass[0], T.float32(TINY))
            if tx % PER_ROW == 0:
                lse[row, head] = highest[0] + T.log2(T.max(mass[0], T.float32(TINY)))

    return attend


def prefill_fresh(kv_heads, heads, head_dim):
    """Queries against the keys and values of the same prefill ("ragged" in TVM)."""
    group = heads // kv_heads
    attend = online_tiles(head_dim)

    @T.prim_func(s_tir=True)
    def kernel(
        var_q: T.handle,
        var_q_indptr: T.handle,
        var_k: T.handle,
        var_v: T.handle,
        var_kv_indptr: T.handle,
        var_q_position: T.handle,
        var_k_offset: T.handle,
        var_out: T.handle,
        var_lse: T.handle,
        causal: T.int32,
        rotary_mode: T.int32,
        rope_scale: T.float32,
        rope_theta: T.float32,
        sm_scale: T.float32,
    ):
        T.func_attr({"tirx.is_scheduled": True})
        sequences = T.int32()
        rows = T.int32()
        keys = T.int32()
        q_indptr_at = T.int32()
        kv_indptr_at = T.int32()
        q_position_at = T.int32()
        k_offset_at = T.int32()
        q = T.match_buffer(var_q, (rows, heads, head_dim), "float32")
        q_indptr = T.match_buffer(var_q_indptr, (sequences + 1,), "int32", elem_offset=q_indptr_at)
        k = T.match_buffer(var_k, (keys, kv_heads, head_dim), "float32")
        v = T.match_buffer(var_v, (keys, kv_heads, head_dim), "float32")
        kv_indptr = T.match_buffer(var_kv_indptr, (sequences + 1,), "int32", elem_offset=kv_indptr_at)
        q_position = T.match_buffer(var_q_position, (rows,), "int32", elem_offset=q_position_at)
        k_offset = T.match_buffer(var_k_offset, (sequences,), "int32", elem_offset=k_offset_at)
        out = T.match_buffer(var_out, (rows, heads, head_dim), "float32")
        lse = T.match_buffer(var_lse, (rows, heads), "float32")
        for bx in T.thread_binding((rows + ROWS - 1) // ROWS, thread="blockIdx.x"):
            for head in T.thread_binding(heads, thread="blockIdx.y"):
                for tx in T.thread_binding(THREADS, thread="threadIdx.x"):
                    with T.sblock("prefill_fresh"):
                        T.reads()
                        T.writes()
                        row: T.let[T.int32] = bx * ROWS + tx // PER_ROW
                        attend(
                            lambda d: q[T.min(row, rows - 1), head, d],
                            lambda p, d: k[p, head // group, d],
                            lambda p, d: v[p, head // group, d],
                            up_to_row(causal, keys, rows, T.min(bx * ROWS + ROWS, rows) - 1),
                            up_to_row(causal, keys, rows, T.min(row, rows - 1)),
                            sm_scale,
                            out,
                            lse,
                            row,
                            rows,
                            head,
                            tx,
                        )

    return kernel


def prefill_cached(kv_heads, heads, head_dim):
    """Queries of a prefill against keys and values that were in the cache before it ("paged" in TVM)."""
    group = heads // kv_heads
    attend = online_tiles(head_dim)

    @T.prim_func(s_tir=True)
    def kernel(
        var_q: T.handle,
        var_q_indptr: T.handle,
        var_pages: T.handle,
        var_page_indptr: T.handle,
        var_page_values: T.handle,
        var_last_page_length: T.handle,
        var_k_offset: T.handle,
        var_q_position: T.handle,
        var_out: T.handle,
        var_lse: T.handle,
        causal: T.int32,
        rotary_mode: T.int32,
        rope_scale: T.float32,
        rope_theta: T.float32,
        sm_scale: T.float32,
    ):
        T.func_attr({"tirx.is_scheduled": True})
        sequences = T.int32()
        rows = T.int32()
        used_pages = T.int32()
        all_pages = T.int32()
        q_indptr_at = T.int32()
        page_indptr_at = T.int32()
        page_values_at = T.int32()
        last_page_length_at = T.int32()
        k_offset_at = T.int32()
        q_position_at = T.int32()
        q = T.match_buffer(var_q, (rows, heads, head_dim), "float32")
        q_indptr = T.match_buffer(var_q_indptr, (sequences + 1,), "int32", elem_offset=q_indptr_at)
        pages = T.match_buffer(var_pages, (all_pages, 2, kv_heads, PAGE_SIZE, head_dim), "float32")
        page_indptr = T.match_buffer(var_page_indptr, (sequences + 1,), "int32", elem_offset=page_indptr_at)
        page_values = T.match_buffer(var_page_values, (used_pages,), "int32", elem_offset=page_values_at)
        last_page_length = T.match_buffer(var_last_page_length, (sequences,), "int32", elem_offset=last_page_length_at)
        k_offset = T.match_buffer(var_k_offset, (sequences,), "int32", elem_offset=k_offset_at)
        q_position = T.match_buffer(var_q_position, (rows,), "int32", elem_offset=q_position_at)
        out = T.match_buffer(var_out, (rows, heads, head_dim), "float32")
        lse = T.match_buffer(var_lse, (rows, heads), "float32")

        for bx in T.thread_binding((rows + ROWS - 1) // ROWS, thread="blockIdx.x"):
            for head in T.thread_binding(heads, thread="blockIdx.y"):
                for tx in T.thread_binding(THREADS, thread="threadIdx.x"):
                    with T.sblock("prefill_cached"):
                        T.reads()
                        T.writes()
                        row: T.let[T.int32] = bx * ROWS + tx // PER_ROW
                        keys: T.let[T.int32] = cached_tokens(page_indptr, last_page_length, 0)
                        attend(
                            lambda d: q[T.min(row, rows - 1), head, d],
                            lambda p, d: pages[
                                page_values[page_indptr[0] + p // PAGE_SIZE],
                                0,
                                head // group,
                                key_at(p % PAGE_SIZE, d, head_dim)[0],
                                key_at(p % PAGE_SIZE, d, head_dim)[1],
                            ],
                            lambda p, d: pages[page_values[page_indptr[0] + p // PAGE_SIZE], 1, head // group, p % PAGE_SIZE, d],
                            up_to_row(causal, keys, rows, T.min(bx * ROWS + ROWS, rows) - 1),
                            up_to_row(causal, keys, rows, T.min(row, rows - 1)),
                            sm_scale,
                            out,
                            lse,
                            row,
                            rows,
                            head,
                            tx,
                        )

    return kernel


def merge_state(heads, head_dim):
    """Merge the attention over two sets of keys in place: (v, lse) becomes that over both. A workgroup a row and head."""

    @T.prim_func(s_tir=True)
    def kernel(var_v: T.handle, var_lse: T.handle, var_other_v: T.handle, var_other_lse: T.handle):
        T.func_attr({"tirx.is_scheduled": True})
        rows = T.int32()
        v = T.match_buffer(var_v, (rows, heads, head_dim), "float32")
        lse = T.match_buffer(var_lse, (rows, heads), "float32")
        other_v = T.match_buffer(var_other_v, (rows, heads, head_dim), "float32")
        other_lse = T.match_buffer(var_other_lse, (rows, heads), "float32")
        for row in T.thread_binding(rows, thread="blockIdx.x"):
            for head in T.thread_binding(heads, thread="blockIdx.y"):
                for tx in T.thread_binding(head_dim, thread="threadIdx.x"):
                    with T.sblock("merge_state"):
                        T.reads()
                        T.writes()
                        read = T.sblock_alloc_buffer((head_dim,), "float32", scope="shared")
                        ours = T.sblock_alloc_buffer((1,), "float32", scope="local")
                        others = T.sblock_alloc_buffer((1,), "float32", scope="local")
                        highest = T.sblock_alloc_buffer((1,), "float32", scope="local")
                        read[tx] = lse[row, head]
                        T.tvm_storage_sync("shared")  # all have read lse before one writes it
                        ours[0] = read[tx]
                        others[0] = other_lse[row, head]
                        highest[0] = T.max(ours[0], others[0])
                        ours[0] = T.exp2(ours[0] - highest[0])
                        others[0] = T.exp2(others[0] - highest[0])
                        v[row, head, tx] = (v[row, head, tx] * ours[0] + other_v[row, head, tx] * others[0]) / (
                            ours[0] + others[0]
                        )
                        if tx == 0:
                            lse[row, head] = T.log2(ours[0] + others[0]) + highest[0]

    return kernel
