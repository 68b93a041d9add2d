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
 * @property {number} [read] words of it that the model has read
 *
 * @typedef {object} Citation a passage that a sentence of the answer is from; the text marks it as [number]
 * @property {number} number
 * @property {string} quote word for word
 * @property {string} [url] of the page that it stands in
 * @property {number} [tab]
 * @property {string} [document] id of the document that it stands in
 * @property {string} [name] of the document
 * @property {number} [page] of the document, or of the PDF in the tab, from 1
 * @property {number} [media] which recording of the page says it, from 0
 * @property {number} [time] when it says so, in seconds
 *
 * @typedef {object} Seen a passage that stood before the model when it answered
 * @property {number} number
 * @property {string} name of the document
 * @property {number} [page]
 * @property {string} [heading]
 * @property {string} text
 *
 * @typedef {object} Progress `done` of `total` steps; 0 of 0 when nobody can tell
 * @property {string} label
 * @property {number} done
 * @property {number} total
 * @property {number} [seconds_left] for all the rest, as coarse as the estimate is
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
 * @typedef {{label: string, command: Command}} Action a button that sends a command
 *
 * @typedef {object} Problem what happened and the next step
 * @property {string} title
 * @property {string} detail
 * @property {string} [technical] the words of what failed, for a report
 * @property {Action} [action]
 *
 * @typedef {object} Message
 * @property {string} id
 * @property {Role} role
 * @property {MessageState} state
 * @property {string} text plain text from the user, markdown from the assistant
 * @property {Source} [source]
 * @property {Progress} [progress]
 * @property {Section[]} [sections]
 * @property {Step[]} [steps] what tools did for this answer, in order
 * @property {string[]} [notes]
 * @property {Usage} [usage]
 * @property {string[]} [sent_to] hosts of servers that answered, to which text left the browser
 * @property {Citation[]} [citations]
 * @property {Seen[]} [seen] what the model saw of the documents
 * @property {SentAttachment[]} [attachments] what the user sent it with
 * @property {Problem} [error]
 */

/**
 * What goes along with a message.
 *
 * @typedef {"reading" | "indexing" | "ready" | "error"} AttachmentState
 *
 * @typedef {object} Attachment
 * @property {string} id of this attaching; never used again
 * @property {"document" | "selection" | "tab" | "image"} kind a collection of documents counts as one document
 * @property {string} name
 * @property {string} detail a line for people, as "12 pages · 4,300 words"
 * @property {AttachmentState} state
 * @property {number | null} progress 0 to 1, null when unknown
 * @property {Problem} [problem] in state error
 * @property {true} [follows] it is whichever tab is in front, and stays for the messages to come
 * @property {string} [mentioned] key of the mention that it came from
 *
 * @typedef {Pick<Attachment, "id" | "kind" | "name"> & Partial<Attachment>} SentAttachment
 *
 * @typedef {import("./documents/files.js").Parsed} Parsed
 * @typedef {import("./documents/files.js").Refusal} Refusal
 *
 * @typedef {object} AttachDocument what was read of a file, or why nothing was
 * @property {"attach-document"} type
 * @property {string} id of the attachment
 * @property {string} name of the file
 * @property {string} mime
 * @property {number} bytes
 * @property {string} hash of the bytes; "" if the file was refused
 * @property {Parsed | Refusal} parsed
 */

/**
 * A tool call, and what came of it.
 *
 * @typedef {"asking" | "running" | "done" | "denied" | "error" | "stopped"} StepState
 *
 * @typedef {object} Argument
 * @property {string} name
 * @property {string} value
 * @property {string} [code] the language, if the value is code: python, json or text
 *
 * @typedef {{type: "text", text: string}
 *   | {type: "code", text: string, language: string}
 *   | {type: "table", columns: string[], rows: string[][], more: number}
 *   | {type: "image", mime: string, data: string}
 *   | {type: "svg", text: string}} Display what people are shown; `more` rows are not in the table, `data` is base64
 *
 * @typedef {object} Step
 * @property {string} id
 * @property {string} tool
 * @property {string} title what it does, for people
 * @property {StepState} state
 * @property {Argument[]} arguments
 * @property {string} [output] what the model got
 * @property {Display[]} [display]
 * @property {string} [error]
 * @property {string} [text] markdown: a sub-session's answer as it streams
 * @property {Step[]} [steps] a sub-session's own calls
 */

/**
 * A question that a tool call waits on.
 *
 * @typedef {"once" | "session" | "always"} ApprovalScope
 * @typedef {{permissions?: string[], origins?: string[]}} Needs what Chrome must grant besides
 *
 * @typedef {object} Approval
 * @property {string} id
 * @property {string} tool
 * @property {string} title
 * @property {string} question
 * @property {Argument[]} arguments
 * @property {string} sees what the call gets to see or changes
 * @property {string} [warning]
 * @property {ApprovalScope[]} scopes
 * @property {Needs} [needs]
 * @property {number} expires epoch milliseconds; then it counts as No
 */

/**
 * What the settings dialog shows.
 *
 * @typedef {string | number} Moment ISO 8601, or epoch milliseconds
 * @typedef {{id: string, title: string, detail: string, created: Moment}} Grant
 * @typedef {{id: string, text: string, created: Moment}} UserNote
 * @typedef {{name: string, title: string, description: string, module: string | null}} ToolInfo null: comes with Amplifier
 * @typedef {{line: number | null, message: string}} ModuleProblem lines count from 1
 *
 * @typedef {object} UserModule
 * @property {string} id
 * @property {string} name
 * @property {string} source Python
 * @property {"" | "tool" | "hook"} kind
 * @property {boolean} enabled in new sessions
 * @property {"valid" | "invalid" | "failed" | "unchecked" | "checking"} state
 * @property {ModuleProblem[]} problems
 * @property {string[]} wants names of capabilities that the source declares
 * @property {string[]} granted
 * @property {{time: Moment, level: "info" | "error", text: string}[]} log
 *
 * @typedef {object} LibraryDocument
 * @property {string} id
 * @property {string} name
 * @property {string} collection
 * @property {number} words
 * @property {number} [pages]
 * @property {number} chunks passages
 * @property {number} embedded passages that can be found by their meaning
 * @property {Moment} added
 *
 * @typedef {object} FoundPassages
 * @property {string} query
 * @property {string | null} collection null: all were searched
 * @property {{document: string, name: string, page?: number, heading: string, text: string}[]} passages best first
 * @property {number} total passages that were searched
 * @property {number} pending of those, by their words alone
 * @property {Problem} [problem]
 *
 * @typedef {"system" | "light" | "dark"} Theme
 * @typedef {{id: string, title: string, text: string}} SavedPrompt
 *
 * @typedef {object} Choices what the user prefers, each kept by itself
 * @property {string} summary_style id of one of `styles`
 * @property {string} language English name; "": the page's own
 * @property {Theme} theme
 * @property {number | null} temperature null: automatic
 * @property {number | null} longest_answer tokens; null: automatic
 * @property {string} system_prompt "": Amplifier's own
 * @property {"auto" | "gpu" | "cpu"} run_on what models run on
 * @property {number | null} keep_minutes how long an unused model stays in memory; null: always
 * @property {boolean} synchronize through Chrome, with the user's other computers
 *
 * @typedef {object} OtherPreferences
 * @property {SavedPrompt[]} saved_prompts in the order of their titles
 * @property {string[]} unsynced names of those that Chrome would not synchronize
 * @property {string} default_system_prompt
 * @property {{name: string, native: string}[]} languages
 * @property {{id: string, name: string, detail: string}[]} styles
 *
 * @typedef {Choices & OtherPreferences} Preferences
 *
 * @typedef {object} KeptData what is kept on this computer; null: nobody knows
 * @property {{name: "conversations" | "documents" | "models" | "notes" | "modules", count: number | null, bytes: number | null}[]} lines
 * @property {number | null} usage bytes, of all
 * @property {number | null} quota
 *
 * @typedef {object} Settings
 * @property {Grant[]} grants
 * @property {UserNote[]} notes
 * @property {ToolInfo[]} tools
 * @property {UserModule[]} modules
 * @property {{name: string, label: string}[]} capabilities
 * @property {Preferences} [preferences]
 * @property {KeptData} [data] once it was asked for
 * @property {{name: string, source: string}[]} [examples] starting points for a new module
 * @property {LibraryDocument[]} [documents] missing until the library has told them
 * @property {FoundPassages | null} [found] what the last search found
 * @property {"gpu" | "cpu" | null} [search_device] where search by meaning runs; null until it was needed
 * @property {Problem | null} [trouble] what is wrong with the library
 *
 * @typedef {"models" | "permissions" | "answers" | "prompts" | "notes" | "documents" | "tools" | "modules" | "general" | "data" | "log"} SettingsSection
 *
 * @typedef {object} ModuleDraft what stands in the editor and is not saved
 * @property {string | null} id null for a module that was never saved
 * @property {string} name
 * @property {string} source
 */

/**
 * @typedef {"absent" | "downloading" | "loading" | "ready" | "generating" | "asleep" | "waiting" | "lost" | "unavailable"} EngineState
 *
 * @typedef {object} Engine
 * @property {EngineState} state
 * @property {"unused" | "memory" | null} [why] it is asleep
 * @property {"webllm" | "wllama" | "browser" | "server" | null} engine on the graphics card, on the CPU, Chrome's own, elsewhere; null until a model was asked for
 * @property {{id: string, name: string, context_window?: number} | null} model the one that the panel has chosen: all the rest is
 *   said of it
 * @property {string} asked the model of the view's last choose-model; "" if there was none
 * @property {string} host of the server that answers, to which text leaves the browser; "" if none does
 * @property {string} blind why it takes no images; "" if it does
 * @property {{id: string, name: string}[]} models bundled models to choose from
 * @property {number | null} progress 0 to 1, null when unknown
 * @property {string} text a line for people
 * @property {Problem | null} error
 *
 * @typedef {{id: number, title: string, url: string} | null} Tab null where the extension may not see it
 * @typedef {"info" | "warning" | "error"} Level
 */

/**
 * @typedef {object} OpenTab title and address are empty where the extension may not see them
 * @property {number} id
 * @property {string} title
 * @property {string} url
 * @property {boolean} isCurrent it is the one beside the panel
 * @property {boolean} isPage it may be read if the user allows it, as far as its address is known
 *
 * @typedef {{permissions: string[], origins: string[]}} Granted
 * @typedef {Granted & {revocable: Granted}} Permissions what Chrome has granted, and what of it the user may take back
 */

/**
 * What the view asks of Python.
 *
 * @typedef {{type: "prompt", id: string, text: string, attachments?: string[]}
 *   | {type: "summarize", id: string, style?: string, language?: string}
 *   | SettingsCommand
 *   | {type: "stop"}
 *   | {type: "retry", id: string}
 *   | {type: "continue", id: string}
 *   | {type: "edit", id: string, text: string}
 *   | {type: "new-session", temporary?: boolean}
 *   | SessionCommand
 *   | ModelCommand
 *   | {type: "choose-model", model: string}
 *   | {type: "show-citation", id: string, number: number}
 *   | {type: "reload-engine"}
 *   | {type: "restart-python"}
 *   | {type: "approve", id: string, scope: ApprovalScope}
 *   | {type: "deny", id: string}
 *   | {type: "show-settings"}
 *   | {type: "hide-settings"}
 *   | {type: "revoke", id: string}
 *   | {type: "delete-note", id: string}
 *   | {type: "add-note", text: string}
 *   | {type: "save-module", id: string | null, name: string, source: string}
 *   | {type: "enable-module", id: string, enabled: boolean}
 *   | {type: "grant-module", id: string, capability: string, granted: boolean}
 *   | {type: "remove-module", id: string}
 *   | {type: "reload-module", id: string}
 *   | {type: "export-log"}
 *   | {type: "attach-started", id: string, kind: Attachment["kind"], name: string}
 *   | AttachDocument
 *   | ({type: "attach-image", id: string, name: string} & ({width: number, height: number} | import("./pictures.js").Refusal))
 *   | {type: "explain-images"}
 *   | {type: "detach", id: string}
 *   | {type: "ask-documents", collection: string | null}
 *   | {type: "mention-tab", id: string, tab: number, title: string, url: string}
 *   | {type: "mention-document", id: string, document: string}
 *   | {type: "follow-tab", value: boolean}
 *   | {type: "delete-document", id: string}
 *   | {type: "move-document", id: string, collection: string}
 *   | {type: "rename-collection", from: string, to: string}
 *   | {type: "delete-collection", collection: string}
 *   | {type: "restore-documents", ids: string[]}
 *   | {type: "export-collection", collection: string}
 *   | {type: "import-collection", text: string}
 *   | {type: "search-documents", query: string, collection: string | null}} Command
 */

/**
 * What is asked for models. Each is answered by the list, while it is shown.
 *
 * @typedef {{type: "show-models"}
 *   | {type: "hide-models"}
 *   | {type: "download-model" | "pause-download" | "resume-download" | "cancel-download", model: string}
 *   | {type: "delete-model" | "check-model", model: string}
 *   | {type: "add-model", address: string}
 *   | {type: "name-server", address: string}
 *   | {type: "add-server", address: string, api_key: string, context_window?: number}
 *   | {type: "check-server" | "remove-server", id: string}
 *   | {type: "measure" | "stop-measuring"}} ModelCommand
 *
 * @typedef {object} ModelItem
 * @property {string} id
 * @property {string} name
 * @property {string} publisher
 * @property {number} size_bytes of the download; 0 when unknown
 * @property {boolean} is_size_estimated
 * @property {number} vram_bytes 0 when unknown
 * @property {number} context_window
 * @property {string} licence
 * @property {string} good_for
 * @property {"yes" | "tight" | "unknown" | "no"} fits this machine
 * @property {string} why
 * @property {boolean} is_vision
 * @property {boolean} calls_functions
 * @property {boolean} is_recommended
 * @property {string} reason for the recommendation
 * @property {boolean} is_bundled
 * @property {boolean} is_custom added by address
 * @property {boolean} [is_built_in] it is Chrome's, which keeps it
 * @property {boolean} is_loaded
 * @property {"absent" | "queued" | "checking" | "downloading" | "paused" | "waiting" | "verifying" | "complete" | "partial" | "error"} state
 * @property {number | null} progress 0 to 1, null when unknown
 * @property {string} detail a line for people
 * @property {string} speed how fast it writes here, measured or predicted; "" when unknown
 * @property {string} page how long it takes for the summary of a page, likewise
 * @property {Problem} [problem]
 *
 * @typedef {object} Doctor what was measured of this computer
 * @property {{text: string, progress: number} | null} running progress 0 to 1
 * @property {Problem | null} problem why it was not measured
 * @property {{at: number, lines: {label: string, text: string}[], advice: string[]} | null} result `at` in epoch milliseconds
 * @property {number} seconds that it takes at most
 *
 * @typedef {object} Models
 * @property {ModelItem[]} models best first
 * @property {{description: string, f16: boolean, max_buffer: number, memory: number | null} | null} adapter
 * @property {{lines: {label: string, bytes: number, text: string}[], usage: number, quota: number, text: string}} storage
 * @property {string} note what holds for all of them
 * @property {{address: string, model: string | null, problem: Problem | null} | null} added what came of the last address
 * @property {Doctor} doctor
 * @property {ServerItem[]} servers of the user's own
 * @property {{address: string, host: string, permission: string, warning: string, problem: Problem | null} | null} server_draft
 *   what the address means that is being written
 * @property {{address: string, server: string | null, problem: Problem | null} | null} server_added what came of the last address
 *
 * @typedef {object} ServerItem
 * @property {string} id
 * @property {string} host with its port
 * @property {string} permission a match pattern
 * @property {string} kind which program it is
 * @property {string} warning "" if there is none
 * @property {boolean} has_key
 * @property {boolean} is_permitted by Chrome
 * @property {boolean} is_checked it has answered since one looks
 * @property {Problem | null} problem
 * @property {{id: string, name: string, context_window: number, is_vision: boolean, is_chosen: boolean}[]} models
 */

/**
 * What is asked for settings. A value that there is not is refused by Python, and the settings are told as they are.
 *
 * @typedef {{[Name in keyof Choices]: {type: "set-preference", name: Name, value: Choices[Name]}}[keyof Choices]
 *   | {type: "save-prompt", id: string | null, title: string, text: string}
 *   | {type: "delete-prompt", id: string}
 *   | {type: "reset-settings"}
 *   | {type: "show-data"}
 *   | {type: "delete-everything"}} SettingsCommand
 */

/**
 * What is asked for conversations. Each is answered by the list.
 *
 * @typedef {{type: "list-sessions"}
 *   | {type: "search-sessions", query: string}
 *   | {type: "open-session", id: string, take?: boolean}
 *   | {type: "rename-session", id: string, title: string}
 *   | {type: "pin-session", id: string, pinned: boolean}
 *   | {type: "delete-session", id: string}
 *   | {type: "restore-sessions", ids: string[]}
 *   | {type: "delete-all-sessions"}
 *   | {type: "fork-session", message: string}
 *   | {type: "export-session", id: string, format: "json" | "markdown"}
 *   | {type: "import-session", text: string, name: string}} SessionCommand
 *
 * @typedef {object} SessionItem
 * @property {string} id
 * @property {string} title
 * @property {number} created epoch milliseconds
 * @property {number} updated epoch milliseconds
 * @property {boolean} pinned
 * @property {number} messages
 * @property {string} model
 * @property {boolean} open
 * @property {string} [snippet] where it holds what was searched for
 *
 * @typedef {object} OpenSession
 * @property {string} id
 * @property {string} title
 * @property {"kept" | "temporary" | "unsaved"} state
 * @property {Problem} [problem] why it is not saved
 */

/**
 * One line of what happened, in words.
 *
 * @typedef {{time: number, level: Level, text: string}} Happening `time` in epoch milliseconds
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
 *   | {type: "notice", level: Level, text: string, action?: Action}
 *   | {type: "session", session: OpenSession}
 *   | {type: "sessions", query: string, sessions: SessionItem[], error: Problem | null}
 *   | {type: "engine", engine: Engine}
 *   | ({type: "models"} & Models)
 *   | {type: "fatal", error: Problem}
 *   | {type: "restarting"}
 *   | {type: "timeline", entries: Happening[]}
 *   | {type: "approval", approval: Approval}
 *   | {type: "approval-over", id: string}
 *   | {type: "settings", settings: Settings}
 *   | AttachmentEvent
 *   | {type: "tab", tab: Tab}
 *   | {type: "tabs", tabs: OpenTab[]}
 *   | {type: "permissions-changed", permissions: Permissions}} PanelEvent
 *
 * @typedef {{type: "attachment", attachment: Attachment}
 *   | {type: "attachment-removed", id: string}} AttachmentEvent
 */

/**
 * What only the view tells its own store.
 *
 * @typedef {{type: "sent", command: Command}
 *   | {type: "draft", text: string}
 *   | {type: "edit-start", id: string}
 *   | {type: "edit-cancel"}
 *   | {type: "dismiss", id: number}
 *   | {type: "announce", text: string}
 *   | {type: "explain", what: Explaining}
 *   | {type: "sessions-open"}
 *   | {type: "sessions-close"}
 *   | SettingsEvent} ViewEvent
 *
 * @typedef {{type: "settings-open"}
 *   | {type: "settings-close"}
 *   | {type: "settings-section", section: SettingsSection}
 *   | {type: "module-new", name: string, source: string}
 *   | {type: "module-open", key: string}
 *   | {type: "module-close"}
 *   | {type: "module-draft", key: string, name: string, source: string}
 *   | {type: "module-discard", key: string}} SettingsEvent `key`: a module's id, or that of a draft never saved
 */

/**
 * @typedef {"tabs" | "follow" | null} Explaining the permission that the user is told about before Chrome asks for it
 *
 * @typedef {object} Notice
 * @property {number} id
 * @property {Level} level
 * @property {string} text
 * @property {Action} [action]
 *
 * @typedef {object} Sessions the list of conversations
 * @property {boolean} isOpen the dialog
 * @property {SessionItem[] | null} items pinned ones first, then the latest; null until Python has told
 * @property {string} query what they were searched for; "": these are all
 * @property {Problem | null} error why they cannot be read
 * @property {{items: SessionItem[], undo: {text: string, command: Command}} | null} deleted by the last deletion, which may come back
 * @property {boolean} isAwaited another conversation was asked for
 * @property {string[]} left ids of messages that were there when it was
 *
 * @typedef {object} State everything the view shows
 * @property {{state: "starting" | "ready" | "failed", error: Problem | null}} python
 * @property {Engine} engine
 * @property {string} choosing id of the model that was chosen and of which Python does not know yet; "" otherwise
 * @property {Message[]} messages in the order they are shown
 * @property {boolean} busy
 * @property {Tab} tab
 * @property {OpenTab[] | null} tabs the last one looked at first; kept only while somebody watches them
 * @property {Permissions} permissions
 * @property {Explaining} explaining
 * @property {string} draft what stands in the composer
 * @property {Attachment[]} attachments what the next message is sent with
 * @property {string[]} detached ids of attachments that were sent or removed, of which there may still be news
 * @property {string | null} editing id of the user message being edited
 * @property {Notice[]} notices
 * @property {{id: number, text: string}} announcement last line for screen readers
 * @property {Approval[]} approvals oldest first; the first is asked
 * @property {Happening[]} timeline what happened, oldest first
 * @property {OpenSession | null} session the conversation that is open; null until Python has told
 * @property {Sessions} sessions
 * @property {Models | null} models null until Python has told
 * @property {Settings | null} settings null until Python has told
 * @property {boolean} settingsOpen
 * @property {SettingsSection} section
 * @property {Record<string, ModuleDraft>} drafts modules with changes that are not saved
 * @property {string | null} editor key of the module that is open
 * @property {string | null} saving key of the module that is being saved and checked
 * @property {{text: string, command: Command} | null} undo what was just removed, and how it comes back
 */

/**
 * @typedef {object} Store
 * @property {() => State} getState
 * @property {(listener: () => void) => () => void} subscribe returns the way to unsubscribe
 * @property {(event: PanelEvent | ViewEvent) => void} dispatch
 * @property {(command: Command) => void} send shows the command's effect at once and passes it on
 * @property {(files: Iterable<File>) => void} attach has files read, to go along with the next message
 * @property {() => Promise<File>} screenshot of the tab beside the panel; rejects where Chrome does not allow it
 * @property {(id: string) => Promise<Blob | null>} image that a message was sent with, or that is attached
 * @property {(needs: Needs) => Promise<boolean>} requestPermissions asks Chrome, which asks the user; only within a click
 * @property {(needs: Needs) => Promise<boolean>} removePermissions
 * @property {(tab: {id: number, url: string}) => Promise<boolean>} requestTab asks for a tab's site, unless it can be read; only within a click
 * @property {() => () => void} watchTabs keeps `tabs` of the state current until what it returns is called
 */

export {};
