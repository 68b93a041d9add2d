"""What WebLLM's configuration does not say of its models, kept by hand: who made them, how large they are, what their licence
is and what they are good for. Where that is not sure it says "unknown"."""

from __future__ import annotations

import re
from dataclasses import dataclass

UNKNOWN = "unknown"
LLAMA_3_2, LLAMA_3_1, LLAMA_3, LLAMA_2 = (f"Llama {version} Community" for version in ("3.2", "3.1", "3", "2"))
APACHE, MIT, GEMMA = "Apache-2.0", "MIT", "Gemma Terms of Use"
# The small and the large of Qwen 2.5 are free; those of 3 billion parameters are for research only.
QWEN_RESEARCH = "Qwen Research (non-commercial)"


@dataclass(frozen=True)
class Family:
    """Models that share a beginning of their names. `rank`: among models of the same size, 0 (old or for one purpose only) to
    9; what is `special` is never suggested to somebody who asked for nothing special. `thinks`: writes its thoughts first."""

    pattern: str
    publisher: str
    licence: str
    good_for: str
    rank: int
    special: bool = False
    thinks: bool = False


# The first one that matches counts.
FAMILIES = [
    Family("DeepSeek-R1-Distill-Llama", "DeepSeek", LLAMA_3_1, "Reasoning step by step: mathematics, logic", 5, True, True),
    Family("DeepSeek-R1-Distill-Qwen", "DeepSeek", MIT, "Reasoning step by step: mathematics, logic", 5, True, True),
    Family("Hermes-3-Llama-3.2", "Nous Research", LLAMA_3_2, "Chat that keeps to its instructions", 5),
    Family("Hermes-3-Llama-3.1", "Nous Research", LLAMA_3_1, "Chat, tools, answers in a given form", 6),
    Family("Hermes-2-Pro-Llama-3", "Nous Research", LLAMA_3, "Tools, answers in a given form", 4),
    Family("Hermes-2-Theta-Llama-3", "Nous Research", UNKNOWN, "Tools, answers in a given form", 3),
    Family("Hermes-2-Pro-Mistral", "Nous Research", APACHE, "Tools, answers in a given form", 3),
    Family("(Open|NeuralHermes|OpenHermes)", "Teknium and others", APACHE, "Chat in English; an older model", 2),
    Family("WizardMath", "WizardLM", UNKNOWN, "Mathematics only", 1, True),
    Family("Llama-3.2", "Meta", LLAMA_3_2, "Summaries and chat in English and seven more languages", 8),
    Family("Llama-3.1", "Meta", LLAMA_3_1, "Summaries, chat and long answers in English and seven more languages", 8),
    Family("Llama-3", "Meta", LLAMA_3, "Chat in English; Llama 3.1 is newer", 5),
    Family("Llama-2", "Meta", LLAMA_2, "Chat in English; an old model", 1),
    Family("TinyLlama", "TinyLlama", APACHE, "Trying things out; an old model", 1),
    Family("Phi-3.5-vision", "Microsoft", MIT, "Questions about pictures", 5, True),
    Family("Phi-4", "Microsoft", MIT, "Reasoning, code and summaries in many languages", 9),
    Family("Phi-3.5", "Microsoft", MIT, "Reasoning, code and summaries, mostly in English", 7),
    Family("Phi-3-", "Microsoft", MIT, "Reasoning and code in English; Phi 3.5 is newer", 4),
    Family("phi-", "Microsoft", MIT, "Code and short texts in English; an old model, not made for chat", 0, True),
    Family("Qwen3.5", "Alibaba", APACHE, "Chat, code and tools in a hundred languages", 7, thinks=True),
    Family("Qwen3", "Alibaba", APACHE, "Chat, code and tools in a hundred languages", 6, thinks=True),
    Family("Qwen2.5-Coder-3B", "Alibaba", QWEN_RESEARCH, "Writing and explaining code", 6, True),
    Family("Qwen2.5-Coder", "Alibaba", APACHE, "Writing and explaining code", 6, True),
    Family("Qwen2.5-Math", "Alibaba", APACHE, "Mathematics only", 4, True),
    Family("Qwen2.5-3B", "Alibaba", QWEN_RESEARCH, "Summaries, chat and code in many languages", 7),
    Family("Qwen2.5", "Alibaba", APACHE, "Summaries, chat and code in many languages", 8),
    Family("Qwen2-Math", "Alibaba", APACHE, "Mathematics only; Qwen 2.5 is newer", 1, True),
    Family("Qwen2-", "Alibaba", APACHE, "Chat in many languages; Qwen 2.5 is newer", 3),
    Family("gemma-2-2b-jpn", "Google", GEMMA, "Chat in Japanese", 5, True),
    Family("gemma-4", "Google", UNKNOWN, "Summaries and chat in many languages", 8),
    Family("gemma-?3", "Google", GEMMA, "Summaries and chat in many languages", 7),
    Family("gemma-2-", "Google", GEMMA, "Well written summaries and chat, mostly in English", 7),
    Family("gemma-", "Google", GEMMA, "Chat in English; an older model", 2),
    Family("SmolLM2", "Hugging Face", APACHE, "Short chat and short texts in English", 5),
    Family("Ministral-3-.*Base", "Mistral AI", APACHE, "Going on with a text; not made for chat", 0, True),
    Family("Ministral-3-.*Reasoning", "Mistral AI", APACHE, "Reasoning step by step: mathematics, logic", 5, True, True),
    Family("Ministral-3", "Mistral AI", APACHE, "Summaries and chat in many languages", 8),
    Family("Mistral", "Mistral AI", APACHE, "Summaries and chat, mostly in European languages", 5),
    Family("OLMo-2", "Allen Institute for AI", APACHE, "Chat in English; its training data is open", 5),
    Family("stablelm-2", "Stability AI", "Stability AI Non-Commercial", "Chat; an older model", 1),
    Family("RedPajama", "Together", APACHE, "Chat in English; an old model", 0),
]
ANY = Family("", UNKNOWN, UNKNOWN, "Chat", 1)

# Millions of parameters by the beginning of the name; the others say their size in it. Of a model whose layers share or skip
# parameters, `STORED` says how many are in its files.
PARAMETERS = {
    "Llama-3.2-1B": 1236,
    "Llama-3.2-3B": 3213,
    "Hermes-3-Llama-3.2-3B": 3213,
    "Phi-3.5-mini": 3821,
    "Phi-3.5-vision": 4147,
    "Phi-3-mini": 3821,
    "Phi-4-mini": 3836,
    "phi-2": 2780,
    "phi-1_5": 1418,
    "Qwen2.5-0.5B": 494,
    "Qwen2.5-1.5B": 1544,
    "Qwen2.5-3B": 3086,
    "Qwen2.5-7B": 7616,
    "gemma-2-2b": 2614,
    "gemma-2-9b": 9242,
    "gemma-2b": 2506,
    "gemma-4-E2B": 2300,
    "Mistral-7B": 7248,
}
STORED = {"gemma-4-E2B": 5100}
# Layers by the beginning of the name, as the models' own configurations say, where it is not the usual number.
LAYERS = {
    "DeepSeek-R1-Distill-Qwen-7B": 28,
    "Hermes-3-Llama-3.2-3B": 28,
    "Llama-2-13b": 40,
    "Llama-3.2-1B": 16,
    "Llama-3.2-3B": 28,
    "OLMo-2-0425-1B": 16,
    "Qwen2.5-0.5B": 24,
    "Qwen2.5-1.5B": 28,
    "Qwen2.5-3B": 36,
    "Qwen2.5-7B": 28,
    "Qwen2.5-Coder-0.5B": 24,
    "Qwen2.5-Coder-1.5B": 28,
    "Qwen2.5-Coder-3B": 36,
    "Qwen2.5-Coder-7B": 28,
    "Qwen2.5-Math-1.5B": 28,
    "Qwen2-0.5B": 24,
    "Qwen2-1.5B": 28,
    "Qwen2-7B": 28,
    "Qwen2-Math-1.5B": 28,
    "Qwen2-Math-7B": 28,
    "Qwen3-0.6B": 28,
    "Qwen3-1.7B": 28,
    "Qwen3-4B": 36,
    "Qwen3-8B": 36,
    "SmolLM2-1.7B": 24,
    "TinyLlama": 22,
    "gemma-2-2b": 26,
    "gemma-2-9b": 42,
    "gemma-2b": 18,
    "gemma3-1b": 26,
    "phi-1_5": 24,
    "stablelm-2-zephyr-1_6b": 24,
}
SIZE = re.compile(r"[-_](\d+(?:[._]\d+)?)([BbM])(?=[-_]|$)")


def family(name: str) -> Family:
    """What is known of a model of this name (of its repository, without the ending for its quantization)."""
    return next((each for each in FAMILIES if re.match(each.pattern, name)), ANY)


def parameters(name: str) -> int:
    """Millions of parameters; 0 if neither the table nor the name tells."""
    if known := _by_beginning(PARAMETERS, name):
        return known
    sizes = SIZE.findall(name)
    if not sizes:
        return 0
    number, unit = sizes[-1]
    return round(float(number.replace("_", ".")) * (1000 if unit in "Bb" else 1))


def stored_parameters(name: str) -> int:
    """Millions of parameters that are in the model's files."""
    return _by_beginning(STORED, name) or parameters(name)


def layers(name: str) -> int:
    """Layers of the model; 0 if the table does not tell, which mostly means the usual number."""
    return _by_beginning(LAYERS, name)


def _by_beginning(table: dict[str, int], name: str) -> int:
    return next((value for beginning, value in table.items() if name.startswith(beginning)), 0)
