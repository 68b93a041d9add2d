import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { saveDraft } from "../draft.js";
import { Approvals } from "./approvals.js";
import { Empty } from "./empty.js";
import { useFollow } from "./follow.js";
import { DownIcon } from "./icons.js";
import { MessageView } from "./message.js";
import { ProblemCard } from "./problem-card.js";

/** @import { Command, Problem, State, Store } from "../types.js" */

/** @param {{state: State, store: Store}} props */
export function Transcript({ state, store }) {
  const { messages, editing, approvals, settingsOpen, sessions } = state;
  const { box, content, away, onScroll, follow } = useFollow();
  const lastQuestion = messages.findLast((message) => message.role === "user")?.id;
  useEffect(follow, [lastQuestion]);
  const lastAnswer = messages.findLast((message) => message.role === "assistant")?.id;
  const waiting = waitingWords(state);
  const problem = blockingProblem(state);

  return html`<main class="transcript">
    <div class="scroller" ref=${box} onScroll=${onScroll} tabindex="0" role="log" aria-live="off" aria-label="Conversation"
      data-testid="transcript">
      <div class="content" ref=${content}>
        ${
          isWelcome(state) &&
          html`<${Empty} tab=${state.tab} engine=${state.engine} preferences=${state.settings?.preferences}
          temporary=${state.session?.state === "temporary"} store=${store} />`
        }
        ${messages.map(
          (
            message,
          ) => html`<${MessageView} key=${message.id} message=${message} store=${store} editing=${editing === message.id}
            latest=${message.id === lastAnswer} waiting=${message.state === "queued" ? waiting : ""} />`,
        )}
        ${problem && html`<${BlockingProblem} problem=${problem} store=${store} />`}
        <${Approvals} approvals=${approvals} covered=${settingsOpen || sessions.isOpen} onAsk=${follow} store=${store} />
      </div>
    </div>
    ${away && html`<button type="button" class="jump" onClick=${follow}><${DownIcon} />Jump to latest</button>`}
  </main>`;
}

/**
 * @param {State} state
 * @returns {boolean} whether the session is empty and can start
 */
export function isWelcome(state) {
  return state.messages.length === 0 && !blockingProblem(state);
}

/**
 * Why nothing can be answered, if so.
 *
 * @param {State} state
 * @returns {Problem | null}
 */
function blockingProblem({ python, engine }) {
  if (python.state === "failed") return python.error ?? { title: "The assistant did not start", detail: "" };
  if (engine.state === "unavailable") {
    return withAction(engine.error ?? { title: "The model is not available", detail: engine.text }, {
      type: "reload-engine",
    });
  }
  return engine.state === "lost" && engine.error ? withAction(engine.error, { type: "reload-engine" }) : null;
}

/**
 * @param {Problem} problem
 * @param {Command} command
 * @returns {Problem}
 */
function withAction(problem, command) {
  return problem.action ? problem : { ...problem, action: { label: "Try again", command } };
}

/** @param {{problem: Problem, store: Store}} props */
function BlockingProblem({ problem, store }) {
  const { action } = problem;
  if (action) {
    return html`<${ProblemCard} problem=${problem} label=${action.label} onAction=${() => store.send(action.command)} />`;
  }
  function reload() {
    saveDraft(store.getState());
    location.reload();
  }
  return html`<${ProblemCard} problem=${problem} label="Reload the panel" onAction=${reload} />`;
}

/**
 * When a queued message will be sent.
 *
 * @param {State} state
 */
function waitingWords({ python, engine, busy }) {
  if (python.state === "failed") return "Not sent: the assistant did not start";
  if (engine.state === "unavailable") return "Sends when the model works again";
  if (busy) return "Sends after this answer";
  if (python.state === "ready" && engine.state === "ready") return "Sending";
  return "Sends when the model is ready";
}
