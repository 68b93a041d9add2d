import assert from "node:assert/strict";
import { test } from "node:test";
import { MLCEngine, ModelType } from "@mlc-ai/web-llm";
import { beginReply, fittedCanvas } from "../../background/engines/vision.js";
import { fitted, isImage, kindOf } from "../../sidepanel/pictures.js";

// WebLLM's own checks and its own prompt. In the place of its pipeline, which needs a GPU, there is a stand-in.

const URL = "data:image/jpeg;base64,AAAA";
const image = { type: "image_url", image_url: { url: URL } };
const asked = [
  { role: "system", content: "Be brief." },
  { role: "user", content: [image, { type: "text", text: "What is this?" }] },
];
const CONFIG = {
  model_type: "phi3_v",
  conv_template: {
    system_template: "<|system|>\n{system_message}<|end|>\n",
    system_message: "",
    roles: { user: "<|user|>", assistant: "<|assistant|>", tool: "<|user|>" },
    role_content_sep: "\n",
    role_empty_sep: "\n",
    seps: ["<|end|>\n"],
    stop_str: [],
    stop_token_ids: [2],
  },
};

/**
 * What WebLLM would feed to a model of some type.
 * @param {ModelType} type
 * @param {any[]} messages
 * @param {string} [begun]
 * @returns {Promise<any[]>}
 */
async function promptsOf(type, messages, begun = "") {
  /** @type {any} */
  const engine = new MLCEngine();
  /** @type {any[]} */
  let prompts = [];
  let conversation = /** @type {any} */ ({});
  const pipeline = {
    getConversationObject: () => conversation,
    setConversation: (/** @type {any} */ set) => {
      conversation = set;
    },
    getFinishReason: () => "stop",
    resetChat() {},
    async prefillStep(/** @type {string} */ input, /** @type {any} */ role, /** @type {any} */ name) {
      const target = conversation;
      target.appendMessage(role, input, name);
      target.appendReplyHeader("assistant");
      const undo = beginReply(target, begun);
      prompts = target.getPromptArray(CONFIG);
      undo();
      assert.equal(target.getPromptArray(CONFIG).at(-1), "<|assistant|>\n");
    },
  };
  engine.getLLMStates = () => ["m", pipeline, CONFIG];
  engine.loadedModelIdToModelType.set("m", type);
  const request = { messages, stream: true };
  await engine.chat.completions.create(request); // its checks; the stream is not read
  await engine.prefill(request, pipeline, CONFIG, {});
  return prompts;
}

test("WebLLM takes the messages that we make for a model that sees, and puts the image before the words", async () => {
  const prompts = await promptsOf(ModelType.VLM, asked);
  assert.deepEqual(prompts, [
    "<|system|>\nBe brief.<|end|>\n",
    ["<|user|>\n", { url: URL }, "\n", "What is this?<|end|>\n"],
    "<|assistant|>\n",
  ]);
});

test("WebLLM refuses them for a model that does not", async () => {
  await assert.rejects(promptsOf(ModelType.LLM, asked), { name: "UserMessageContentErrorForNonVLM" });
});

test("an answer to a question with an image is gone on with", async () => {
  const prompts = await promptsOf(ModelType.VLM, asked, "A ca");
  assert.equal(prompts.at(-1), "<|assistant|>\nA ca");
  assert.equal(prompts.length, 3);
});

/** Phi-3.5-vision's, as WebLLM computes it. @param {number} height @param {number} width */
function phiTokens(height, width) {
  const ratio = width / height;
  let scale = 1;
  while (scale * Math.ceil(scale / ratio) <= 16) scale += 1;
  const wide = (scale - 1) * 336;
  const high = Math.ceil(Math.floor(wide / ratio) / 336);
  return high * 12 * ((wide / 336) * 12 + 1) + 1 + 12 * 13;
}

test("an image of which the model would make more than one chunk of the prompt gets a border", () => {
  for (const [width, height] of [
    [1344, 1344],
    [1344, 756],
    [700, 1344],
    [1344, 40],
    [3, 900],
  ]) {
    const canvas = fittedCanvas({ width, height }, 2048, phiTokens);
    assert.ok(phiTokens(canvas.height, canvas.width) <= 2048, `${width} × ${height}`);
    assert.ok(canvas.width >= width && canvas.height >= height);
  }
  assert.ok(phiTokens(1344, 1344) > 2048);
  assert.deepEqual(fittedCanvas({ width: 1200, height: 900 }, 2048, phiTokens), { width: 1200, height: 900 });
});

test("an image is made as large as a model sees at most, and never larger than it was", () => {
  assert.deepEqual(fitted({ width: 4000, height: 3000 }), { width: 1344, height: 1008 });
  assert.deepEqual(fitted({ width: 10, height: 20 }), { width: 10, height: 20 });
  assert.deepEqual(fitted({ width: 1, height: 9000 }), { width: 1, height: 1344 });
});

/** @param {string} text */
const bytes = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));

test("what a file is, its first bytes say", () => {
  for (const head of [
    "\x89PNG\r\n\x1a\n",
    "\xff\xd8\xff\xe0",
    "GIF89a",
    "RIFF\x01\x02\x03\nWEBPVP8 ",
    "\0\0\0 ftypavif\0",
  ])
    assert.equal(kindOf(bytes(head)), "image", head);
  assert.equal(kindOf(bytes("\0\0\0 ftypmif1\0\0\0\0mif1avif")), "image");
  for (const brand of ["heic", "heix", "mif1"]) assert.equal(kindOf(bytes(`\0\0\0 ftyp${brand}\0\0\0\0`)), "heic");
  for (const head of ["<svg xmlns", '<?xml version="1.0"?>', "\xef\xbb\xbf <!-- a --><svg>", "<!DOCTYPE svg PUBLIC"])
    assert.equal(kindOf(bytes(head)), "drawing", head);
  for (const head of ["", "%PDF-1.7", "hello", "\0\0\0 ftypmp42"])
    assert.equal(kindOf(bytes(head)), "not-an-image", head);
});

test("a file goes among the images by its type or its name", () => {
  for (const [name, type] of [
    ["a.PNG", ""],
    ["photo.heic", ""],
    ["drawing.svg", "image/svg+xml"],
    ["image.png", "image/png"],
  ])
    assert.ok(isImage(new File([], name, { type })), name);
  for (const [name, type] of [
    ["a.pdf", "application/pdf"],
    ["notes.txt", "text/plain"],
  ])
    assert.ok(!isImage(new File([], name, { type })), name);
});
