"""mlc-chat-config.json: what WebLLM reads about a model before it loads it."""

from __future__ import annotations

from typing import Any

from starter_model.shape import ModelShape

BOS, EOS = 1, 2  # <|im_start|>, <|im_end|>
SYSTEM_MESSAGE = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


def conversation_template() -> dict[str, Any]:
    """ChatML with leading separators: the end of a message is written in front of the next role, not after the message.

    WebLLM keeps the KV cache between turns and never feeds the stop token it sampled. With trailing separators a second
    turn would therefore lack the end of the reply; so written it is fed exactly the tokens of a fresh prompt. It needs a
    system block in front, which is always there.
    """
    roles = {role: f"<|im_end|>\n<|im_start|>{role}" for role in ("user", "assistant", "tool")}
    return {
        "name": "chatml",
        "system_template": "<|im_start|>system\n{system_message}",
        "system_message": SYSTEM_MESSAGE,
        "system_prefix_token_ids": None,
        "add_role_after_system_message": True,
        "roles": roles,
        "role_templates": {role: f"{{{role}_message}}" for role in roles},
        "messages": [],
        "seps": [""],
        "role_content_sep": "\n",
        "role_empty_sep": "\n",
        "stop_str": ["<|im_end|>"],
        "stop_token_ids": [EOS],
        "function_string": "",
        "use_function_calling": False,
    }


def model_config(shape: ModelShape) -> dict[str, Any]:
    """The architecture under the names that MLC's own configs use."""
    return {
        "num_hidden_layers": shape.layers,
        "hidden_size": shape.hidden,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "intermediate_size": shape.ffn,
        "vocab_size": shape.vocab,
        "rope_theta": shape.rope_theta,
        "rms_norm_eps": shape.norm_eps,
        "context_window_size": shape.context,
        "prefill_chunk_size": shape.prefill_chunk,
    }


def shape_from_config(config: dict[str, Any]) -> ModelShape:
    """The inverse of model_config, from a whole mlc-chat-config.json."""
    model = config["model_config"]
    return ModelShape(
        layers=model["num_hidden_layers"],
        hidden=model["hidden_size"],
        heads=model["num_attention_heads"],
        kv_heads=model["num_key_value_heads"],
        head_dim=model["head_dim"],
        ffn=model["intermediate_size"],
        vocab=model["vocab_size"],
        rope_theta=model["rope_theta"],
        norm_eps=model["rms_norm_eps"],
        context=model["context_window_size"],
        prefill_chunk=model["prefill_chunk_size"],
    )


def chat_config(shape: ModelShape) -> dict[str, Any]:
    """The whole file for a model of this shape with the SmolLM2 tokenizer."""
    return {
        "version": "0.1.0",
        "model_type": "llama",
        "quantization": "q4_1",
        "model_config": model_config(shape),
        "vocab_size": shape.vocab,
        "context_window_size": shape.context,
        "sliding_window_size": -1,
        "attention_sink_size": -1,
        "prefill_chunk_size": shape.prefill_chunk,
        "temperature": 0.7,
        "top_p": 0.95,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "repetition_penalty": 1.0,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "pad_token_id": EOS,
        "tokenizer_files": ["tokenizer.json"],
        "tokenizer_info": {
            "token_postproc_method": "byte_level",
            "prepend_space_in_encode": False,
            "strip_space_in_decode": False,
        },
        "conv_template": conversation_template(),
    }
