"""The model as Relax functions, under the names by which WebLLM looks them up."""

import json
from typing import Any

import tvm
from tvm import relax, tirx
from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache, RopeMode, TIRPagedKVCache

from starter_model.recipe import gpu_matmul, gpu_sampling, layers, sampling
from starter_model.recipe.matmul import matmul, meta_dtype, vector_product
from starter_model.shape import GROUP, ModelShape

TILE_ROWS = 8
TILE_OUTPUTS = 8  # weight rows an invocation of matmul unpacks
VECTOR_TILE_OUTPUTS = 4  # the same for vector_product
TOP_TOKENS = 64  # of which a token is drawn

Kernels = dict[str, tirx.PrimFunc]


def tensor(*shape, dtype="float32"):
    """A result's placeholder."""
    return nn.Tensor.placeholder(shape, dtype)


def call(kernel, name, args, out):
    """Call a TIR kernel, which must have lost its own name first ("duplicate global symbol")."""
    return nn.op.tensor_ir_op(kernel.without_attr("global_symbol"), name, args, out)


class Recipe:
    """Which family of kernels the model is made of, and those to swap in for one row, by name."""

    def __init__(self, gpu: bool):
        self.gpu = gpu
        self.swaps: Kernels = {}


class PackedLinear(nn.Module):
    """A packed weight matrix (starter_model.packing). Adds to the recipe the kernel to use for one row."""

    def __init__(self, rows: int, cols: int, bits: int, recipe: Recipe):
        self.rows, self.cols, self.bits, self.recipe = rows, cols, bits, recipe
        self.words = nn.Parameter((rows, cols * bits // 32), "uint32")
        self.meta = nn.Parameter((rows, cols // GROUP), meta_dtype(bits))

    def __call__(self, x, norm=None, residual=None, gated=False):
        rows = x.shape[1]
        single = isinstance(rows, int) and rows == 1
        if self.recipe.gpu and single:
            return self._normed_row(x, norm, residual, gated)
        if norm is not None:
            x = norm(x)
        halves = 2 if gated else 1
        outputs = self.rows // halves
        options = {"gated": gated, "residual": residual is not None}
        name = self._kernel_name("vector_product" if single else "matmul", outputs, **options)
        if self.recipe.gpu:
            kernel = gpu_matmul.matmul(self.cols, outputs, **options)
        else:
            tile_rows = 1 if single else TILE_ROWS
            kernel = matmul(self.cols, outputs, self.bits, tile_rows, TILE_OUTPUTS // halves, **options)
        if single:
            tile_outputs = VECTOR_TILE_OUTPUTS // halves
            self.recipe.swaps[name] = vector_product(self.cols, outputs, self.bits, tile_outputs, **options)
        args = [x, self.words, self.meta, x if residual is None else residual]
        return call(kernel, name, args, tensor(1, rows, outputs))

    def _normed_row(self, x, norm, residual, gated):
        """One row on a real GPU: the norm is part of the product."""
        outputs = self.rows // 2 if gated else self.rows
        options = {"gated": gated, "residual": residual is not None}
        name = self._kernel_name("vector_product" if norm is None else "normed_product", outputs, **options)
        eps = None if norm is None else norm.eps
        self.recipe.swaps[name] = gpu_matmul.vector_product(self.cols, outputs, self.bits, eps, **options)
        stand_in = gpu_matmul.vector_product_for_relax(self.cols, outputs, self.bits, norm is not None, **options)
        args = [x, x if norm is None else norm.weight, self.words, self.meta, x if residual is None else residual]
        return call(stand_in, name, args, tensor(1, 1, outputs))

    def _kernel_name(self, kind, outputs, gated, residual):
        return f"{kind}{self.bits}_{self.cols}_{outputs}{'_gated' if gated else ''}{'_residual' if residual else ''}"


class RmsNorm(nn.Module):
    """Root mean square norm."""

    def __init__(self, shape: ModelShape, recipe: Recipe):
        self.hidden, self.eps = shape.hidden, shape.norm_eps
        self.kernels = gpu_matmul if recipe.gpu else layers
        self.weight = nn.Parameter((shape.hidden,), "float32")

    def __call__(self, x):
        out = tensor(1, x.shape[1], self.hidden)
        return call(self.kernels.rms_norm(self.hidden, self.eps), "rms_norm", [x, self.weight], out)


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self, shape: ModelShape, recipe: Recipe):
        self.shape = shape
        self.attention_norm, self.ffn_norm = RmsNorm(shape, recipe), RmsNorm(shape, recipe)
        self.qkv = PackedLinear(shape.qkv_rows, shape.hidden, 4, recipe)
        self.attention_out = PackedLinear(shape.hidden, shape.heads * shape.head_dim, 4, recipe)
        self.gate_up = PackedLinear(2 * shape.ffn, shape.hidden, 4, recipe)
        self.down = PackedLinear(shape.hidden, shape.ffn, 4, recipe)

    def __call__(self, x, cache, index):
        shape, rows = self.shape, x.shape[1]
        per_head = (1, rows, shape.heads + 2 * shape.kv_heads, shape.head_dim)
        qkv = nn.op.reshape(self.qkv(x, norm=self.attention_norm), per_head)
        attended = cache.attention_with_fused_qkv(index, qkv, shape.heads, sm_scale=shape.head_dim**-0.5)
        attended = nn.op.reshape(attended, (1, rows, shape.heads * shape.head_dim))
        x = self.attention_out(attended, residual=x)
        return self.down(self.gate_up(x, norm=self.ffn_norm, gated=True), residual=x)


class Decoder(nn.Module):
    """The model. Public methods are WebLLM's functions; their parameter names are part of that interface."""

    def __init__(self, shape: ModelShape, target, recipe: Recipe):
        self.shape, self.target, self.recipe = shape, target, recipe
        self.embedding = PackedLinear(shape.vocab, shape.hidden, 8, recipe)
        self.layers = nn.ModuleList([Layer(shape, recipe) for _ in range(shape.layers)])
        self.norm = RmsNorm(shape, recipe)

    def embed(self, input_ids):
        """Tokens (n,) int32 -> their embeddings (n, hidden)."""
        vocab, hidden = self.shape.vocab, self.shape.hidden
        args = [input_ids, self.embedding.words, self.embedding.meta]
        return call(layers.embedding_rows(vocab, hidden), "embedding_rows", args, tensor(input_ids.shape[0], hidden))

    def _run(self, x, cache):
        for index, layer in enumerate(self.layers):
            x = layer(x, cache, index)
        return x

    def prefill(self, input_embed, paged_kv_cache):
        """Embeddings (1, n, hidden) -> the logits (1, 1, vocab) after the last."""
        hidden = self.shape.hidden
        x = self._run(input_embed, paged_kv_cache)
        x = call(layers.last_row(hidden), "last_row", [x], tensor(1, 1, hidden))
        return self.embedding(x, norm=self.norm), paged_kv_cache

    def decode(self, input_embed, paged_kv_cache):
        """`prefill` for a single token."""
        return self.embedding(self._run(input_embed, paged_kv_cache), norm=self.norm), paged_kv_cache

    def softmax_with_temperature(self, logits, temperature):
        """Logits (1, 1, vocab) -> probabilities of the same shape."""
        vocab = self.shape.vocab
        stats_out = tensor(2 * sampling.SLICES)
        family = gpu_sampling if self.recipe.gpu else sampling
        stats = call(family.softmax_stats(vocab), "softmax_stats", [logits, temperature], stats_out)
        args = [logits, temperature, stats]
        return call(sampling.softmax_apply(vocab), "softmax_apply", args, tensor(1, 1, vocab))

    def argsort_probs(self, probs):
        """Probabilities (1, vocab) -> the TOP_TOKENS largest, descending, and their tokens, (1, TOP_TOKENS) each."""

        def sorted_out(rows):
            return [tensor(rows, TOP_TOKENS), tensor(rows, TOP_TOKENS, dtype="int32")]

        vocab = self.shape.vocab
        if self.recipe.gpu:
            family, slices, merge = gpu_sampling, gpu_sampling.slices_of(vocab), gpu_sampling.merge_top(vocab, TOP_TOKENS)
        else:
            family, slices, merge = sampling, sampling.SLICES, sampling.merge_top(TOP_TOKENS)
        kernel = family.slice_top(vocab, TOP_TOKENS)
        tops, top_ids = call(kernel, "slice_top", [probs], sorted_out(slices))
        top, ids = call(merge, "merge_top", [tops, top_ids], sorted_out(1))
        return top, ids

    def sample_with_top_p(self, sorted_probs, sorted_ids, uniform, rows, top_p):
        """A token (1,) drawn from what argsort_probs gave."""
        family = gpu_sampling if self.recipe.gpu else sampling
        args = [sorted_probs, sorted_ids, uniform, rows, top_p]
        return call(family.draw_top_p(TOP_TOKENS), "draw_top_p", args, tensor(1, dtype="int32"))

    def create_tir_paged_kv_cache(
        self,
        max_batch_size: tirx.Var,
        max_total_seq_len: tirx.Var,
        prefill_chunk_size: tirx.Var,
        page_size: tirx.Var,
        support_sliding_window: tirx.Var,
    ):
        """An empty cache; the sizes are WebLLM's."""
        shape = self.shape
        return TIRPagedKVCache(
            attn_kind="mha",
            max_batch_size=max_batch_size,
            max_total_seq_len=max_total_seq_len,
            prefill_chunk_size=prefill_chunk_size,
            page_size=page_size,
            support_sliding_window=support_sliding_window,
            layer_partition=relax.ShapeExpr([0, shape.layers]),
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            qk_head_dim=shape.head_dim,
            v_head_dim=shape.head_dim,
            mla_original_qk_head_dim=0,
            mla_original_v_head_dim=0,
            rope_mode=RopeMode.NORMAL,
            rope_scale=1,
            rope_theta=int(shape.rope_theta),
            rope_scaling={},
            rope_ext_factors=relax.prim_value(0),
            rotary_dim=shape.head_dim,
            enable_disaggregation=False,
            dtype="float32",
            target=self.target,
        )

    def spec(self):
        """The types of WebLLM's functions."""
        hidden, vocab = self.shape.hidden, self.shape.vocab
        ints = ("max_batch_size", "max_total_seq_len", "prefill_chunk_size", "page_size", "support_sliding_window")
        cache = nn.spec.Object(object_type=PagedKVCache)
        arg = nn.spec.Tensor
        top = (1, TOP_TOKENS)
        with_params = {
            "embed": {"input_ids": arg(["seq_len"], "int32")},
            "prefill": {"input_embed": arg([1, "seq_len", hidden], "float32"), "paged_kv_cache": cache},
            "decode": {"input_embed": arg([1, 1, hidden], "float32"), "paged_kv_cache": cache},
        }
        without_params = {
            "softmax_with_temperature": {
                "logits": arg([1, 1, vocab], "float32"),
                "temperature": arg([1], "float32"),
            },
            "argsort_probs": {"probs": arg([1, vocab], "float32")},
            "sample_with_top_p": {
                "sorted_probs": arg(top, "float32"),
                "sorted_ids": arg(top, "int32"),
                "uniform": arg([1], "float32"),
                "rows": arg([1], "int32"),
                "top_p": arg([1], "float32"),
            },
            "create_tir_paged_kv_cache": dict.fromkeys(ints, int),
        }
        functions = {
            **{name: {**args, "$": _modes("packed")} for name, args in with_params.items()},
            **{name: {**args, "$": _modes("none")} for name, args in without_params.items()},
        }
        return nn.spec.ModuleSpec.from_raw(functions, self)


def _modes(params: str) -> dict[str, str]:
    return {"param_mode": params, "effect_mode": "none"}


def param_listing(params) -> list[dict[str, Any]]:
    """Name, shape and dtype of every parameter, in the library's order."""
    return [{"name": name, "shape": [int(size) for size in param.shape], "dtype": str(param.dtype)} for name, param in params]


def metadata(shape: ModelShape, listing: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """What the library tells WebLLM about itself."""
    return {
        "name": name,
        "model_type": "llama",
        "model_task": "chat",
        "quantization": "q4_1",
        "context_window_size": shape.context,
        "sliding_window_size": -1,
        "attention_sink_size": -1,
        "prefill_chunk_size": shape.prefill_chunk,
        "max_batch_size": 1,
        "tensor_parallel_shards": 1,
        "pipeline_parallel_stages": 1,
        "disaggregation": False,
        "kv_state_kind": "kv_cache",
        "kv_cache": {
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.kv_heads,
            "head_dim": shape.head_dim,
        },
        "params": [{**param, "preprocs": [], "pipeline_stages": [0]} for param in listing],
    }


def export(shape: ModelShape, target, name: str, gpu: bool):
    """The module with every function WebLLM looks up, the kernels to swap in by name, and the parameter listing."""
    recipe = Recipe(gpu)
    model = Decoder(shape, target, recipe)
    with target:
        mod, params, _ = model.export_tvm(spec=model.spec(), allow_extern=True)
    listing = param_listing(params)
    mod["apply_logit_bias_inplace"] = sampling.logit_bias()
    mod["apply_penalty_inplace"] = sampling.penalties()
    mod["apply_bitmask_inplace"] = sampling.grammar_mask()
    bounds = {"seq_len": shape.prefill_chunk, "total_seq_len": shape.context}
    for var, function in list(mod.functions.items()):
        if isinstance(function, relax.Function):
            bounded = function.with_attr("tir_var_upper_bound", bounds)
            mod[var] = bounded.with_attr("relax.memory_plan_dynamic_func_output", True)
    builder = relax.BlockBuilder(mod)
    with builder.function("_metadata", params=[]):
        builder.emit_func_output(tvm.ir.StringImm(json.dumps(metadata(shape, listing, name))))
    return builder.finalize(), recipe.swaps, listing
