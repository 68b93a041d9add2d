import { html } from "htm/preact";
import * as icons from "./icons.js";

/** @type {Record<string, typeof icons.ToolIcon>} */
const TOOLS = {
  read_page: icons.PageIcon,
  find_in_page: icons.SearchIcon,
  list_tabs: icons.TabsIcon,
  python: icons.CodeIcon,
  calculate: icons.CalculateIcon,
  current_time: icons.ClockIcon,
  remember: icons.NoteIcon,
  recall: icons.NoteIcon,
  todo: icons.ListIcon,
  delegate: icons.BranchIcon,
};

/** @param {{tool: string}} props */
export const ToolSymbol = ({ tool }) => html`<${Object.hasOwn(TOOLS, tool) ? TOOLS[tool] : icons.ToolIcon} />`;
