// WebLLM's structural tags (https://xgrammar.mlc.ai/docs/structural_tag) as a grammar of llama.cpp (GBNF): what cannot be a
// call cannot be written. Of a JSON schema the grammar states types, properties, required ones, enum, const, anyOf, oneOf,
// items, references and lengths; what else a schema asks (pattern, format, minimum, allOf) is left to who reads the JSON.

/** The engine cannot write in this format; the message says which. */
export class UnsupportedFormat extends Error {}

const MOST_REPETITIONS = 500; // llama.cpp unrolls them
const WORD_TRIGGER = 1; // llama.cpp's COMMON_GRAMMAR_TRIGGER_TYPE_WORD

const PRIMITIVES = {
  ws: String.raw`| " " | "\n" [ \t]{0,20}`,
  char: String.raw`[^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})`,
  string: String.raw`"\"" char* "\""`,
  integer: `"-"? ("0" | [1-9] [0-9]{0,15})`,
  number: `integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?`,
  boolean: `"true" | "false"`,
  null: `"null"`,
  array: `"[" ws (value ("," ws value)*)? "]" ws`,
  object: `"{" ws (string ":" ws value ("," ws string ":" ws value)*)? "}" ws`,
  value: `(object | array | string | number | boolean | null) ws`,
  text: String.raw`[\x00-\U0010FFFF]*`,
};

/** @typedef {{grammar: string, grammar_lazy?: boolean, grammar_triggers?: {type: number, value: string}[]}} Grammar */

/**
 * What llama.cpp is told instead of a response_format.
 * @param {any} responseFormat  of a completion, see protocol.js
 * @returns {Grammar}
 */
export function toGrammar(responseFormat) {
  const format = responseFormat?.structural_tag?.format;
  if (responseFormat?.type !== "structural_tag" || !format)
    throw new UnsupportedFormat(`format ${responseFormat?.type}`);
  const writer = new GrammarWriter();
  if (format.type !== "triggered_tags") return { grammar: writer.whole(writer.format(format)) };
  if (!format.stop_after_first) throw new UnsupportedFormat("triggered tags after which the text goes on");
  const grammar = writer.whole(alternatives(format.tags.map((/** @type {any} */ tag) => writer.format(tag))));
  if (format.at_least_one) return { grammar };
  const triggers = format.triggers.map((/** @type {string} */ value) => ({ type: WORD_TRIGGER, value }));
  return { grammar, grammar_lazy: true, grammar_triggers: triggers };
}

/** @param {string} text @returns {string} the expression of exactly this text */
export function literal(text) {
  return `"${[...text].map((char) => escaped(char, '"')).join("")}"`;
}

/** @param {string} char @param {string} special  characters that mean something here */
function escaped(char, special) {
  const named = /** @type {Record<string, string>} */ ({ "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" })[char];
  if (named) return named;
  const code = /** @type {number} */ (char.codePointAt(0));
  if (code < 32 || special.includes(char)) return `\\x${code.toString(16).padStart(2, "0")}`;
  return char;
}

/** @param {string[]} expressions */
const alternatives = (expressions) => `(${expressions.join(" | ")})`;

/** Collects rules; its methods return expressions. */
class GrammarWriter {
  constructor() {
    /** @type {Map<string, string>} */
    this.rules = new Map();
    /** @type {Map<string, string>} schema reference -> rule */
    this.references = new Map();
  }

  /** @param {string} root @returns {string} the grammar's text */
  whole(root) {
    const rules = [...this.rules, ...Object.entries(PRIMITIVES)];
    return [`root ::= ${root}`, ...rules.map(([name, body]) => `${name} ::= ${body}`)].join("\n");
  }

  /** @param {string} kind @param {string} [body] @returns {string} the new rule's name */
  rule(kind, body = "") {
    const name = `${kind}-${this.rules.size}`;
    this.rules.set(name, body);
    return name;
  }

  /** @param {any} format @returns {string} */
  format(format) {
    switch (format?.type) {
      case "const_string":
        return literal(format.value);
      case "json_schema":
        return this.schema(format.json_schema, format.json_schema);
      case "any_text":
        return "text";
      case "sequence":
        return format.elements.map((/** @type {any} */ element) => this.format(element)).join(" ");
      case "or":
        return alternatives(format.elements.map((/** @type {any} */ element) => this.format(element)));
      case "tag":
        return this.tag(format);
      default:
        throw new UnsupportedFormat(`format ${format?.type}`);
    }
  }

  /** @param {{begin: string, content: any, end: string|string[]}} tag */
  tag({ begin, content, end }) {
    const ends = [end].flat();
    if (ends.length !== 1) throw new UnsupportedFormat("a tag with several ends");
    if (content.type === "any_text" && ends[0]) return `${literal(begin)} ${this.until(ends[0])}`;
    return `${literal(begin)} ${this.format(content)} ${literal(ends[0])}`;
  }

  /** Any text up to and with `end`, which it has nowhere else: a rule for each part of `end` that stands written. @param {string} end */
  until(end) {
    const chars = [...end];
    const names = chars.map(() => this.rule("until"));
    for (const [matched, name] of names.entries()) {
      const steps = [...new Set(chars)].map((char) => ({ char, next: overlap(chars, matched, char) }));
      const back = steps.filter(({ next }) => next > 0);
      const ways = back.map(({ char, next }) =>
        next === chars.length ? literal(char) : `${literal(char)} ${names[next]}`,
      );
      const others = back.map(({ char }) => escaped(char, "]^-")).join("");
      this.rules.set(name, [...ways, `[^${others}] ${names[0]}`].join(" | "));
    }
    return names[0];
  }

  /** @param {any} schema @param {any} root  what references are looked up in @returns {string} */
  schema(schema, root) {
    if (schema === false) throw new UnsupportedFormat("a schema that nothing satisfies");
    if (schema === true || !schema) return "value";
    if (schema.$ref) return this.reference(schema.$ref, root);
    if ("const" in schema) return literal(JSON.stringify(schema.const));
    if (schema.enum) return alternatives(schema.enum.map((/** @type {any} */ each) => literal(JSON.stringify(each))));
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) return alternatives(choices.map((/** @type {any} */ each) => this.schema(each, root)));
    if (Array.isArray(schema.type))
      return alternatives(schema.type.map((/** @type {string} */ type) => this.schema({ ...schema, type }, root)));
    if (schema.type === "object" || schema.properties) return this.object(schema, root);
    if (schema.type === "array") return this.array(schema, root);
    if (schema.type === "string") return `"\\"" char${times(schema.minLength, schema.maxLength)} "\\""`;
    return schema.type in PRIMITIVES ? schema.type : "value";
  }

  /** @param {string} reference @param {any} root */
  reference(reference, root) {
    const known = this.references.get(reference);
    if (known) return known;
    if (!reference.startsWith("#")) throw new UnsupportedFormat(`the reference ${reference}`);
    const steps = reference.split("/").slice(1);
    const target = steps.reduce((schema, step) => schema?.[step.replaceAll("~1", "/").replaceAll("~0", "~")], root);
    if (target === undefined) throw new UnsupportedFormat(`the reference ${reference}`);
    const name = this.rule("ref");
    this.references.set(reference, name); // before its body: it may refer to itself
    this.rules.set(name, this.schema(target, root));
    return name;
  }

  /** Properties in their order, those that are not required at will. @param {any} schema @param {any} root */
  object(schema, root) {
    const properties = Object.entries(schema.properties ?? {});
    const others = schema.additionalProperties;
    if (!properties.length && others !== false && typeof others !== "object") return "object";
    const required = new Set(schema.required ?? []);
    const more = others ? `string ":" ws ${this.schema(others, root)}` : "";
    // What follows when no property stands yet, and when one does; from the last property to the first.
    let rest = { first: more ? `(${more} ("," ws ${more})*)?` : '""', later: more ? `("," ws ${more})*` : '""' };
    for (const [name, property] of properties.reverse()) {
      const member = `${literal(JSON.stringify(name))} ":" ws ${this.schema(property, root)} ws`;
      const skip = required.has(name)
        ? { first: "", later: "" }
        : { first: ` | ${rest.first}`, later: ` | ${rest.later}` };
      rest = {
        first: this.rule("members", `${member} ${rest.later}${skip.first}`),
        later: this.rule("members", `"," ws ${member} ${rest.later}${skip.later}`),
      };
    }
    return `"{" ws ${rest.first} "}"`;
  }

  /** @param {any} schema @param {any} root */
  array({ items, minItems = 0, maxItems }, root) {
    const item = `${this.schema(items ?? true, root)} ws`;
    if (maxItems === 0) return `"[" ws "]"`;
    const more = times(Math.max(0, minItems - 1), maxItems === undefined ? undefined : maxItems - 1);
    const some = `${item} ("," ws ${item})${more}`;
    return `"[" ws ${minItems > 0 ? some : `(${some})?`} "]"`;
  }
}

/** How often, as GBNF has it; more than it can unroll is any number. @param {number} [least] @param {number} [most] */
function times(least = 0, most = Number.POSITIVE_INFINITY) {
  const from = Math.min(least, MOST_REPETITIONS);
  if (most > MOST_REPETITIONS) return from ? `{${from},}` : "*";
  return `{${from},${Math.max(from, most)}}`;
}

/** How much of `wanted` stands at the end of its first `matched` characters and `char`. @param {string[]} wanted @param {number} matched @param {string} char */
function overlap(wanted, matched, char) {
  const written = [...wanted.slice(0, matched), char];
  for (let length = Math.min(written.length, wanted.length); length > 0; length--)
    if (wanted.slice(0, length).every((each, i) => each === written[written.length - length + i])) return length;
  return 0;
}
