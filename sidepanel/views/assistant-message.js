import { html } from "htm/preact";
import { useCallback, useState } from "preact/hooks";
import { timeLeft } from "../time-left.js";
import { CitationCard } from "./citation-card.js";
import { CopyButton } from "./copy.js";
import {
  AlertIcon,
  BranchIcon,
  CheckIcon,
  ChevronIcon,
  ClockIcon,
  GlobeIcon,
  InfoIcon,
  PlayIcon,
  RetryIcon,
  SpeedIcon,
  StopIcon,
} from "./icons.js";
import { MarkdownText } from "./markdown-text.js";
import { ProblemCard } from "./problem-card.js";
import { SeenPassages } from "./seen.js";
import { SourceCard } from "./source-card.js";
import { Steps } from "./steps.js";
import { UsageList, usageSpeed } from "./usage.js";

/** @import { Message, Progress, Section, Store } from "../types.js" */

/** @type {import("../types.js").Citation[]} one object, so that a text without any is not rendered again */
const NONE = [];

/** @param {import("./message.js").MessageProps} props */
export function AssistantMessage({ message, store, latest }) {
  const {
    id,
    state,
    text,
    source,
    progress,
    sections = [],
    steps = [],
    notes = [],
    citations = NONE,
    seen = [],
    sent_to: hosts = [],
    error,
  } = message;
  const [opened, setOpened] = useState(/** @type {number | null} */ (null));
  const passage = citations.find(({ number, document }) => document !== undefined && number === opened);
  const announce = useCallback(
    (/** @type {string} */ line) => store.dispatch({ type: "announce", text: line }),
    [store],
  );

  /** @param {number} number */
  function onCitation(number) {
    const isPassage = citations.some((citation) => citation.number === number && citation.document !== undefined);
    if (isPassage) setOpened(number === opened ? null : number);
    else store.send({ type: "show-citation", id, number });
  }
  const working = state === "streaming" || state === "queued";
  const inStep = steps.some((step) => step.state === "running" || step.state === "asking");
  return html`<article class="message assistant" data-testid="message" data-role="assistant" data-state=${state}
    data-id=${id} aria-label="Answer" aria-busy=${working}>
    ${source && html`<${SourceCard} source=${source} />`}
    ${steps.length > 0 && html`<${Steps} steps=${steps} announce=${announce} />`}
    ${working && progress && html`<${ProgressLine} progress=${progress} />`}
    ${
      working &&
      !progress &&
      !text &&
      !inStep &&
      html`<p class="thinking"><span class="dots" aria-hidden="true"><i /><i /><i /></span>
      <span class="visually-hidden">Working on an answer</span></p>`
    }
    <div data-testid="message-text">${
      text &&
      html`<${MarkdownText} text=${text} announce=${announce} citations=${citations} onCitation=${onCitation} />`
    }</div>
    ${passage && html`<${CitationCard} key=${opened} citation=${passage} onClose=${() => setOpened(null)} />`}
    ${
      sections.length > 0 &&
      html`<div class="sections">
        <p class="sections-title">Section by section</p>
        ${sections.map((section, index) => html`<${SectionView} key=${index} section=${section} announce=${announce} />`)}
      </div>`
    }
    ${seen.length > 0 && html`<${SeenPassages} seen=${seen} />`}
    ${notes.map((note) => html`<p class="note" data-testid="note" dir="auto"><${InfoIcon} /><span>${note}</span></p>`)}
    ${
      error &&
      html`<${ProblemCard} problem=${error} label=${error.action?.label}
      onAction=${() => error.action && store.send(error.action.command)} />`
    }
    ${(hasText(message) ? hosts : []).map(
      (
        host,
      ) => html`<p class="sent-to" key=${host} data-testid="sent-to"><${GlobeIcon} /><span>Answered by <bdi>${host}</bdi>: text
        left this browser</span></p>`,
    )}
    ${state === "stopped" && html`<p class="stopped"><${StopIcon} />Stopped</p>`}
    ${!working && html`<${Actions} message=${message} store=${store} latest=${latest} announce=${announce} />`}
  </article>`;
}

/** @param {{message: Message, store: Store, latest: boolean, announce: (text: string) => void}} props */
function Actions({ message, store, latest, announce }) {
  const [open, setOpen] = useState(false);
  const { id, state, usage, error } = message;
  const retriesItself = error?.action?.command.type === "retry";
  const unfinished = latest && (state === "stopped" || state === "error");
  const speed = usage && usageSpeed(usage);
  return html`<div class=${`actions ${latest ? "always" : ""}`}>
      ${
        unfinished &&
        hasText(message) &&
        html`<button type="button" class="button" data-testid="continue"
        onClick=${() => store.send({ type: "continue", id })}><${PlayIcon} />Continue</button>`
      }
      ${
        unfinished &&
        !retriesItself &&
        html`<button type="button" class="button" data-testid="retry"
        onClick=${() => store.send({ type: "retry", id })}><${RetryIcon} />Retry</button>`
      }
      ${hasText(message) && html`<${CopyButton} text=${() => textToCopy(message)} announce=${announce} />`}
      ${
        latest &&
        !unfinished &&
        html`<button type="button" class="icon-button small" data-testid="retry" title="Answer again"
        aria-label="Answer again" onClick=${() => store.send({ type: "retry", id })}><${RetryIcon} /></button>`
      }
      ${
        hasText(message) &&
        html`<button type="button" class="icon-button small" data-testid="fork" title="Fork from here: go on in a copy"
        aria-label="Fork from here: go on in a copy"
        onClick=${() => store.send({ type: "fork-session", message: id })}><${BranchIcon} /></button>`
      }
      ${
        usage &&
        html`<button type="button" class="icon-button small" data-testid="usage-toggle" title=${speed || "Tokens"}
        aria-label=${speed ? `Speed: ${speed}` : "Tokens"} aria-expanded=${open}
        onClick=${() => setOpen(!open)}><${SpeedIcon} /></button>`
      }
    </div>
    ${usage && open && html`<${UsageList} usage=${usage} />`}`;
}

/** @param {Message} message */
function hasText(message) {
  return Boolean(message.text || message.sections?.some((section) => section.text));
}

/**
 * The whole answer; the sections stand in while there is no whole.
 *
 * @param {Message} message
 */
function textToCopy({ text, sections = [] }) {
  if (text) return text;
  const written = sections.filter((section) => section.text);
  return written.map((section) => `## ${section.title}\n\n${section.text}`).join("\n\n");
}

/** @param {{progress: Progress}} props */
function ProgressLine({ progress }) {
  const { label, done, total, seconds_left: left } = progress;
  return html`<div class="work" data-testid="progress">
    <span class="work-label">${label}${left && html` <span class="work-time" data-testid="time-left">${timeLeft(left)}</span>`}</span>
    ${total > 0 ? html`<progress key="part" value=${done} max=${total} aria-label=${label} />` : html`<progress key="any" aria-label=${label} />`}
  </div>`;
}

const SECTION_STATES = {
  waiting: { icon: ClockIcon, words: "waiting" },
  streaming: { icon: () => html`<span class="spinner" aria-hidden="true" />`, words: "in work" },
  done: { icon: CheckIcon, words: "" },
  stopped: { icon: StopIcon, words: "stopped" },
  error: { icon: AlertIcon, words: "failed" },
};

/** @param {{section: Section, announce: (text: string) => void}} props */
function SectionView({ section, announce }) {
  const [choice, setChoice] = useState(/** @type {boolean | null} */ (null));
  const open = choice ?? section.state === "streaming";
  const { icon, words } = SECTION_STATES[section.state];

  /** @param {MouseEvent} event */
  function toggle(event) {
    event.preventDefault();
    setChoice(!open);
  }
  return html`<details class="section" data-testid="section" data-state=${section.state} open=${open}>
    <summary onClick=${toggle}>
      <span class="chevron"><${ChevronIcon} /></span><span class="section-title" dir="auto">${section.title}</span>
      <span class="section-state" title=${words}><${icon} />${words && html`<span class="visually-hidden">${words}</span>`}</span>
    </summary>
    ${open && section.text && html`<${MarkdownText} text=${section.text} announce=${announce} />`}
  </details>`;
}
