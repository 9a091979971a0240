import { escapeControls } from "../../cli/escape.js";
import type { Display } from "../../cli/output.js";
import type { LogLine } from "./change-log.js";
import { fitLine, type Part } from "./frame.js";
import type { Extent, ScreenState } from "./screen-state.js";

/** What the screen shows besides the table. */
export interface Extras {
  /** The last change of the user, or a message */
  readonly log: readonly LogLine[];
  /** The command that is asked about, with what it means */
  readonly question: readonly string[] | undefined;
  /** The lines of the service or server that is open. They fit the screen */
  readonly details: readonly string[];
  /** Of which server the weight is asked */
  readonly subject: string;
}

export const NO_EXTRAS: Extras = {
  log: [],
  question: undefined,
  details: [],
  subject: "",
};

export const COLUMN_KEYS: readonly Part[] = [
  { text: "space: on or off" },
  { text: "r default", drop: 1 },
  { text: "↑↓ move", drop: 2 },
  { text: "Esc back" },
];

const CONFIRM_KEYS: readonly Part[] = [
  { text: "y: run it", style: "strong" },
  { text: "any other key: cancel", style: "dim" },
];

export function footerOf(parts: readonly Part[], display: Display): string {
  return fitLine(parts, display, "  ");
}

/** The prompt, if there is one: a label and what was typed. */
function promptLine(
  { prompt }: ScreenState,
  { subject }: Extras,
  display: Display,
): string | undefined {
  if (!prompt) return undefined;
  const label =
    prompt.kind === "filter" ? "Filter: " : `Weight of ${subject}: `;
  // Show the end of a long text, because the user types there.
  const room = Math.max((display.width ?? Infinity) - label.length - 4, 1);
  const end = Array.from(escapeControls(prompt.text)).slice(-room).join("");
  return fitLine(
    [
      { text: `${label}${end}_`, style: "strong" },
      {
        text: `Enter: ${prompt.kind === "filter" ? "apply" : "continue"}, Escape: cancel`,
        style: "dim",
        drop: 1,
      },
    ],
    display,
    "   ",
  );
}

export function detailsFooter(
  state: ScreenState,
  top: number,
  { rows, room }: Extent,
  display: Display,
  extras: Extras,
): string {
  if (extras.question) return footerOf(CONFIRM_KEYS, display);
  return (
    promptLine(state, extras, display) ??
    footerOf(
      [
        { text: "Esc back" },
        { text: "d drain", drop: 2 },
        { text: "u undrain", drop: 3 },
        { text: "w weight", drop: 4 },
        { text: state.paused ? "p resume" : "p pause", drop: 5 },
        { text: "? help", drop: 1 },
        ...(rows > room
          ? [{ text: `↑↓ ${top + 1}-${top + room} of ${rows}`, drop: 0 }]
          : []),
      ],
      display,
    )
  );
}

/** The keys, a prompt, or how to answer. */
export function tableFooter(
  state: ScreenState,
  top: number,
  visible: number,
  { rows, room }: Extent,
  display: Display,
  extras: Extras,
): string {
  if (extras.question) return footerOf(CONFIRM_KEYS, display);
  const { filter, paused, cursor } = state;
  return (
    promptLine(state, extras, display) ??
    footerOf(
      [
        { text: "q quit" },
        { text: "? help" },
        { text: "Enter open", drop: 1 },
        ...(cursor === undefined
          ? []
          : [
              { text: "d drain", drop: 1 },
              { text: "u undrain", drop: 1 },
              { text: "w weight", drop: 2 },
            ]),
        { text: "s sort", drop: 3 },
        { text: "r reverse", drop: 6 },
        { text: "/ filter", drop: 4 },
        { text: paused ? "p resume" : "p pause", drop: 5 },
        { text: "v servers", drop: 7 },
        { text: "c columns", drop: 8 },
        ...(filter === "" ? [] : [{ text: "Esc clear", drop: 2 }]),
        ...(rows > room
          ? [{ text: `↑↓ ${top + 1}-${top + visible} of ${rows}`, drop: 0 }]
          : []),
      ],
      display,
    )
  );
}
