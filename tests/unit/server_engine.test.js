// What is understood of servers of each kind: node --test tests/unit/server_engine.test.js

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";
import { errorOf } from "../../background/engines/server-errors.js";
import { look } from "../../background/engines/server-look.js";
import { bodyOf, estimate, grammarOf } from "../../background/engines/server-request.js";
import { eventsOf } from "../../background/engines/server-sent-events.js";
import { isAllowed } from "../../background/network-guard.js";

/** A server that answers by path, as its documentation shows it. */
function serving(answers) {
  return async (path, body) => {
    const answer = answers[body ? `${path} ${body.model}` : path];
    return answer === undefined
      ? new Response("404 page not found", { status: 404 })
      : new Response(typeof answer === "string" ? answer : JSON.stringify(answer));
  };
}
const listed = (...models) => ({ "/v1/models": { object: "list", data: models } });

test("llama.cpp says its window and its parameters", async () => {
  const found = await look(
    serving({
      ...listed({ id: "m", owned_by: "llamacpp", meta: { n_ctx: 9, n_params: 134_515_008 } }),
      "/props": { default_generation_settings: { n_ctx: 2048 }, modalities: { vision: true } },
    }),
  );
  assert.deepEqual(found, {
    kind: "llama.cpp",
    models: [{ model: "m", context_window: 2048, parameters: 135, is_vision: true }],
  });
});

test("Ollama says what a model was started with, or is set to, and of vectors it does not chat", async () => {
  const info = { "general.parameter_count": 3_212_749_888, "llama.context_length": 131_072 };
  const found = await look(
    serving({
      ...listed({ id: "run:3b" }, { id: "set:3b" }, { id: "new:3b" }, { id: "old:1b" }, { id: "embed" }),
      "/api/version": { version: "0.12.0" },
      "/api/ps": { models: [{ name: "run:3b", context_length: 16384 }] },
      "/api/show run:3b": { capabilities: ["completion", "vision"], model_info: info },
      "/api/show set:3b": { capabilities: ["completion"], model_info: info, parameters: 'stop "a"\nnum_ctx    8192' },
      "/api/show new:3b": { capabilities: ["completion"], model_info: info },
      "/api/show old:1b": { capabilities: ["completion"], model_info: { "gpt2.context_length": 1024 } },
      "/api/show embed": { capabilities: ["embedding"], model_info: {} },
    }),
  );
  assert.equal(found.kind, "ollama");
  assert.deepEqual(
    found.models.map(({ model, context_window, parameters, is_vision }) => [
      model,
      context_window,
      parameters,
      is_vision,
    ]),
    [
      ["run:3b", 16384, 3213, true],
      ["set:3b", 8192, 3213, false],
      ["new:3b", null, 3213, false], // what it could take is not what it is given
      ["old:1b", 1024, null, false],
    ],
  );
});

test("LM Studio says what is loaded", async () => {
  const found = await look(
    serving({
      ...listed({ id: "a" }, { id: "b" }, { id: "c" }),
      "/api/v0/models": {
        data: [
          { id: "a", type: "vlm", loaded_context_length: 8192, max_context_length: 32768 },
          { id: "b", type: "llm", max_context_length: 2048 },
          { id: "c", type: "embeddings", max_context_length: 512 },
        ],
      },
    }),
  );
  assert.equal(found.kind, "lm-studio");
  assert.deepEqual(
    found.models.map(({ model, context_window, is_vision }) => [model, context_window, is_vision]),
    [
      ["a", 8192, true],
      ["b", 2048, false],
    ],
  );
});

test("vLLM says its longest prompt; of others only the names are known", async () => {
  const vllm = await look(serving(listed({ id: "m", max_model_len: 40960 })));
  assert.deepEqual([vllm.kind, vllm.models[0].context_window], ["vllm", 40960]);
  const other = await look(serving(listed({ id: "m" })));
  assert.deepEqual(other, {
    kind: "other",
    models: [{ model: "m", context_window: null, parameters: null, is_vision: false }],
  });
});

test("what is no such server is told from one without a model", async () => {
  await assert.rejects(look(serving({ "/v1/models": "<html>" })), { code: "not-a-server" });
  await assert.rejects(look(serving({})), { code: "not-a-server" });
  const empty = await look(serving({ "/v1/models": { object: "list", data: null }, "/api/version": { version: "1" } }));
  assert.deepEqual(empty, { kind: "ollama", models: [] });
});

test("refusals are told apart", () => {
  const code = (status, body, kind) =>
    errorOf(status, typeof body === "string" ? body : JSON.stringify(body), kind).code;
  assert.equal(code(401, { error: { message: "Invalid API Key" } }), "key-refused");
  assert.equal(code(403, "", "ollama"), "origin-refused");
  assert.equal(code(403, { error: "no access to this model" }), "key-refused");
  assert.equal(code(404, { error: { message: "model 'x' not found" } }), "no-such-model");
  assert.equal(code(404, "404 page not found"), "not-a-server");
  const tooLong = { message: "request (3031 tokens) exceeds", type: "exceed_context_size_error" };
  assert.equal(code(400, { error: tooLong }), "context-length");
  assert.equal(code(400, { object: "error", message: "This model's maximum context length is 8" }), "context-length");
  assert.equal(code(400, { detail: "stop is wrong" }), "bad-request");
  assert.equal(code(503, { error: { message: "Loading model" } }), "server-busy");
  assert.equal(code(500, ""), "failed");
});

test("events come whole, however they are cut and ended", async () => {
  const bytes = new TextEncoder().encode('data: {"a":1}\n\n: a comment\r\ndata:two\r\ndata: lines\r\n\r\ndata: ü');
  for (const size of [1, 3, 1000]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.slice(i * size, i * size + size),
    );
    const got = [];
    for await (const event of eventsOf(ReadableStream.from(pieces))) got.push(event);
    assert.deepEqual(got, ['{"a":1}', "two\nlines", "ü"], `pieces of ${size}`);
  }
});

test("each kind is sent what it takes, and an answer is gone on with", () => {
  const request = {
    messages: [{ role: "assistant", content: "So" }],
    max_tokens: 3,
    repetition_penalty: 1.1,
    response_format: {},
  };
  const sent = (kind) => Object.keys(bodyOf(request, { kind, model: "m", url: "" })).sort();
  const plain = ["max_tokens", "messages", "model", "stream", "stream_options"];
  assert.deepEqual(sent("other"), plain);
  assert.deepEqual(sent("ollama"), plain);
  assert.deepEqual(sent("lm-studio"), [...plain, "repeat_penalty"].sort());
  assert.deepEqual(sent("llama.cpp"), [...plain, "repeat_penalty", "return_progress"].sort());
  assert.deepEqual(
    sent("vllm"),
    [...plain, "add_generation_prompt", "continue_final_message", "repetition_penalty"].sort(),
  );
});

test("a format that llama.cpp cannot be held to is left out", () => {
  assert.equal(grammarOf(undefined), null);
  assert.equal(grammarOf({ type: "json_object" }), null);
});

test("tokens are estimated rather too many than too few", () => {
  assert.equal(estimate(""), 0);
  assert.equal(estimate("Hello world"), 4); // 2 by most tokenizers
  assert.equal(estimate("中文"), 2);
});

test("whatever runs outside a page begins with the guard, but for the engine that is a server", async () => {
  const root = new URL("../../", import.meta.url);
  const built = await readFile(new URL("python/build_tools/extension.py", root), "utf8");
  const [, modules] = /\nMODULES = \[([^\]]+)\]/.exec(built);
  const pages = ["background/offscreen.js", "sidepanel/panel.js"];
  const unguarded = [];
  for (const [, path] of modules.matchAll(/"([^"]+)"/g)) {
    const [first] = /^import .*$/m.exec(await readFile(new URL(path, root), "utf8"));
    if (!pages.includes(path) && !/^import "[./a-z]+network-guard.js";$/.test(first)) unguarded.push(path);
  }
  assert.deepEqual(unguarded, ["background/engines/server.js"]);
});

test("a Worker may reach the package's own files, nothing else", () => {
  const own = "chrome-extension://abc/background/engines/webllm.js";
  for (const address of ["/models/index.json", "data:text/plain,x"]) assert.ok(isAllowed(address, own), address);
  for (const address of [
    "https://huggingface.co/x",
    "https://evil.example/?chrome-extension://abc/x",
    "https://abc/x",
    "http://localhost:11434/v1/models",
    "ws://localhost/x",
    "chrome-extension://other/x",
  ])
    assert.ok(!isAllowed(address, own), address);
});

test("images go to a server as OpenAI's interface has them, and are never written into a prompt", async () => {
  const asked = [];
  const stand_in = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    asked.push([request.url, body && JSON.parse(body)]);
    const chunk = { choices: [{ delta: { content: "A cat." }, finish_reason: "stop" }] };
    const chat = request.url === "/v1/chat/completions";
    response.writeHead(200, { "Content-Type": chat ? "text/event-stream" : "application/json" });
    const list = { object: "list", data: [{ id: "eyes", owned_by: "llamacpp", meta: { n_ctx: 4096 } }] };
    response.end(chat ? `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n` : JSON.stringify(list));
  });
  await new Promise((listening) => stand_in.listen(0, "127.0.0.1", listening));
  const said = [];
  let heard = () => {};
  const worker = { postMessage: (message) => heard(said.push(message)) };
  Object.defineProperty(globalThis, "self", { value: worker, configurable: true });
  Object.defineProperty(globalThis, "navigator", { value: { locks: { request() {} } }, configurable: true });
  await import("../../background/engines/server.js");
  const until = async (type) => {
    while (!said.some((message) => message.type === type))
      await new Promise((resolve) => {
        heard = resolve;
      });
  };
  const url = `http://127.0.0.1:${stand_in.address().port}/v1`;
  worker.onmessage({ data: { type: "load", model: { server: { url, kind: "llama.cpp", model: "eyes" } } } });
  await until("loaded");
  const content = [
    { type: "image_url", image_url: { url: "data:image/jpeg;base64,AAAA" } },
    { type: "text", text: "What is this?" },
  ];
  const tag = { type: "tag", begin: "<call>", content: { type: "any_text" }, end: "</call>" };
  const response_format = { type: "structural_tag", structural_tag: { format: tag } };
  const request = { messages: [{ role: "user", content }], response_format };
  worker.onmessage({ data: { type: "complete", key: 1, request } });
  await until("done");
  stand_in.close();
  const [path, body] = asked.at(-1);
  assert.equal(path, "/v1/chat/completions");
  assert.deepEqual(body.messages, [{ role: "user", content }]);
  assert.ok(said.some((message) => message.type === "delta" && message.text === "A cat."));
});
