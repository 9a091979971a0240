import type { NamedKey } from "./key-decoder.js";
import { fromTop, type Extent, type ScreenState } from "./screen-state.js";

/** Keys that do the same as another one. */
export const KEYS: Readonly<Record<string, NamedKey | undefined>> = {
  " ": "pagedown",
  j: "down",
  k: "up",
  g: "home",
  G: "end",
};

/** The index after a key that moves. Undefined for any other key. */
export function targetOf(
  key: NamedKey,
  from: number,
  { rows, room }: Extent,
): number | undefined {
  const page = Math.max(room - 1, 1);
  const targets: Partial<Record<NamedKey, number>> = {
    up: from - 1,
    down: from + 1,
    pageup: from - page,
    pagedown: from + page,
    home: 0,
    end: rows - 1,
  };
  return targets[key];
}

/** Moves the selection. The first key selects the first row in view. The screen scrolls if the selected row would leave it. */
export function moved(
  state: ScreenState,
  key: NamedKey,
  extent: Extent,
): ScreenState {
  if (key === "escape")
    return state.filter === ""
      ? { ...state, cursor: undefined }
      : fromTop({ ...state, filter: "" });
  const top = topOf(state, extent);
  const start = state.cursor ?? top;
  const target = targetOf(key, start, extent);
  if (target === undefined || extent.rows === 0) return state;
  const isFirst = state.cursor === undefined && /^(up|down)$/.test(key);
  const cursor = isFirst ? top : Math.max(0, Math.min(target, extent.rows - 1));
  const isPage = key === "pageup" || key === "pagedown";
  return {
    ...state,
    cursor,
    top: showing(cursor, isPage ? top + target - start : top, extent),
  };
}

/** Selects the first row in view, if none is selected. */
export function withCursor(state: ScreenState, extent: Extent): ScreenState {
  return { ...state, cursor: state.cursor ?? topOf(state, extent) };
}

/** The first row in view, moved so that a row is in view. */
export function showing(cursor: number, top: number, extent: Extent): number {
  const least = cursor - extent.room + 1;
  return topOf({ top: Math.min(Math.max(top, least), cursor) }, extent);
}

/** The first row in view. If there are enough rows, the screen is full. */
export function topOf(
  { top }: Pick<ScreenState, "top">,
  { rows, room }: Extent,
): number {
  return Math.max(Math.min(top, rows - room), 0);
}
