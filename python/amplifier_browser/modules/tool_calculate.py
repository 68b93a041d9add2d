"""Tool: arithmetic, which small models get wrong."""

from __future__ import annotations

from typing import Any, ClassVar

from amplifier_core import ToolResult

from ..asking import asking
from ..calculator import FUNCTIONS, CalculationError, calculate
from ..tooling import Permission, Traits, failed

__amplifier_module_type__ = "tool"

_NAMES = "|".join(sorted(FUNCTIONS, key=len, reverse=True))
_OPERATOR_WORDS = (
    "of|off|plus|minus|times|mod(?:ulo)?|per ?cent|divided by|multiplied by|(?:raised )?to the power of|squared|cubed"
    "|(?:the )?square root of"
)
_PART = rf"(?:[\d.,\s()+\-*/×·÷−–^%!²³√°$€£π]|(?:{_OPERATOR_WORDS}|{_NAMES}|pi|e|x)(?![a-z]))"
# Something is done with a number: "2024" or a telephone number is no expression.
_OPERATION = rf"[\d)]\s*(?:%\s*)?(?:[-+*/×·÷−–^²³!]|x\s*\d|(?:{_OPERATOR_WORDS})\b)|(?:{_NAMES})\s*\(|√|square root of \d"
_DATE = r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}\s*[?.!]*$"
_QUESTION = r"(?:(?:what(?:['’]s| is| are)|how much (?:is|are)|calculate|compute|evaluate|work out|solve|tell me)\b:?\s*)?"


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> None:
    """Mounts calculate."""
    tool = Calculate()
    await coordinator.mount("tools", tool, name=tool.name)


class Calculate:
    """Calculates one expression."""

    name = "calculate"
    description = "Calculates an arithmetic expression."
    input_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"expression": {"type": "string", "description": "Such as 15% of 240, or sqrt(2) * 3"}},
        "required": ["expression"],
    }
    traits = Traits(
        title="Calculate",
        asked_by=(
            rf"^\s*(?:please\b\s*)?{_QUESTION}(?=\S)(?!{_DATE})(?=[^\n]{{0,300}}?(?:{_OPERATION}))"
            rf"(?P<expression>{_PART}{{3,300}})(?:\bplease\b)?[\s?.!=]*$",
            *asking(
                r"(?:calculate|compute|work out|evaluate)\b(?=[^\n]{0,300}\d)",
                r"(?:what(?:['’]s| is)|how much is)\b[^?\n]{0,60}\d ?(?:%|per ?cent\b)[^?\n]{0,60} (?:of|on|off) [^?\n]{0,40}\d",
            ),
        ),
        instruction="Write the expression to calculate.",
        raw_argument="expression",
        answer_prefix="The answer is",
        is_trusted=True,
        permission=lambda _arguments: Permission(sees="Only the expression.", free=True),
    )

    async def execute(self, input: dict[str, Any]) -> ToolResult:
        """The expression with its value, as "17.5% of 2340 = 409.5"."""
        try:
            return ToolResult(success=True, output=str(calculate(str(input.get("expression") or ""))))
        except CalculationError as error:
            return failed(str(error))
