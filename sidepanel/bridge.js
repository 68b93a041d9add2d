// Relays: view <-> Python's Worker <-> engine port. It decides nothing; JSON text is what crosses to Python.

import { createBuiltInCalls } from "./built-in-model.js";
import { EnginePort } from "./engine-port.js";
import { createHost, watchPermissions, watchTab, watchWishes } from "./host.js";
import { keepSnapshotSoon } from "./keep-snapshot.js";
import { MODEL_CALLS } from "./models-calls.js";
import { PythonProcess } from "./python-process.js";
import { createSandboxes } from "./sandboxes.js";
import { createSessionCalls } from "./sessions-store.js";
import { SETTINGS_CALLS, watchPreferences } from "./settings-calls.js";
import { Unkept } from "./unkept.js";

/** @import { Command, PanelEvent } from "./types.js" */

/**
 * Starts Python and the engine, and carries messages between them and the view.
 * @param {(event: PanelEvent) => void} dispatch  takes every event for the view
 * @returns {{send: (command: Command) => void}}
 */
export function connect(dispatch) {
  /** What a Python that is started again must hear anew, by type. @type {Map<string, object>} */
  const latest = new Map();
  const unkept = new Unkept();
  /** @type {object[]} */
  let happened = [];
  let startedFrom = "";
  const python = new PythonProcess({ onMessage, onStart, onFailed, onError });
  const toPython = (/** @type {any} */ message) => {
    unkept.sent(message);
    python.send(message);
  };
  const engine = new EnginePort((message) => python.send(message));
  const sandboxes = createSandboxes(toPython);
  const host = createHost({
    settings: SETTINGS_CALLS,
    sandboxes,
    sessions: createSessionCalls(toPython),
    models: MODEL_CALLS,
    builtIn: createBuiltInCalls(toPython),
  });

  /**
   * @param {{id: number, name: string, args: any}} call
   * @param {import("./python-process.js").Reply} reply
   */
  async function answer({ id, name, args }, reply) {
    try {
      const value = await host(name, args);
      if (name === "sessions.write") unkept.kept(args.messages);
      reply({ type: "returned", id, value });
    } catch (error) {
      reply({ type: "raised", id, message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** @param {any} message @param {import("./python-process.js").Reply} reply */
  function onMessage(message, reply) {
    if (message.type === "call") answer(message, reply);
    else if (message.type === "to-engine") engine.post(message.message);
    else if (message.type === "fatal") onFatal(message.error);
    else if (message.type === "started") startedFrom = message.from;
    else {
      if (message.type === "ready") onReady();
      if (message.type === "session") unkept.opened(message.session);
      if (message.type === "timeline") happened = message.entries;
      dispatch(message);
    }
  }

  function onReady() {
    performance.mark("python-ready", { detail: startedFrom });
    if (startedFrom === "archives") keepSnapshotSoon();
  }

  /** It takes up the conversation by itself; the rest is told to it. @param {string} reason */
  function onStart(reason) {
    dispatch({ type: "restarting" });
    sandboxes["sandbox.end-all"]({});
    python.send({ type: "restarted", reason, entries: happened });
    for (const message of [...latest.values(), ...unkept.all()]) python.send(message);
    engine.reopen();
  }

  /** @param {string} reason */
  function onFailed(reason) {
    onFatal({
      title: "Amplifier stopped",
      detail:
        "What you wrote is kept. Try again; if that does not help, close the panel and open it again, or install the extension anew.",
      technical: `Python's Worker: ${reason}`,
    });
  }

  /** @param {import("./types.js").Problem} error */
  function onFatal(error) {
    dispatch({
      type: "fatal",
      error: { ...error, action: { label: "Try again", command: { type: "restart-python" } } },
    });
  }

  /** @param {string} text */
  function onError(text) {
    const words = `Something failed inside Amplifier, and it goes on. If it does not answer any more, reload the panel. (${text})`;
    dispatch({ type: "notice", level: "error", text: words });
  }

  python.start();
  engine.open();
  watchTab((tab) => {
    dispatch({ type: "tab", tab });
    tellAgain({ type: "tab-changed", tab });
  });
  watchPermissions((permissions, isChange) => {
    dispatch({ type: "permissions-changed", permissions });
    if (isChange) tellAgain({ type: "permissions-changed", permissions });
  });
  watchWishes(toPython);
  watchPreferences(toPython);

  /** @param {{type: string} & Record<string, unknown>} message */
  function tellAgain(message) {
    latest.set(message.type, message);
    toPython(message);
  }

  return {
    send: (command) =>
      command.type === "restart-python" ? python.restart("it was started again by hand") : toPython(command),
  };
}
