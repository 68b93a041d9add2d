// A small reader of llama.cpp's grammars (GBNF), which tells whether a text is in one: for tests.

/** @param {string} grammar @returns {(text: string) => boolean} */
export function matcher(grammar) {
  const rules = new Map();
  for (const line of grammar.split("\n")) {
    const at = line.indexOf("::=");
    rules.set(line.slice(0, at).trim(), parse(line.slice(at + 3)));
  }
  return (text) => {
    const chars = [...text];
    for (const end of ends(["rule", "root"], chars, 0, rules)) if (end === chars.length) return true;
    return false;
  };
}

/** Every place where a node can end that begins at `at`, each once. */
function ends(node, chars, at, rules) {
  const [kind, value, ...rest] = node;
  if (kind === "char") return at < chars.length && value(chars[at].codePointAt(0)) ? [at + 1] : [];
  if (kind === "rule") {
    assertThere(rules, value);
    return ends(rules.get(value), chars, at, rules);
  }
  if (kind === "any") return [...new Set(value.flatMap((each) => ends(each, chars, at, rules)))];
  if (kind === "all")
    return value.reduce(
      (places, each) => [...new Set(places.flatMap((place) => ends(each, chars, place, rules)))],
      [at],
    );
  const [least, most] = rest; // "repeat"
  let places = [at];
  const found = new Set(least === 0 ? places : []);
  for (let count = 1; count <= most && places.length; count++) {
    places = [...new Set(places.flatMap((place) => ends(value, chars, place, rules)))].filter(
      (place) => !found.has(place),
    );
    if (count >= least) for (const place of places) found.add(place);
  }
  return [...found];
}

function assertThere(rules, name) {
  if (!rules.has(name)) throw new Error(`the grammar has no rule ${name}`);
}

function parse(text) {
  const chars = [...text];
  let at = 0;
  const peek = () => chars[at];
  const skip = () => {
    while (chars[at] === " ") at++;
  };

  function any() {
    const ways = [all()];
    while (peek() === "|") {
      at++;
      ways.push(all());
    }
    return ["any", ways];
  }

  function all() {
    const parts = [];
    for (skip(); at < chars.length && peek() !== "|" && peek() !== ")"; skip()) parts.push(repeated(single()));
    return ["all", parts];
  }

  function single() {
    if (peek() === "(") {
      at++;
      const inside = any();
      at++;
      return inside;
    }
    if (peek() === '"') return quoted();
    if (peek() === "[") return charClass();
    const name = /^[a-zA-Z0-9-]+/.exec(chars.slice(at).join(""))?.[0];
    if (!name) throw new Error(`no grammar: ${chars.slice(at).join("")}`);
    at += name.length;
    return ["rule", name];
  }

  function repeated(node) {
    const rest = chars.slice(at).join("");
    const [all, least, comma, most] = /^\{(\d+)(,?)(\d*)\}/.exec(rest) ?? [];
    if (all) {
      at += all.length;
      return ["repeat", node, Number(least), most ? Number(most) : comma ? Number.POSITIVE_INFINITY : Number(least)];
    }
    const range = { "*": [0, Number.POSITIVE_INFINITY], "+": [1, Number.POSITIVE_INFINITY], "?": [0, 1] }[peek()];
    if (!range) return node;
    at++;
    return ["repeat", node, ...range];
  }

  function code() {
    if (chars[at] !== "\\") return chars[at++].codePointAt(0);
    const kind = chars[at + 1];
    const digits = { x: 2, u: 4, U: 8 }[kind] ?? 0;
    const value = digits
      ? Number.parseInt(chars.slice(at + 2, at + 2 + digits).join(""), 16)
      : ({ n: "\n", r: "\r", t: "\t" }[kind] ?? kind).codePointAt(0);
    at += 2 + digits;
    return value;
  }

  function quoted() {
    const parts = [];
    for (at++; peek() !== '"'; ) {
      const wanted = code();
      parts.push(["char", (each) => each === wanted]);
    }
    at++;
    return ["all", parts];
  }

  function charClass() {
    const ranges = [];
    at++;
    const isNegated = peek() === "^";
    if (isNegated) at++;
    while (peek() !== "]") {
      const from = code();
      const isRange = peek() === "-" && chars[at + 1] !== "]";
      if (isRange) at++;
      ranges.push([from, isRange ? code() : from]);
    }
    at++;
    return ["char", (each) => ranges.some(([from, to]) => each >= from && each <= to) !== isNegated];
  }

  return any();
}
