import type { Display } from "../../cli/output.js";
import { fitLine, type Part } from "./frame.js";

const LABEL_COLUMNS = 13;

/** A label and the parts after it. */
export function labeled(
  label: string,
  parts: readonly (Part | string)[],
  display: Display,
): string {
  const rest = fitLine(
    parts.map((part) => (typeof part === "string" ? { text: part } : part)),
    {
      paint: display.paint,
      width: Math.max((display.width ?? Infinity) - LABEL_COLUMNS, 1),
    },
    ", ",
  );
  return `${display.paint.strong(label)}${" ".repeat(LABEL_COLUMNS - label.length)}${rest}`;
}
