import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DEFAULT_COLUMNS,
  WATCH_COLUMNS,
} from "../../../src/commands/watch/column-keys.js";
import { KeyDecoder } from "../../../src/commands/watch/key-decoder.js";
import { press } from "../../../src/commands/watch/press.js";
import {
  filterOf,
  startState,
  type Action,
  type ScreenState,
} from "../../../src/commands/watch/screen-state.js";
import { topOf } from "../../../src/commands/watch/scrolling.js";

const START: ScreenState = startState(
  { sort: "connections", reversed: false, filter: "", servers: true },
  [],
);
const EXTENT = { rows: 100, room: 20 };

const UP = "\x1b[A";
const DOWN = "\x1b[B";
const PAGE_UP = "\x1b[5~";
const PAGE_DOWN = "\x1b[6~";

/** Presses keys. @returns the state, and the actions */
function after(
  bytes: string,
  state = START,
  extent = EXTENT,
): ScreenState & {
  readonly actions: readonly Action[];
  readonly texts: readonly string[];
} {
  const decoder = new KeyDecoder();
  const actions: Action[] = [];
  const texts: string[] = [];
  for (const key of [...decoder.feed(bytes), ...decoder.end()]) {
    const pressed = press(state, key, extent);
    ({ state } = pressed);
    if (pressed.action) actions.push(pressed.action);
    if (pressed.text !== undefined) texts.push(pressed.text);
  }
  return { ...state, actions, texts };
}

test("press() changes the sort key with s, S and digits", () => {
  assert.equal(after("s").sort, "packets");
  assert.equal(after("ssssss").sort, "connections");
  assert.equal(after("S").sort, "name");
  assert.equal(after("3").sort, "bytes");
  assert.equal(after("5").sort, "changed");
  assert.equal(after("7890").sort, "connections");
});

test("press() reverses with r, pauses with p, and hides servers with v", () => {
  assert.deepEqual([after("r").reversed, after("rr").reversed], [true, false]);
  assert.deepEqual([after("p").paused, after("pp").paused], [true, false]);
  assert.deepEqual([after("v").servers, after("vv").servers], [false, true]);
});

/** The selected row and the first row in view. */
function place(bytes: string, state = START, extent = EXTENT) {
  const { cursor, top } = after(bytes, state, extent);
  return [cursor, top];
}

test("press() selects the first row in view, then moves within the rows", () => {
  assert.deepEqual(place(DOWN), [0, 0]);
  assert.deepEqual(place(UP), [0, 0]);
  assert.deepEqual(place(DOWN, { ...START, top: 30 }), [30, 30]);
  assert.deepEqual(place(DOWN.repeat(3) + UP), [1, 0]);
  assert.deepEqual(place(DOWN.repeat(21)), [20, 1], "the row stays in view");
  assert.deepEqual(place(DOWN.repeat(21) + UP.repeat(20)), [0, 0]);
  assert.deepEqual(
    place(DOWN + PAGE_DOWN),
    [19, 19],
    "one row of the last page stays in view",
  );
  assert.deepEqual(place(DOWN + PAGE_DOWN + PAGE_UP), [0, 0]);
  assert.deepEqual(place("\x1b[F"), [99, 80]);
  assert.deepEqual(place(`\x1b[F${DOWN}${PAGE_DOWN}`), [99, 80]);
  assert.deepEqual(place(`\x1b[F${UP}`), [98, 80]);
  assert.deepEqual(place("\x1b[F\x1b[H"), [0, 0]);
  assert.deepEqual(
    ["j", "jjk", " ", "G", "Gg"].map((keys) => after(keys).cursor),
    [0, 0, 19, 99, 0],
  );
  assert.deepEqual(place(DOWN.repeat(9), START, { rows: 5, room: 20 }), [4, 0]);
  assert.deepEqual(place(DOWN, START, { rows: 0, room: 20 }), [undefined, 0]);
});

test("press() opens the selected row with Enter, or else the first row in view", () => {
  assert.deepEqual(after("jj\r").actions, ["open"]);
  assert.equal(after("jj\r").cursor, 1);
  assert.equal(after("\r", { ...START, top: 7 }).cursor, 7);
  assert.deepEqual(after("\r", START, { rows: 0, room: 20 }).actions, []);
});

test("press() scrolls in the details, and goes back with Escape", () => {
  const open: ScreenState = { ...START, view: "details", cursor: 4 };
  assert.equal(after(DOWN + DOWN + UP, open).detailsTop, 1);
  assert.equal(after("G", open).detailsTop, 80);
  assert.equal(after("j", open).cursor, 4, "the selection stays");
  const back = after("jj\x1b", open);
  assert.deepEqual([back.view, back.detailsTop, back.cursor], ["table", 0, 4]);
  assert.deepEqual(after("sr/", open).actions, []);
  assert.equal(after("sr/", open).sort, "connections");
  const help = after("?x", open);
  assert.deepEqual([help.view, help.help], ["details", false]);
  assert.deepEqual(after("q", open).actions, ["quit"]);
});

test("press() asks for changes with d, u and w, in the table and in the details", () => {
  for (const view of ["table", "details"] as const)
    assert.deepEqual(after("duw", { ...START, view }).actions, [
      "drain",
      "undrain",
      "weight",
    ]);
});

test("press() confirms with y only", () => {
  const asking: ScreenState = { ...START, asking: true };
  for (const [key, action] of [
    ["y", "confirm"],
    ["Y", "confirm"],
    ["n", "cancel"],
    ["\r", "cancel"],
    [" ", "cancel"],
    ["q", "cancel"],
    ["\x1b", "cancel"],
    ["\x03", "interrupt"],
  ] as const) {
    const { actions, asking: still } = after(key, asking);
    assert.deepEqual(actions, [action], JSON.stringify(key));
    assert.equal(still, action === "interrupt", "the answer ends the question");
  }
  assert.deepEqual(after("yd", asking).actions, ["confirm", "drain"]);
});

test("press() accepts digits for a weight, up to ten", () => {
  const typing: ScreenState = {
    ...START,
    cursor: 3,
    prompt: { kind: "weight", text: "" },
  };
  assert.equal(after("1a2-3 ", typing).prompt?.text, "123");
  assert.equal(after("1".repeat(20), typing).prompt?.text.length, 10);
  const entered = after("12\x7f5\r", typing);
  assert.deepEqual(
    [entered.prompt, entered.actions, entered.texts],
    [undefined, ["set weight"], ["15"]],
  );
  for (const keys of ["\r", "12\x1b"]) {
    const left = after(keys, typing);
    assert.deepEqual([left.prompt, left.actions], [undefined, []]);
    assert.equal(left.cursor, 3, "the selection stays");
  }
});

test("press() chooses columns: space adds and removes, r restores the default", () => {
  const chosen = after("c ");
  assert.equal(chosen.view, "columns");
  assert.deepEqual(
    chosen.columns,
    DEFAULT_COLUMNS.filter((key) => key !== "state"),
  );
  assert.deepEqual(after(`c${DOWN.repeat(4)} `).columns, [
    ...DEFAULT_COLUMNS.slice(0, 4),
    "inactive",
    ...DEFAULT_COLUMNS.slice(4),
  ]);
  const own: ScreenState = { ...START, columns: ["rate", "state"] };
  assert.deepEqual(after("c ", own).columns, ["rate"]);
  assert.deepEqual(after("cj ", own).columns, ["rate", "state", "method"]);
  assert.deepEqual(after("c r", own).columns, []);
  assert.equal(after("cG").columnCursor, WATCH_COLUMNS.length - 1);
  assert.equal(after("cGjg").columnCursor, 0);
  assert.equal(after("c\x1b").view, "table");
  assert.equal(after("c\r").view, "table");
  assert.deepEqual(after("cd").actions, []);
  assert.deepEqual(after("cq").actions, ["quit"]);
});

test("topOf() fills the screen after rows were removed", () => {
  assert.equal(topOf({ top: 80 }, { rows: 50, room: 20 }), 30);
  assert.equal(topOf({ top: 80 }, { rows: 5, room: 20 }), 0);
});

test("press() scrolls to the top after sorting, filtering and hiding", () => {
  for (const keys of ["s", "2", "r", "v", "/x"])
    assert.deepEqual(
      place(keys, { ...START, top: 50, cursor: 60 }),
      [undefined, 0],
      keys,
    );
});

test("press() applies the filter while it is typed, and Enter keeps it", () => {
  const typing = after("/we\x7feb q");
  assert.equal(typing.prompt?.text, "web q", "q is a letter here");
  assert.equal(filterOf(typing), "web q");
  assert.deepEqual(typing.actions, []);
  const kept = after("/web\r");
  assert.deepEqual([kept.filter, kept.prompt], ["web", undefined]);
});

test("press() restores the filter on Escape in the prompt, and clears it without a prompt", () => {
  const filtered = { ...START, filter: "old" };
  assert.equal(after("/", filtered).prompt?.text, "old");
  const left = after("/new\x1b", filtered);
  assert.deepEqual([left.filter, left.prompt], ["old", undefined]);
  assert.equal(after("\x1b", filtered).filter, "");
  const selected = after("\x1b", { ...START, cursor: 5 });
  assert.equal(selected.cursor, undefined, "then the selection");
});

test("press() edits the prompt with backspace and Ctrl-U, up to 200 characters", () => {
  assert.equal(after("/ab\x15c").prompt?.text, "c");
  assert.equal(after("/\x7f").prompt?.text, "");
  assert.equal(after("/a\xf0\x9f\x98\x80\x7f").prompt?.text, "a");
  assert.equal(after(`/${"x".repeat(1000)}`).prompt?.text.length, 200);
});

test("press() leaves the help with any key, and quits with q", () => {
  assert.ok(after("?").help);
  assert.ok(after("h").help);
  assert.ok(!after("?s").help);
  assert.equal(after("?s").sort, "connections", "the key has no other effect");
  assert.deepEqual(after("?q").actions, ["quit"]);
});

test("press() handles Ctrl-C, Ctrl-Z, Ctrl-\\ and Ctrl-L everywhere", () => {
  for (const before of ["", "/x", "?"]) {
    assert.deepEqual(after(`${before}\x03`).actions, ["interrupt"], before);
    assert.deepEqual(after(`${before}\x1a`).actions, ["stop"], before);
    assert.deepEqual(after(`${before}\x1c`).actions, ["abort"], before);
    assert.deepEqual(after(`${before}\x0c`).actions, ["redraw"], before);
  }
  assert.deepEqual(after("q").actions, ["quit"]);
});

test("press() ignores other keys", () => {
  const { actions, texts, ...state } = after("xyz!€\x1b[15~");
  assert.deepEqual([state, actions, texts], [START, [], []]);
});
