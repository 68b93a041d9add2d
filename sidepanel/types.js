/**
 * The words the panel's parts share: what Python and the engine say, and what the view asks.
 * Types only; nothing here runs.
 */

/**
 * @typedef {"user" | "assistant"} Role
 * @typedef {"queued" | "streaming" | "done" | "stopped" | "error"} MessageState
 *
 * @typedef {object} Source the page an answer is about
 * @property {string} title
 * @property {string} url
 * @property {number} [words]
 *
 * @typedef {object} Progress `done` of `total` steps; 0 of 0 when nobody can tell
 * @property {string} label
 * @property {number} done
 * @property {number} total
 *
 * @typedef {object} Section
 * @property {string} title
 * @property {"waiting" | "streaming" | "done" | "stopped" | "error"} state
 * @property {string} text markdown
 *
 * @typedef {object} Usage
 * @property {number} input_tokens
 * @property {number} output_tokens
 * @property {number} [cache_read_tokens]
 * @property {number} [tokens_per_second]
 * @property {number} [prefill_tokens_per_second]
 * @property {number} [first_token_seconds]
 *
 * @typedef {object} Problem what happened and the next step
 * @property {string} title
 * @property {string} detail
 * @property {string} [technical] the words of what failed, for a report
 * @property {{label: string, command: Command}} [action]
 *
 * @typedef {object} Message
 * @property {string} id
 * @property {Role} role
 * @property {MessageState} state
 * @property {string} text plain text from the user, markdown from the assistant
 * @property {Source} [source]
 * @property {Progress} [progress]
 * @property {Section[]} [sections]
 * @property {string[]} [notes]
 * @property {Usage} [usage]
 * @property {Problem} [error]
 */

/**
 * @typedef {"absent" | "downloading" | "loading" | "ready" | "generating" | "lost" | "unavailable"} EngineState
 *
 * @typedef {object} Engine
 * @property {EngineState} state
 * @property {{id: string, name: string, context_window: number} | null} model
 * @property {{id: string, name: string}[]} models bundled models to choose from
 * @property {number | null} progress 0 to 1, null when unknown
 * @property {string} text a line for people
 * @property {Problem | null} error
 *
 * @typedef {{title: string, url: string} | null} Tab null where the extension may not see it
 * @typedef {"info" | "warning" | "error"} Level
 */

/**
 * What the view asks of Python.
 *
 * @typedef {{type: "prompt", id: string, text: string}
 *   | {type: "summarize", id: string}
 *   | {type: "stop"}
 *   | {type: "retry", id: string}
 *   | {type: "continue", id: string}
 *   | {type: "edit", id: string, text: string}
 *   | {type: "new-session"}
 *   | {type: "choose-model", model: string}
 *   | {type: "reload-engine"}} Command
 */

/**
 * What Python, the engine and the page tell the view.
 *
 * @typedef {{type: "ready"}
 *   | {type: "message", message: Message}
 *   | {type: "delta", id: string, text: string}
 *   | {type: "removed", ids: string[]}
 *   | {type: "cleared"}
 *   | {type: "busy", value: boolean}
 *   | {type: "notice", level: Level, text: string}
 *   | {type: "engine", engine: Engine}
 *   | {type: "fatal", error: Problem}
 *   | {type: "tab", tab: Tab}} PanelEvent
 */

/**
 * What only the view tells its own store.
 *
 * @typedef {{type: "sent", command: Command}
 *   | {type: "draft", text: string}
 *   | {type: "edit-start", id: string}
 *   | {type: "edit-cancel"}
 *   | {type: "dismiss", id: number}
 *   | {type: "announce", text: string}} ViewEvent
 */

/**
 * @typedef {object} Notice
 * @property {number} id
 * @property {Level} level
 * @property {string} text
 *
 * @typedef {object} State everything the view shows
 * @property {{state: "starting" | "ready" | "failed", error: Problem | null}} python
 * @property {Engine} engine
 * @property {Message[]} messages in the order they are shown
 * @property {boolean} busy
 * @property {Tab} tab
 * @property {string} draft what stands in the composer
 * @property {string | null} editing id of the user message being edited
 * @property {Notice[]} notices
 * @property {{id: number, text: string}} announcement last line for screen readers
 */

/**
 * @typedef {object} Store
 * @property {() => State} getState
 * @property {(listener: () => void) => () => void} subscribe returns the way to unsubscribe
 * @property {(event: PanelEvent | ViewEvent) => void} dispatch
 * @property {(command: Command) => void} send shows the command's effect at once and passes it on
 */

export {};
