// Structural tags as grammars of llama.cpp: node --test tests/unit/grammar.test.js

import assert from "node:assert/strict";
import { test } from "node:test";
import { toGrammar, UnsupportedFormat } from "../../background/engines/grammar.js";
import { matcher } from "./gbnf.mjs";

const structural = (format) => ({ type: "structural_tag", structural_tag: { type: "structural_tag", format } });
const json = (schema) => ({ type: "json_schema", json_schema: schema });
const tag = (begin, content, end) => ({ type: "tag", begin, content, end });

/** Asserts what a format lets through and what it does not. */
function check(format, accepted, refused) {
  const matches = matcher(toGrammar(structural(format)).grammar);
  for (const text of accepted) assert.ok(matches(text), `should be accepted: ${JSON.stringify(text)}`);
  for (const text of refused) assert.ok(!matches(text), `should be refused: ${JSON.stringify(text)}`);
}

const checkSchema = (schema, accepted, refused) =>
  check(
    json(schema),
    accepted.map((value) => (typeof value === "string" ? value : JSON.stringify(value))),
    refused.map((value) => (typeof value === "string" ? value : JSON.stringify(value))),
  );

test("code in a fence may hold anything but the fence's end", () => {
  check(
    tag("```python\n", { type: "any_text" }, "\n```"),
    [
      "```python\n\n```",
      "```python\nprint(1)\n```",
      "```python\na = `b`\n\n``\n`\nc\n```",
      '```python\nx = "[^]-\\\\" # ünï\n```',
      "```python\n\n\n\n```",
    ],
    ["```python\nprint(1)", "```python\nprint(1)\n``` and more", "print(1)", "```python\na\n```\nb\n```"],
  );
});

test("an end that overlaps itself is found", () => {
  check(tag("", { type: "any_text" }, "aab"), ["aab", "aaab", "xaaaab", "ab aab"], ["aa", "aabaab", "ab"]);
});

test("a call between marks", () => {
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
  const call = tag('<tool_call>\n{"name": "add", "arguments": ', json(schema), "}\n</tool_call>");
  const format = { type: "triggered_tags", triggers: ["<tool_call>"], tags: [call], stop_after_first: true };
  const written = '<tool_call>\n{"name": "add", "arguments": {"n": 3}}\n</tool_call>';
  check({ ...format, at_least_one: true }, [written], ["3", written.replace("3", '"3"'), `Well: ${written}`]);
  const lazy = toGrammar(structural(format));
  assert.equal(lazy.grammar_lazy, true);
  assert.deepEqual(lazy.grammar_triggers, [{ type: 1, value: "<tool_call>" }]);
  assert.ok(matcher(lazy.grammar)(written));
  assert.equal(toGrammar(structural({ ...format, at_least_one: true })).grammar_lazy, undefined);
});

test("objects have their properties in order, the required ones for sure", () => {
  const schema = {
    type: "object",
    properties: { a: { type: "string" }, b: { type: "integer" }, c: { type: "boolean" } },
    required: ["b"],
  };
  checkSchema(
    schema,
    [{ b: 1 }, { a: "x", b: 1 }, { b: 1, c: true }, { a: "x", b: -20, c: false }, '{ "a": "x", "b":\n 1 }'],
    [{}, { a: "x" }, { b: 1, a: "x" }, { b: 1, d: 2 }, { b: 1.5 }, { b: "1" }, '{"b": 1,}', '{,"b": 1}'],
  );
});

test("nothing is required: any of them, or none", () => {
  const schema = { type: "object", properties: { a: { type: "null" }, b: { type: "number" } } };
  checkSchema(schema, [{}, { a: null }, { b: 1.5e3 }, { a: null, b: 0 }], [{ c: 1 }, '{"a": null,}', '{"b": .5}']);
});

test("other properties where the schema lets them", () => {
  const typed = { type: "object", properties: { a: { type: "integer" } }, additionalProperties: { type: "integer" } };
  checkSchema(typed, [{ a: 1, b: 2, c: 3 }, { b: 2 }, {}], [{ b: "x" }]);
  checkSchema({ type: "object" }, [{}, { any: [1, { thing: null }] }], [[], "1"]);
  checkSchema({ type: "object", additionalProperties: false }, [{}], [{ a: 1 }]);
});

test("choices, constants and several types", () => {
  checkSchema({ enum: ["a b", 'say "x"', 3, null] }, ["a b", 'say "x"', 3, null].map(JSON.stringify), ['"b"', "4"]);
  checkSchema({ const: { a: [1] } }, ['{"a":[1]}'], ['{"a":[2]}']);
  checkSchema({ type: ["string", "null"] }, ['"x"', "null"], ["1"]);
  checkSchema(
    { anyOf: [{ type: "integer" }, { type: "array", items: { type: "integer" } }] },
    [1, [1, 2]],
    ['"1"', [true]],
  );
});

test("lengths of texts and lists", () => {
  checkSchema({ type: "string", minLength: 2, maxLength: 3 }, ['"ab"', '"abc"', '"a\\n"'], ['"a"', '"abcd"']);
  checkSchema({ type: "array", items: { type: "integer" }, minItems: 1, maxItems: 2 }, [[1], [1, 2]], [[], [1, 2, 3]]);
  checkSchema(
    { type: "array", items: { type: "integer" }, minItems: 3 },
    [
      [1, 2, 3],
      [1, 2, 3, 4],
    ],
    [[1, 2]],
  );
  checkSchema({ type: "array" }, [[], [1, "x", [true]]], [{}]);
  checkSchema({ type: "array", maxItems: 0 }, [[]], [[1]]);
});

test("texts are JSON's, whatever they hold", () => {
  const hard = 'a "b" \\ \n \t \u0007 ünï 😀 </tool_call>';
  checkSchema({ type: "string" }, [JSON.stringify(hard)], ['"a\nb"', '"a', 'a"']);
});

test("references, even of a schema to itself", () => {
  const schema = {
    $ref: "#/$defs/tree",
    $defs: { tree: { type: "object", properties: { leaf: { type: "integer" }, next: { $ref: "#/$defs/tree" } } } },
  };
  checkSchema(schema, [{ leaf: 1 }, { leaf: 1, next: { next: { leaf: 2 } } }], [{ next: 3 }]);
});

test("what a grammar cannot say is left out, and the JSON stays JSON", () => {
  checkSchema({ type: "string", pattern: "^a" }, ['"b"'], ["b"]);
  checkSchema({ allOf: [{ type: "string" }] }, ['"b"', "1"], ["b"]);
});

test("what it cannot write at all is refused with its name", () => {
  for (const format of [
    { type: "regex", pattern: "a" },
    { type: "tag", begin: "", content: { type: "grammar" }, end: "" },
  ])
    assert.throws(() => toGrammar(structural(format)), UnsupportedFormat);
  assert.throws(() => toGrammar({ type: "grammar", grammar: "" }), /format grammar/);
  assert.throws(() => toGrammar(structural(json({ $ref: "http://x/y" }))), UnsupportedFormat);
  const endless = { type: "triggered_tags", triggers: ["<a>"], tags: [], stop_after_first: false };
  assert.throws(() => toGrammar(structural(endless)), UnsupportedFormat);
});
