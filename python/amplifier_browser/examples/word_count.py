"""A tool: counts the words of a text."""

from amplifier_core import ModuleCoordinator, ToolResult

TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}


class WordCount:
    name = "word_count"
    description = "Counts the words of a text."
    input_schema = TEXT

    async def execute(self, input: dict[str, str]) -> ToolResult:
        return ToolResult(output=f"{len(input['text'].split())} words")


async def mount(coordinator: ModuleCoordinator, config: dict[str, str]) -> None:
    await coordinator.mount("tools", WordCount())
