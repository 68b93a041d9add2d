/** States of tool calls and of the questions that they ask. */

import { BUSY, message, READY, user } from "./scene-parts.js";

/** @import { Approval, Step } from "../../../sidepanel/types.js" */
/** @import { SceneEvent } from "./scene-parts.js" */

const CODE = `import statistics

rainfall = [12.5, 80.1, 43.0, 9.7, 61.4]
print("mean", statistics.mean(rainfall))
print("largest", max(rainfall))`;

/**
 * @param {Partial<Step>} step
 * @returns {Step}
 */
function step(step) {
  return {
    id: "s1",
    tool: "python",
    title: "Run Python code",
    state: "done",
    arguments: [{ name: "code", value: CODE, code: "python" }],
    ...step,
  };
}

/** @param {Partial<Step>} changes */
const readPage = (changes) =>
  step({ id: "s2", tool: "read_page", title: "Read the page", arguments: [], output: "Glaciers flow.", ...changes });

/**
 * @param {Partial<Approval>} approval
 * @returns {SceneEvent}
 */
function ask(approval) {
  return {
    type: "approval",
    approval: {
      id: "p1",
      tool: "python",
      title: "Run Python code",
      question: "Run Python code?",
      arguments: [{ name: "code", value: CODE, code: "python" }],
      sees: "Only what the code itself holds. It runs apart from the browser, without network and files.",
      scopes: ["once", "session", "always"],
      expires: Date.now() + 119_500,
      ...approval,
    },
  };
}

const ASKING = [
  ...BUSY,
  user("What is the mean of 12.5, 80.1, 43, 9.7 and 61.4?"),
  message({ state: "streaming", steps: [step({ state: "asking" })] }),
];

const SITE = ask({
  id: "p2",
  tool: "read_page",
  title: "Read another tab",
  question: "Read the tab “Rainfall 2026”?",
  arguments: [{ name: "tab", value: "Rainfall 2026 (weather.example.org)" }],
  sees: "The whole text of weather.example.org in that tab.",
  warning:
    "The page you are reading may have asked for this. Text from “How glaciers move” was in the conversation when the model decided.",
  needs: { origins: ["https://weather.example.org/*"] },
});

const PLOT = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 170" font-family="sans-serif" font-size="11">
<path d="M36 10v130h274" fill="none" stroke="#444"/><g fill="#0b57d0"><rect x="52" y="117" width="34" height="23"/>
<rect x="104" y="20" width="34" height="120"/><rect x="156" y="75" width="34" height="65"/><rect x="208" y="126" width="34" height="14"/>
<rect x="260" y="48" width="34" height="92"/></g><g text-anchor="middle"><text x="69" y="156">Mon</text><text x="121" y="156">Tue</text>
<text x="173" y="156">Wed</text><text x="225" y="156">Thu</text><text x="277" y="156">Fri</text></g></svg>`;

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFklEQVR42mNg6JyKFTEMLYn/MxixomEEAEDvZAGa1G43AAAAAElFTkSuQmCC";

/** @type {Step["display"]} */
const TABLE = [
  {
    type: "table",
    columns: ["Station", "Rain (mm)", "Change", "Remarks of the observer"],
    rows: [
      ["Aldermoor", "12.5", "-3%", "Dry week"],
      ["Breakwater Point", "80.1", "+41%", "Storm on the second day, gauge overflowed once"],
      ["Cold Tarn", "43.0", "+2%", ""],
    ],
    more: 12,
  },
];

const SUBSESSION = step({
  id: "s3",
  tool: "delegate",
  title: "Give a task to a helper",
  arguments: [{ name: "task", value: "Read the page and list the three largest glaciers with their areas" }],
  steps: [
    readPage({}),
    step({ id: "s4", tool: "calculate", title: "Calculate", arguments: [{ name: "expression", value: "31.5 * 2" }] }),
  ],
  text: "The three largest are:\n\n1. **Lambert**, about 1,000,000 km²\n2. Bering",
});

const HOSTILE = '<img src=x onerror="document.body.dataset.hacked=1"><script>document.body.dataset.hacked=1</script>';
const HOSTILE_SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="60" onload="document.body.dataset.hacked=1">
<script>document.body.dataset.hacked=1; parent.document.body.dataset.hacked=1</script><image href="https://example.org/spy.png"/>
<foreignObject width="10" height="10"><iframe xmlns="http://www.w3.org/1999/xhtml" src="https://example.org/"></iframe></foreignObject>
<text x="6" y="34">An SVG with a script in it</text></svg>`;

/** @type {Record<string, SceneEvent[]>} */
export const TOOL_SCENES = {
  "tool-running": [
    ...BUSY,
    user("What is the mean of these numbers?"),
    message({ state: "streaming", steps: [readPage({}), step({ state: "running" })] }),
  ],
  "tool-done": [
    ...READY,
    user("What is the mean of these numbers?"),
    message({
      text: "The mean is **41.34** and the largest value is 80.1.",
      steps: [readPage({}), step({ output: "mean 41.34\nlargest 80.1" })],
    }),
  ],
  "tool-states": [
    ...READY,
    user("Try all of them"),
    message({
      text: "Two of the five did not work out.",
      steps: [
        step({ id: "t1", tool: "current_time", title: "Look at the clock", arguments: [], output: "10:32" }),
        step({ id: "t2", state: "denied" }),
        step({
          id: "t3",
          tool: "calculate",
          title: "Calculate",
          state: "stopped",
          arguments: [{ name: "expression", value: "2^(10^9)" }],
        }),
        step({
          id: "t4",
          tool: "find_in_page",
          title: "Find in the page",
          state: "error",
          arguments: [{ name: "words", value: "Lambert Glacier" }],
          error: "The page went away while it was read. Open it again, then ask once more.",
        }),
        step({
          id: "t5",
          tool: "my_tool",
          title: "A tool of mine with quite a long title",
          arguments: [{ name: "q", value: "x" }],
        }),
      ],
    }),
  ],
  "tool-table": [
    ...READY,
    user("Show the rainfall as a table"),
    message({ text: "Breakwater Point had the most rain.", steps: [step({ display: TABLE, output: "15 rows" })] }),
  ],
  "tool-figures": [
    ...READY,
    user("Plot it"),
    message({
      text: "Tuesday was the wettest.",
      steps: [
        step({ display: [{ type: "svg", text: PLOT }], output: "1 figure" }),
        step({ id: "s2", title: "Draw", display: [{ type: "image", mime: "image/png", data: PIXEL }] }),
      ],
    }),
  ],
  "tool-delegate": [
    ...BUSY,
    user("Let a helper look at the page"),
    message({ state: "streaming", steps: [{ ...SUBSESSION, state: "running" }] }),
  ],
  "tool-hostile": [
    ...READY,
    user("What does this tool do?"),
    message({
      text: "Nothing happened.",
      steps: [
        step({
          title: HOSTILE,
          state: "error",
          arguments: [
            { name: HOSTILE, value: HOSTILE },
            { name: "code", value: `${HOSTILE}\nprint("a‮b")`, code: "python" },
          ],
          error: HOSTILE,
          output: HOSTILE,
          text: HOSTILE,
          display: [
            { type: "text", text: HOSTILE },
            { type: "code", text: HOSTILE, language: HOSTILE },
          ],
        }),
        step({
          id: "s2",
          display: [
            { type: "table", columns: [HOSTILE, "b"], rows: [[HOSTILE, "1"]], more: 1 },
            { type: "svg", text: HOSTILE_SVG },
            { type: "image", mime: 'text/html,"><script>', data: HOSTILE },
          ],
        }),
      ],
    }),
    ask({ question: HOSTILE, sees: HOSTILE, warning: HOSTILE, arguments: [{ name: HOSTILE, value: HOSTILE }] }),
  ],
  approval: [...ASKING, ask({})],
  "approval-warning": [
    ...BUSY,
    user("Compare this with the rainfall in my other tab"),
    message({
      state: "streaming",
      steps: [step({ tool: "read_page", title: "Read another tab", state: "asking", arguments: [] })],
    }),
    SITE,
  ],
  "approval-queue": [...ASKING, ask({}), SITE],
  "approval-long": [
    ...ASKING,
    ask({
      arguments: [
        {
          name: "code",
          value: Array.from({ length: 60 }, (_, n) => `total_${n} = compute(${n}) + previous`).join("\n"),
          code: "python",
        },
        { name: "reason", value: "To add up what the table says. ".repeat(20) },
      ],
      scopes: ["once"],
    }),
  ],
};
