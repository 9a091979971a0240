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

/** The screen after some keys, and what they asked for. */
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

test("sorting goes round, both ways, and is chosen by number", () => {
  assert.equal(after("s").sort, "packets");
  assert.equal(after("ssssss").sort, "connections");
  assert.equal(after("S").sort, "name");
  assert.equal(after("3").sort, "bytes");
  assert.equal(after("5").sort, "changed");
  assert.equal(after("7890").sort, "connections");
});

test("r turns the order round, p stops and goes on, v hides the servers", () => {
  assert.deepEqual([after("r").reversed, after("rr").reversed], [true, false]);
  assert.deepEqual([after("p").paused, after("pp").paused], [true, false]);
  assert.deepEqual([after("v").servers, after("vv").servers], [false, true]);
});

test("scrolling ends where the rows end", () => {
  assert.equal(after(UP).top, 0);
  assert.equal(after(DOWN + DOWN + UP).top, 1);
  assert.equal(after(PAGE_DOWN).top, 19, "a row of the last page stays");
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

test("where rows have gone, the screen is full all the same", () => {
  assert.equal(topOf({ top: 80 }, { rows: 50, room: 20 }), 30);
  assert.equal(topOf({ top: 80 }, { rows: 5, room: 20 }), 0);
  assert.equal(
    after(UP, { ...START, top: 80 }, { rows: 50, room: 20 }).top,
    29,
  );
});

test("whatever is sorted, filtered or hidden, the top is shown", () => {
  for (const keys of ["s", "2", "r", "v", "/x"])
    assert.equal(after(keys, { ...START, top: 50 }).top, 0, keys);
});

test("a filter is typed, counts at once, and is kept by Enter", () => {
  const typing = after("/we\x7feb q");
  assert.equal(typing.prompt, "web q", "q is a letter here");
  assert.equal(filterOf(typing), "web q");
  assert.deepEqual(typing.actions, []);
  const kept = after("/web\r");
  assert.deepEqual([kept.filter, kept.prompt], ["web", undefined]);
});

test("Escape leaves the filter as it was, and without a prompt takes it away", () => {
  const filtered = { ...START, filter: "old" };
  assert.equal(after("/", filtered).prompt, "old");
  const left = after("/new\x1b", filtered);
  assert.deepEqual([left.filter, left.prompt], ["old", undefined]);
  assert.equal(after("\x1b", filtered).filter, "");
});

test("the prompt knows backspace, ctrl-U and characters of several bytes, and has an end", () => {
  assert.equal(after("/ab\x15c").prompt, "c");
  assert.equal(after("/\x7f").prompt, "");
  assert.equal(after("/a\xf0\x9f\x98\x80\x7f").prompt, "a");
  assert.equal(after(`/${"x".repeat(1000)}`).prompt?.length, 200);
});

test("help goes away with any key, and q quits from it", () => {
  assert.ok(after("?").help);
  assert.ok(after("h").help);
  assert.ok(!after("?s").help);
  assert.equal(after("?s").sort, "connections", "which does nothing else");
  assert.deepEqual(after("?q").actions, ["quit"]);
});

test("what ends, stops or redraws does so everywhere", () => {
  for (const before of ["", "/x", "?"]) {
    assert.deepEqual(after(`${before}\x03`).actions, ["interrupt"], before);
    assert.deepEqual(after(`${before}\x1a`).actions, ["stop"], before);
    assert.deepEqual(after(`${before}\x1c`).actions, ["abort"], before);
    assert.deepEqual(after(`${before}\x0c`).actions, ["redraw"], before);
  }
  assert.deepEqual(after("q").actions, ["quit"]);
});

test("other keys do nothing", () => {
  const { actions, ...state } = after("xyz!€\x1b[15~");
  assert.deepEqual([state, actions], [START, []]);
});
