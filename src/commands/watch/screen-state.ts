import type { Key, NamedKey } from "./key-decoder.js";
import { SORT_KEYS, type Arrangement, type SortKey } from "./rows.js";

/** The state of the screen that keys can change. */
export interface ScreenState extends Arrangement {
  readonly paused: boolean;
  readonly help: boolean;
  /** The filter while the user types it. Undefined: no prompt */
  readonly prompt: string | undefined;
  /** The index of the first row in view */
  readonly top: number;
}

/** What a key asks the program to do. */
export type Action = "quit" | "interrupt" | "abort" | "stop" | "redraw";

export interface Pressed {
  readonly state: ScreenState;
  readonly action?: Action;
}

/** The extent of scrolling. */
export interface Extent {
  /** How many rows the table has */
  readonly rows: number;
  /** How many rows fit the screen */
  readonly room: number;
}

/** Keys that work everywhere. */
const ACTIONS: Partial<Record<NamedKey, Action>> = {
  "ctrl-c": "interrupt",
  "ctrl-\\": "abort",
  "ctrl-z": "stop",
  "ctrl-l": "redraw",
};

/** Longer text was pasted by mistake. */
const LONGEST_FILTER = 200;

/** Handles a key. */
export function press(state: ScreenState, key: Key, extent: Extent): Pressed {
  const action = "name" in key ? ACTIONS[key.name] : undefined;
  if (action) return { state, action };
  if (state.prompt !== undefined)
    return { state: editPrompt(state, state.prompt, key) };
  if (state.help) {
    if ("text" in key && key.text === "q") return { state, action: "quit" };
    return { state: { ...state, help: false } };
  }
  if ("text" in key) return runKey(state, key.text, extent);
  return { state: scrolled(state, key.name, extent) };
}

/** Handles a key in the prompt of the filter. The filter applies at once. */
function editPrompt(state: ScreenState, prompt: string, key: Key): ScreenState {
  const edited = (text: string): ScreenState => ({
    ...state,
    prompt: text,
    top: 0,
  });
  if ("text" in key)
    return prompt.length < LONGEST_FILTER ? edited(prompt + key.text) : state;
  switch (key.name) {
    case "enter":
      return { ...state, filter: prompt, prompt: undefined };
    case "escape":
      return { ...state, prompt: undefined, top: 0 };
    case "backspace":
      return edited(Array.from(prompt).slice(0, -1).join(""));
    case "ctrl-u":
      return edited("");
    default:
      return state;
  }
}

function runKey(state: ScreenState, text: string, extent: Extent): Pressed {
  const chosen = SORT_KEYS[Number(text) - 1];
  if (/^[1-9]$/.test(text) && chosen) return { state: sortedBy(state, chosen) };
  switch (text) {
    case "q":
      return { state, action: "quit" };
    case "s":
      return { state: sortedBy(state, neighbor(state.sort, 1)) };
    case "S":
      return { state: sortedBy(state, neighbor(state.sort, -1)) };
    case "r":
      return { state: { ...state, reversed: !state.reversed, top: 0 } };
    case "p":
      return { state: { ...state, paused: !state.paused } };
    case "v":
      return { state: { ...state, servers: !state.servers, top: 0 } };
    case "/":
      return { state: { ...state, prompt: state.filter } };
    case "?":
    case "h":
      return { state: { ...state, help: true } };
    case " ":
      return { state: scrolled(state, "pagedown", extent) };
    case "j":
      return { state: scrolled(state, "down", extent) };
    case "k":
      return { state: scrolled(state, "up", extent) };
    case "g":
      return { state: scrolled(state, "home", extent) };
    case "G":
      return { state: scrolled(state, "end", extent) };
    default:
      return { state };
  }
}

function sortedBy(state: ScreenState, sort: SortKey): ScreenState {
  return { ...state, sort, top: 0 };
}

function neighbor(sort: SortKey, step: number): SortKey {
  const { length } = SORT_KEYS;
  const at = (SORT_KEYS.indexOf(sort) + step + length) % length;
  return SORT_KEYS[at] ?? sort;
}

function scrolled(
  state: ScreenState,
  key: NamedKey,
  extent: Extent,
): ScreenState {
  const from = topOf(state, extent);
  const page = Math.max(extent.room - 1, 1);
  const steps: Partial<Record<NamedKey, number>> = {
    up: from - 1,
    down: from + 1,
    pageup: from - page,
    pagedown: from + page,
    home: 0,
    end: extent.rows,
  };
  if (key === "escape") return { ...state, filter: "", top: 0 };
  return { ...state, top: topOf({ top: steps[key] ?? from }, extent) };
}

/** The first row in view. If there are enough rows, the screen is full. */
export function topOf(
  { top }: Pick<ScreenState, "top">,
  { rows, room }: Extent,
): number {
  return Math.max(Math.min(top, rows - room), 0);
}

/** The filter in effect: the one in the prompt, if there is a prompt. */
export function filterOf({ filter, prompt }: ScreenState): string {
  return prompt ?? filter;
}
