import { html } from "htm/preact";
import { Component, h } from "preact";
import { useRef } from "preact/hooks";
import { renderBlock, splitBlocks, syncChildren } from "../markdown.js";
import { copyText, FEEDBACK_MS } from "./copy.js";

/** @import { Token } from "marked" */
/** @import { Citation } from "../types.js" */

/**
 * One top-level block. Its inside is the sanitizer's DOM, which Preact does not look into.
 *
 * @typedef {{raw: string, token: Token, citations?: Citation[]}} BlockProps
 * @extends {Component<BlockProps>}
 */
class Block extends Component {
  /** @param {BlockProps} next */
  shouldComponentUpdate(next) {
    const isOther = next.raw !== this.props.raw || next.citations !== this.props.citations;
    if (isOther && this.element) syncChildren(this.element, renderBlock(next.token, next.citations));
    return false;
  }

  componentDidMount() {
    this.element?.replaceChildren(renderBlock(this.props.token, this.props.citations));
  }

  render() {
    return h("div", {
      class: "block",
      ref: (/** @type {HTMLElement | null} */ element) => {
        this.element = element;
      },
    });
  }
}

/**
 * Markdown as it streams in: only the last block is parsed, sanitized and compared again.
 *
 * @param {object} props
 * @param {string} props.text
 * @param {(text: string) => void} props.announce
 * @param {Citation[]} [props.citations]
 * @param {(number: number) => void} [props.onCitation]
 */
export function MarkdownText({ text, announce, citations, onCitation }) {
  const blocks = splitBlocks(text);
  const timers = useRef(/** @type {WeakMap<Element, ReturnType<typeof setTimeout>>} */ (new WeakMap()));

  /** @param {MouseEvent} event */
  async function onClick(event) {
    const citation = event.target instanceof Element ? event.target.closest("button.citation") : null;
    if (citation) return onCitation?.(Number(citation.textContent));
    const button = event.target instanceof Element ? event.target.closest("button.code-copy") : null;
    if (!button) return;
    const code = button.closest(".code-box")?.querySelector("code")?.textContent ?? "";
    // Without the last line break, or pasting into a terminal would run it.
    const answer = (await copyText(code.trimEnd())) ? "Copied" : "Could not copy";
    button.textContent = answer;
    announce(answer);
    clearTimeout(timers.current.get(button));
    const restore = () => {
      button.textContent = "Copy";
    };
    timers.current.set(button, setTimeout(restore, FEEDBACK_MS));
  }
  return html`<div class="prose" onClick=${onClick}>
    ${blocks.map((block, index) => html`<${Block} key=${index} ...${block} citations=${citations} />`)}
  </div>`;
}
