import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyDecoder } from "../../../src/commands/watch/key-decoder.js";
import {
  filterOf,
  press,
  topOf,
  type Action,
  type ScreenState,
} from "../../../src/commands/watch/screen-state.js";

const START: ScreenState = {
  sort: "connections",
  reversed: false,
  filter: "",
  servers: true,
  paused: false,
  help: false,
  prompt: undefined,
  top: 0,
};
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
): ScreenState & { readonly actions: readonly Action[] } {
  const decoder = new KeyDecoder();
  const actions: Action[] = [];
  for (const key of [...decoder.feed(bytes), ...decoder.end()]) {
    const pressed = press(state, key, extent);
    ({ state } = pressed);
    if (pressed.action) actions.push(pressed.action);
  }
  return { ...state, actions };
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

test("press() scrolls within the rows", () => {
  assert.equal(after(UP).top, 0);
  assert.equal(after(DOWN + DOWN + UP).top, 1);
  assert.equal(
    after(PAGE_DOWN).top,
    19,
    "one row of the last page stays in view",
  );
  assert.equal(after(PAGE_DOWN + PAGE_UP).top, 0);
  assert.equal(after("\x1b[F").top, 80);
  assert.equal(after(`\x1b[F${DOWN}${PAGE_DOWN}`).top, 80);
  assert.equal(after(`\x1b[F${UP}`).top, 79);
  assert.equal(after("\x1b[F\x1b[H").top, 0);
  assert.deepEqual(
    ["j", "jk", " ", "G", "Gg"].map((keys) => after(keys).top),
    [1, 0, 19, 80, 0],
  );
  assert.equal(after(DOWN, START, { rows: 5, room: 20 }).top, 0);
});

test("topOf() fills the screen after rows were removed", () => {
  assert.equal(topOf({ top: 80 }, { rows: 50, room: 20 }), 30);
  assert.equal(topOf({ top: 80 }, { rows: 5, room: 20 }), 0);
  assert.equal(
    after(UP, { ...START, top: 80 }, { rows: 50, room: 20 }).top,
    29,
  );
});

test("press() scrolls to the top after sorting, filtering and hiding", () => {
  for (const keys of ["s", "2", "r", "v", "/x"])
    assert.equal(after(keys, { ...START, top: 50 }).top, 0, keys);
});

test("press() applies the filter while it is typed, and Enter keeps it", () => {
  const typing = after("/we\x7feb q");
  assert.equal(typing.prompt, "web q", "q is a letter here");
  assert.equal(filterOf(typing), "web q");
  assert.deepEqual(typing.actions, []);
  const kept = after("/web\r");
  assert.deepEqual([kept.filter, kept.prompt], ["web", undefined]);
});

test("press() restores the filter on Escape in the prompt, and clears it without a prompt", () => {
  const filtered = { ...START, filter: "old" };
  assert.equal(after("/", filtered).prompt, "old");
  const left = after("/new\x1b", filtered);
  assert.deepEqual([left.filter, left.prompt], ["old", undefined]);
  assert.equal(after("\x1b", filtered).filter, "");
});

test("press() edits the prompt with backspace and Ctrl-U, up to 200 characters", () => {
  assert.equal(after("/ab\x15c").prompt, "c");
  assert.equal(after("/\x7f").prompt, "");
  assert.equal(after("/a\xf0\x9f\x98\x80\x7f").prompt, "a");
  assert.equal(after(`/${"x".repeat(1000)}`).prompt?.length, 200);
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
  const { actions, ...state } = after("xyz!€\x1b[15~");
  assert.deepEqual([state, actions], [START, []]);
});
