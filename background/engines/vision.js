// What WebLLM needs for images besides what it takes by itself.

/** @import { ChatMessage } from "../protocol.js" */

/** @param {ChatMessage[]} messages */
export function hasImages(messages) {
  return messages.some(({ content }) => typeof content !== "string");
}

/**
 * WebLLM's chat interface always opens a new reply. Where images forbid to give it the prompt as text, the reply that is gone on
 * with is put behind the words that open it.
 * @param {any} conversation  WebLLM's, of one pipeline
 * @param {string} begun
 * @returns {() => void}  takes it back
 */
export function beginReply(conversation, begun) {
  const names = /** @type {const} */ (["getPromptArray", "getPromptArrayLastRound"]);
  for (const name of names) {
    const original = conversation[name].bind(conversation);
    conversation[name] = (/** @type {unknown[]} */ ...args) => {
      const prompts = original(...args);
      return [...prompts.slice(0, -1), prompts.at(-1) + begun];
    };
  }
  return () => {
    for (const name of names) delete conversation[name];
  };
}

/** Width to height of the canvases that an image may be put on, so that it takes fewer tokens. */
const SHAPES = [4 / 3, 3 / 4, 16 / 9, 9 / 16, 2, 1 / 2];

/**
 * The size that an image must have so that it fits into one chunk of the prompt, which WebLLM never cuts; a border fills the rest.
 * @param {{width: number, height: number}} image
 * @param {number} most   tokens of a chunk
 * @param {(height: number, width: number) => number} tokensOf
 */
export function fittedCanvas({ width, height }, most, tokensOf) {
  if (tokensOf(height, width) <= most) return { width, height };
  const canvases = SHAPES.map((shape) => ({
    width: Math.max(width, Math.round(height * shape)),
    height: Math.max(height, Math.round(width / shape)),
  }));
  const fitting = canvases.filter((canvas) => tokensOf(canvas.height, canvas.width) <= most);
  fitting.sort((a, b) => a.width * a.height - b.width * b.height);
  return fitting[0] ?? { width, height };
}

/**
 * The messages with images that fit; see fittedCanvas.
 * @param {ChatMessage[]} messages
 * @param {any} pipeline  WebLLM's
 */
export async function withFittingImages(messages, pipeline) {
  if (pipeline.artifact !== undefined) return [...messages]; // its images are all made the same size
  const tokensOf = (/** @type {number} */ height, /** @type {number} */ width) =>
    pipeline.computeImageEmbedSize(height, width);
  const fitted = async (/** @type {ChatMessage} */ message) => {
    if (typeof message.content === "string") return message;
    const parts = message.content.map(async (part) => {
      if (part.type !== "image_url") return part;
      return { ...part, image_url: { url: await refitted(part.image_url.url, pipeline.prefillChunkSize, tokensOf) } };
    });
    return { ...message, content: await Promise.all(parts) };
  };
  return Promise.all(messages.map(fitted));
}

/**
 * @param {string} url
 * @param {number} most
 * @param {(height: number, width: number) => number} tokensOf
 */
async function refitted(url, most, tokensOf) {
  const image = await createImageBitmap(await (await fetch(url)).blob());
  const { width, height } = fittedCanvas(image, most, tokensOf);
  if (width === image.width && height === image.height) return url;
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, (width - image.width) / 2, (height - image.height) / 2);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:image/png;base64,${btoa(text)}`;
}
