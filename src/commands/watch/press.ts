import {
  DEFAULT_COLUMNS,
  WATCH_COLUMNS,
  type WatchColumnKey,
} from "./column-keys.js";
import type { Key, NamedKey } from "./key-decoder.js";
import { SORT_KEYS, type SortKey } from "./rows.js";
import {
  fromTop,
  type Action,
  type Extent,
  type Pressed,
  type Prompt,
  type ScreenState,
} from "./screen-state.js";
import { KEYS, moved, targetOf, topOf, withCursor } from "./scrolling.js";

/** Keys that work everywhere. */
const ACTIONS: Partial<Record<NamedKey, Action>> = {
  "ctrl-c": "interrupt",
  "ctrl-\\": "abort",
  "ctrl-z": "stop",
  "ctrl-l": "redraw",
};

/** Longer text was pasted by mistake. */
const LONGEST_FILTER = 200;

/** A weight has at most ten digits. */
const LONGEST_WEIGHT = 10;

/** Handles a key. @param details how many lines of details there are, and how many fit */
export function press(
  state: ScreenState,
  key: Key,
  extent: Extent,
  details: Extent = extent,
): Pressed {
  const action = "name" in key ? ACTIONS[key.name] : undefined;
  if (action) return { state, action };
  if (state.asking) return answer(state, key);
  if (state.prompt) return editPrompt(state, state.prompt, key);
  if (state.help) {
    if (isText(key, "q")) return { state, action: "quit" };
    return { state: { ...state, help: false } };
  }
  switch (state.view) {
    case "columns":
      return chooseColumns(state, key);
    case "details":
      return inDetails(state, key, details);
    case "table":
      if ("text" in key) return runKey(state, key.text, extent);
      if (key.name === "enter")
        return extent.rows === 0
          ? { state }
          : { state: withCursor(state, extent), action: "open" };
      return { state: moved(state, key.name, extent) };
  }
}

function isText(key: Key, text: string): boolean {
  return "text" in key && key.text === text;
}

/** Only y confirms. A key that was pressed too early or by mistake must not change the table. */
function answer(state: ScreenState, key: Key): Pressed {
  const next = { ...state, asking: false };
  return isText(key, "y") || isText(key, "Y")
    ? { state: next, action: "confirm" }
    : { state: next, action: "cancel" };
}

/** Handles a key in a prompt. A filter applies at once. */
function editPrompt(
  state: ScreenState,
  { kind, text }: Prompt,
  key: Key,
): Pressed {
  const edited = (text: string): Pressed => ({
    state: fromTop({ ...state, prompt: { kind, text } }, kind === "filter"),
  });
  if ("text" in key) {
    if (kind === "weight" && !/^[0-9]$/.test(key.text)) return { state };
    const longest = kind === "weight" ? LONGEST_WEIGHT : LONGEST_FILTER;
    return text.length < longest ? edited(text + key.text) : { state };
  }
  const closed = { ...state, prompt: undefined };
  switch (key.name) {
    case "enter":
      if (kind === "filter") return { state: { ...closed, filter: text } };
      return text === ""
        ? { state: closed }
        : { state: closed, action: "set weight", text };
    case "escape":
      return { state: fromTop(closed, kind === "filter") };
    case "backspace":
      return edited(Array.from(text).slice(0, -1).join(""));
    case "ctrl-u":
      return edited("");
    default:
      return { state };
  }
}

/** Handles a key in the list of columns. */
function chooseColumns(state: ScreenState, key: Key): Pressed {
  if (isText(key, "q")) return { state, action: "quit" };
  const { length } = WATCH_COLUMNS;
  const at = (index: number): Pressed => ({
    state: {
      ...state,
      columnCursor: Math.max(0, Math.min(index, length - 1)),
    },
  });
  const name = "name" in key ? key.name : KEYS[key.text];
  switch (name) {
    case "up":
      return at(state.columnCursor - 1);
    case "down":
      return at(state.columnCursor + 1);
    case "home":
      return at(0);
    case "end":
      return at(length - 1);
    case "enter":
    case "escape":
      return { state: { ...state, view: "table" } };
    default:
  }
  if (isText(key, " ") || isText(key, "x"))
    return { state: { ...state, columns: toggled(state) } };
  if (isText(key, "r")) return { state: { ...state, columns: [] } };
  return { state };
}

/** Adds or removes the column at the cursor. Chosen columns keep their order; an added one is last. */
function toggled({
  columns,
  columnCursor,
}: ScreenState): readonly WatchColumnKey[] {
  const key = WATCH_COLUMNS[columnCursor];
  if (key === undefined) return columns;
  if (columns.length > 0)
    return columns.includes(key)
      ? columns.filter((other) => other !== key)
      : [...columns, key];
  const shown = new Set(DEFAULT_COLUMNS);
  if (!shown.delete(key)) shown.add(key);
  return WATCH_COLUMNS.filter((other) => shown.has(other));
}

/** Handles a key while a service or server is open. */
function inDetails(state: ScreenState, key: Key, extent: Extent): Pressed {
  if ("text" in key) {
    const action = CHANGES[key.text];
    if (action) return { state, action };
    if (key.text === "q") return { state, action: "quit" };
    if (key.text === "p") return { state: { ...state, paused: !state.paused } };
    if (key.text === "?" || key.text === "h")
      return { state: { ...state, help: true } };
  }
  const name = "name" in key ? key.name : KEYS[key.text];
  if (name === "escape" || name === "backspace")
    return { state: { ...state, view: "table", detailsTop: 0 } };
  const from = topOf({ top: state.detailsTop }, extent);
  const detailsTop = topOf(
    { top: (name && targetOf(name, from, extent)) ?? from },
    extent,
  );
  return { state: { ...state, detailsTop } };
}

/** Keys that change the selected server. */
const CHANGES: Readonly<Record<string, Action | undefined>> = {
  d: "drain",
  u: "undrain",
  w: "weight",
};

function runKey(state: ScreenState, text: string, extent: Extent): Pressed {
  const chosen = SORT_KEYS[Number(text) - 1];
  if (/^[1-9]$/.test(text) && chosen) return { state: sortedBy(state, chosen) };
  const action = CHANGES[text];
  if (action) return { state, action };
  const same = KEYS[text];
  if (same) return { state: moved(state, same, extent) };
  switch (text) {
    case "q":
      return { state, action: "quit" };
    case "s":
      return { state: sortedBy(state, neighbor(state.sort, 1)) };
    case "S":
      return { state: sortedBy(state, neighbor(state.sort, -1)) };
    case "r":
      return { state: fromTop({ ...state, reversed: !state.reversed }) };
    case "p":
      return { state: { ...state, paused: !state.paused } };
    case "v":
      return { state: fromTop({ ...state, servers: !state.servers }) };
    case "c":
      return { state: { ...state, view: "columns" } };
    case "/":
      return {
        state: { ...state, prompt: { kind: "filter", text: state.filter } },
      };
    case "?":
    case "h":
      return { state: { ...state, help: true } };
    default:
      return { state };
  }
}

function sortedBy(state: ScreenState, sort: SortKey): ScreenState {
  return fromTop({ ...state, sort });
}

function neighbor(sort: SortKey, step: number): SortKey {
  const { length } = SORT_KEYS;
  const at = (SORT_KEYS.indexOf(sort) + step + length) % length;
  return SORT_KEYS[at] ?? sort;
}
