"""A tool with a capability: finds the page's most frequent long words."""

from collections import Counter

from amplifier_core import ModuleCoordinator, ToolResult

CAPABILITIES = ["page.read"]


class PageWords:
    name = "page_words"
    description = "Lists the most frequent words of the page."

    def __init__(self, coordinator: ModuleCoordinator) -> None:
        self.coordinator = coordinator

    async def execute(self, input: dict[str, str]) -> ToolResult:
        read = self.coordinator.get_capability("page.read")
        if read is None:
            return ToolResult(success=False, error={"message": "Allow this module to read the page, in Settings."})
        words = [word for word in (await read())["text"].lower().split() if len(word) > 5]
        return ToolResult(output=", ".join(word for word, _ in Counter(words).most_common(10)))


async def mount(coordinator: ModuleCoordinator, config: dict[str, str]) -> None:
    await coordinator.mount("tools", PageWords(coordinator))
