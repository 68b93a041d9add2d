// The engine of Chrome's built-in model, with a fake of the browser's interface: node --test tests/unit/browser_model.test.js

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { expectations, findBuiltIn } from "../../background/built-in-model.js";
import { BrowserModel } from "../../background/engines/browser-model.js";
import "../browser/fake_language_model.js";

const { LanguageModel, fakeLanguageModel: fake } = globalThis;
const FRESH = { ...fake, created: undefined, prompted: undefined };

const SYSTEM = { role: "system", content: "Be short." };
const user = (content) => ({ role: "user", content });
const assistant = (content) => ({ role: "assistant", content });

let engine;
let got;
let waiting;

/** The next message of one of these types; those before it are forgotten. */
function next(...types) {
  return new Promise((resolve) => {
    waiting = () => {
      const index = got.findIndex(({ type }) => types.includes(type));
      if (index < 0) return;
      waiting = () => {};
      resolve(got.splice(0, index + 1).at(-1));
    };
    waiting();
  });
}

/** A completion: its text, and the message that ends it. */
async function complete(request, key = 1) {
  got.length = 0;
  let text = "";
  engine.postMessage({ type: "complete", key, request });
  for (;;) {
    const message = await next("delta", "done", "error", "lost");
    if (message.type !== "delta") return { text, ...message };
    text += message.text;
  }
}

async function load() {
  engine.postMessage({ type: "load", model: {} });
  return next("loaded", "load-failed");
}

/** Node has no languages, or no navigator. */
function setLanguages(...languages) {
  Object.defineProperty(globalThis, "navigator", { value: { languages }, configurable: true });
}

beforeEach(() => {
  setLanguages("en-US");
  globalThis.LanguageModel = LanguageModel;
  Object.assign(fake, FRESH, { created: [], prompted: [], alive: 0, hold: null });
  got = [];
  waiting = () => {};
  engine = new BrowserModel();
  engine.onmessage = ({ data }) => {
    got.push(data);
    waiting();
  };
});
afterEach(() => engine.terminate());

test("it is listed where the browser has it, and where it may be downloaded, and nowhere else", async () => {
  assert.equal((await findBuiltIn()).availability, "available");
  fake.availability = "downloadable";
  const { id, origin, availability } = await findBuiltIn();
  assert.deepEqual([id, origin, availability], ["browser", "browser", "downloadable"]);
  fake.availability = "unavailable";
  assert.equal(await findBuiltIn(), null);
  delete globalThis.LanguageModel;
  assert.equal(await findBuiltIn(), null);
});

test("of the user's languages it is asked for those that it knows", async () => {
  setLanguages("de-CH", "es-MX", "en-US");
  assert.deepEqual((await expectations()).expectedOutputs, [{ type: "text", languages: ["en", "es"] }]);
});

test("loading tells how much it takes", async () => {
  assert.deepEqual(await load(), { type: "loaded", context_window: 600 });
  assert.deepEqual(fake.created[0].expectedInputs[0].type, "text");
});

test("loading says why it cannot", async () => {
  for (const [availability, code] of [
    ["unavailable", "built-in-gone"],
    ["downloadable", "not-downloaded"],
    ["downloading", "not-downloaded"],
  ]) {
    fake.availability = availability;
    assert.deepEqual(await load(), { type: "load-failed", code, message: availability });
  }
  delete globalThis.LanguageModel;
  assert.equal((await load()).code, "built-in-gone");
});

test("an answer streams, with its usage", async () => {
  await load();
  const { text, type, finish_reason, usage } = await complete({
    messages: [SYSTEM, user("two words")],
    temperature: 0.7,
  });
  assert.deepEqual([text, type, finish_reason], ["You said: two words", "done", "stop"]);
  assert.deepEqual([usage.input_tokens, usage.cache_read_tokens, usage.output_tokens], [10, 0, 7]);
  assert.deepEqual(fake.created[1].initialPrompts, [SYSTEM]);
  assert.deepEqual([fake.created[1].temperature, fake.created[1].topK], [0.7, 3]);
});

test("what was said is not read again, and a conversation that changed is", async () => {
  await load();
  const first = [SYSTEM, user("one")];
  const { text } = await complete({ messages: first });
  const second = [...first, assistant(text), user("two")];
  const { usage } = await complete({ messages: second });
  assert.equal(fake.created.length, 2);
  assert.deepEqual(fake.prompted[1].messages, [user("two")]);
  assert.ok(usage.cache_read_tokens > 0 && usage.input_tokens > usage.cache_read_tokens);
  await complete({ messages: [...first, assistant("something else"), user("two")] });
  assert.equal(fake.created.length, 3);
  assert.deepEqual(fake.created[2].initialPrompts, [...first, assistant("something else")]);
  await complete({ messages: first, temperature: 0 });
  assert.deepEqual([fake.created[3].temperature, fake.created[3].topK], [0, 1]);
  assert.equal(fake.alive, 2, "one that counts, and the last one");
});

test("a session that would forget its beginning is replaced", async () => {
  fake.window = 50;
  await load();
  const first = [user("a ".repeat(20))];
  const { text } = await complete({ messages: first });
  await complete({ messages: [...first, assistant(text), user("short")] });
  assert.equal(fake.created.length, 3);
});

test("an unfinished answer is gone on with", async () => {
  await load();
  fake.answer = () => "and its end.";
  const messages = [user("Go"), assistant("The beginning ")];
  const { text } = await complete({ messages });
  assert.equal(text, "and its end.");
  assert.deepEqual(fake.prompted[0].messages, [user("Go"), { ...assistant("The beginning "), prefix: true }]);
  await complete({ messages: [user("Go"), assistant("The beginning and its end."), user("More")] });
  assert.equal(fake.created.length, 2, "the session goes on, too");
});

test("an answer ends where it was told to", async () => {
  await load();
  fake.answer = () => "one two three four five six";
  const long = await complete({ messages: [user("Go")], max_tokens: 3 });
  assert.deepEqual([long.text, long.finish_reason], ["one two three ", "length"]);
  const stopped = await complete({ messages: [user("Go")], stop: ["four f"] });
  assert.deepEqual([stopped.text, stopped.finish_reason], ["one two three ", "stop"]);
  assert.equal(fake.alive, 1, "what was left half way is not gone on with");
});

test("stop ends it at once, as stopped", async () => {
  await load();
  let resolve = () => {};
  const held = new Promise((done) => {
    resolve = done;
  });
  fake.hold = () => held;
  engine.postMessage({ type: "complete", key: 7, request: { messages: [user("Go")] } });
  await new Promise((done) => setImmediate(done));
  engine.postMessage({ type: "abort", key: 6 }); // another one's
  engine.postMessage({ type: "abort", key: 7 });
  resolve();
  assert.deepEqual(await next("done", "error", "lost"), { type: "done", key: 7, finish_reason: "abort", usage: null });
});

const tag = (begin, content, end) => ({
  type: "structural_tag",
  structural_tag: { type: "structural_tag", format: { type: "tag", begin, content, end } },
});

test("a call that must be made is written in its marks, by the browser's own grammar", async () => {
  await load();
  const schema = { type: "object", properties: { city: { type: "string" } } };
  fake.answer = (_, { responseConstraint }) => (responseConstraint ? '{"city": "Paris"}' : "no constraint");
  const request = {
    messages: [user("Weather")],
    response_format: tag("```json\n", { type: "json_schema", json_schema: schema }, "\n```"),
  };
  assert.equal((await complete(request)).text, '```json\n{"city": "Paris"}\n```');
  assert.deepEqual(fake.prompted[0].responseConstraint, schema);
  fake.answer = (_, { responseConstraint }) =>
    responseConstraint ? new DOMException("no such schema", "NotSupportedError") : '{"city": "Rome"}\n``` and more';
  assert.equal((await complete(request)).text, '```json\n{"city": "Rome"}\n```');
});

test("code is written in its fence", async () => {
  await load();
  fake.answer = (messages) => (messages.at(-1).prefix ? ["print(", "1)\n`", "``\nDone"] : "I will not.");
  const request = { messages: [user("Code")], response_format: tag("```python\n", { type: "any_text" }, "\n```") };
  assert.equal((await complete(request)).text, "```python\nprint(1)\n```");
});

test("a model that may choose writes as it likes", async () => {
  await load();
  const format = { type: "triggered_tags", triggers: ["<t>"], tags: [], at_least_one: false };
  const response_format = { type: "structural_tag", structural_tag: { format } };
  assert.equal((await complete({ messages: [user("Hi")], response_format })).text, "You said: Hi");
});

test("tokens are counted, on the safe side", async () => {
  await load();
  engine.postMessage({ type: "count", key: 3, texts: ["a b", ""] });
  assert.deepEqual(await next("counted"), { type: "counted", key: 3, counts: [5, 3] });
});

test("each refusal has its name", async () => {
  fake.window = 10;
  await load();
  const long = await complete({ messages: [user("a ".repeat(30))] });
  assert.deepEqual([long.code, long.message], ["context-length", "33 tokens, and the model takes 10"]);
  for (const [name, code] of [
    ["NotAllowedError", "not-allowed"],
    ["NotSupportedError", "language"],
    ["NotReadableError", "filtered"],
    ["UnknownError", "failed"],
  ]) {
    fake.answer = () => new DOMException("no", name);
    const { type, code: told } = await complete({ messages: [user("Go")] });
    assert.deepEqual([type, told], ["error", code]);
  }
  fake.answer = () => new DOMException("its process is gone", "InvalidStateError");
  assert.equal((await complete({ messages: [user("Go")] })).type, "lost");
});

test("an engine that ends takes its sessions along, and is silent", async () => {
  await load();
  await complete({ messages: [user("Go")] });
  got.length = 0;
  engine.terminate();
  assert.equal(fake.alive, 0);
  engine.postMessage({ type: "count", key: 1, texts: ["a"] });
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(got, []);
});

test("images are shown to a model that sees, as pictures, and count for what they take", async () => {
  fake.sees = true;
  await load();
  fake.answer = () => "A cat.";
  const url = `data:image/jpeg;base64,${btoa("pixels")}`;
  const content = [
    { type: "image_url", image_url: { url } },
    { type: "text", text: "What is this?" },
  ];
  assert.equal((await findBuiltIn()).is_vision, true);
  const first = [SYSTEM, user(content)];
  const { text, usage } = await complete({ messages: first });
  assert.equal(text, "A cat.");
  const [picture, words] = fake.prompted[0].messages[0].content;
  assert.deepEqual(words, { type: "text", value: "What is this?" });
  assert.deepEqual([picture.type, picture.value.type, await picture.value.text()], ["image", "image/jpeg", "pixels"]);
  assert.equal(usage.input_tokens, 5 + 53 + 3);
  const second = [...first, assistant(text), user("And its colour?")];
  await complete({ messages: second });
  assert.equal(fake.created.length, 2, "the session that has seen it goes on");
  const other = [{ type: "image_url", image_url: { url: `data:image/jpeg;base64,${btoa("others")}` } }, content[1]];
  await complete({ messages: [SYSTEM, user(other), assistant(text), user("And now?")] });
  assert.equal(fake.created.length, 3, "another image is another conversation");
  assert.equal(await fake.created[2].initialPrompts[1].content[0].value.text(), "others");
});

test("a model that does not see is not listed as one, nor asked for as one", async () => {
  assert.equal((await findBuiltIn()).is_vision, false);
  await load();
  assert.deepEqual(
    fake.created[0].expectedInputs.map(({ type }) => type),
    ["text"],
  );
});
