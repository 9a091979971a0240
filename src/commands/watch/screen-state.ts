import type { WatchColumnKey } from "./column-keys.js";
import type { Arrangement } from "./rows.js";

/** What fills the screen: the table, one service or server, or the list of columns. */
export type View = "table" | "details" | "columns";

/** A line in which the user types. */
export interface Prompt {
  readonly kind: "filter" | "weight";
  readonly text: string;
}

/** The state of the screen that keys can change. */
export interface ScreenState extends Arrangement {
  readonly paused: boolean;
  readonly view: View;
  /** Whether the keys are shown instead */
  readonly help: boolean;
  readonly prompt: Prompt | undefined;
  /** Whether the user is asked to confirm a command */
  readonly asking: boolean;
  /** The index of the first row in view */
  readonly top: number;
  /** The index of the selected row. Undefined: none */
  readonly cursor: number | undefined;
  /** The index of the first line of the details in view */
  readonly detailsTop: number;
  /** The columns that the user chose. Empty: those that fit */
  readonly columns: readonly WatchColumnKey[];
  /** The index of the selected column in the list of columns */
  readonly columnCursor: number;
}

/** The state before any key. */
export function startState(
  arrangement: Arrangement,
  columns: readonly WatchColumnKey[],
): ScreenState {
  return {
    ...arrangement,
    paused: false,
    view: "table",
    help: false,
    prompt: undefined,
    asking: false,
    top: 0,
    cursor: undefined,
    detailsTop: 0,
    columns,
    columnCursor: 0,
  };
}

/** What a key asks the program to do. */
export type Action =
  | "quit"
  | "interrupt"
  | "abort"
  | "stop"
  | "redraw"
  /** Open the selected row */
  | "open"
  /** Ask whether to drain or undrain the selected server */
  | "drain"
  | "undrain"
  /** Ask for the new weight of the selected server */
  | "weight"
  /** The weight was typed: ask whether to set it */
  | "set weight"
  /** Run the command that was asked about */
  | "confirm"
  | "cancel";

export interface Pressed {
  readonly state: ScreenState;
  readonly action?: Action;
  /** The typed weight */
  readonly text?: string;
}

/** The extent of scrolling. */
export interface Extent {
  /** How many rows the table has */
  readonly rows: number;
  /** How many rows fit the screen */
  readonly room: number;
}

/** The filter in effect: the one in the prompt, if there is a prompt. */
export function filterOf({ filter, prompt }: ScreenState): string {
  return prompt?.kind === "filter" ? prompt.text : filter;
}

/** Scrolls to the top, because the rows are others. */
export function fromTop(state: ScreenState, really = true): ScreenState {
  return really ? { ...state, top: 0, cursor: undefined } : state;
}
