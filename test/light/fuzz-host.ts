/*
 * Calls everything of the host with arguments of wrong types, numbers and lengths: each call must return, or throw a
 * TypeError or RangeError. bin/build-light makes a program of it, with sanitizers that end it at any other access.
 */
import "../../src/runtime/quickjs-node.js";
import { turn } from "../../src/runtime/quickjs-loop.js";
import { Random } from "../compat/random.js";

const CALLS = 20_000;
/** What such an argument would do on purpose: wait for ever, end the program, or close its last stream. */
const LONG_WAITS = (value: unknown) =>
  typeof value === "number" && (value < 0 || value > 1);
const STATUSES = (value: unknown) =>
  typeof value === "number" && value >= 0 && value <= 255;

const calls = host as unknown as Record<
  string,
  (...values: unknown[]) => unknown
>;
const seed = Number(host.environment("SEED") ?? "1");
const random = new Random(seed);

function values(): unknown[] {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => i);
  const throwing = Object.defineProperty([1, 2], 0, {
    get() {
      throw new TypeError("a getter");
    },
  });
  return [
    ...[undefined, null, true, Symbol("s"), 1n, 2n ** 70n, () => 1],
    ...[0, 1, -1, -0, 1.5, NaN, Infinity, -Infinity, 5, 16, 17, 77, 4096],
    ...[2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 31), 1e300],
    ...["", "abc", "/dev/null", "/", "a\0b", "\xff", "\u20ac", "\ud800"],
    ...["x".repeat(70_000), "x".repeat(300) + "\xe4".repeat(300)],
    ...[{}, { length: 3 }, [], [1], ["a"], ["/nonexistent", "b"], ["a\0"]],
    ...[[["a"]], [77, 77], new Array(70_000), throwing, Array(3)],
    ...[bytes, bytes.subarray(3, 7), new Uint8Array(0), new Uint8Array(70_000)],
    ...[new Int32Array(0), new Int32Array(2), new Int32Array(64)],
    ...[new Int32Array(65), new Int32Array(bytes.buffer, 8), new Int8Array(4)],
    ...[new Uint16Array(3), new Float64Array(2), new BigInt64Array(2)],
    ...[bytes.buffer, new DataView(bytes.buffer), new ArrayBuffer(0)],
  ];
}

/** Whether a call would do what it is for, which would end the test. */
function isMeant(name: string, given: readonly unknown[]): boolean {
  return (
    (name === "exit" && STATUSES(given[0])) ||
    (name === "poll" && LONG_WAITS(given[1])) ||
    (name === "close" && given[0] === 2)
  );
}

function fail(text: string): never {
  host.write(2, Buffer.from(`seed ${seed}: ${text}\n`, "latin1"));
  return host.exit(1);
}

function check(right: boolean, text: string): void {
  if (!right) fail(text);
}

/** Closes what a call has opened, for nothing will ever be read from it. */
function closeNew(name: string, result: unknown): void {
  const opened = Array.isArray(result) ? (result[1] as unknown) : result;
  if (!["open", "socket", "start"].includes(name)) return;
  if (typeof opened === "number" && opened >= 0) host.close(opened);
}

/** What the calls for text do at the bounds. */
function checkText(): void {
  const bytes = Buffer.from("abcdef\xff", "latin1");
  check(host.latin1(bytes.subarray(2, 5), 1, 3) === "de", "latin1 of a part");
  check(host.latin1(bytes, 6, 7) === "\xff", "latin1 above ASCII");
  check(host.putLatin1(bytes, 5, "\xe4x") === 2, "putLatin1 up to the end");
  check(bytes.toString("latin1") === "abcde\xe4x", "putLatin1");
  for (const call of [
    () => host.putLatin1(bytes, 6, "ab"),
    () => host.putLatin1(bytes, 8, ""),
    () => host.latin1(bytes, 3, 8),
    () => host.latin1(bytes, 3, 2),
  ])
    check(thrown(call) instanceof RangeError, "a call beyond the bounds");
}

/** A socket that waits for a datagram gives up after the time that was set for it. */
function checkTimeout(): void {
  const [AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_RCVTIMEO] = [2, 2, 1, 20];
  const EAGAIN = 11;
  const socket = host.socket(AF_INET, SOCK_DGRAM, 0);
  host.setOption(socket, SOL_SOCKET, SO_RCVTIMEO, 1);
  const began = host.now();
  const room = new Uint8Array(16);
  const result = host.receive(socket, room, new Int32Array(1), 0);
  const seconds = (host.now() - began) / 1000;
  check(result === -EAGAIN, `receive() returned ${result}`);
  check(seconds >= 0.9, `receive() waited for ${seconds} s`);
  host.close(socket);
}

function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

function fuzz(): void {
  const names = Object.getOwnPropertyNames(calls);
  check(names.length > 25, `there are ${names.length} calls`);
  for (let done = 0; done < CALLS; done++) {
    const name = random.pick(names);
    const given = Array.from({ length: random.below(5) }, () => {
      const all = values();
      return all[random.below(all.length)];
    });
    if (isMeant(name, given)) continue;
    const error = thrown(() => {
      closeNew(name, calls[name]?.(...given));
    });
    if (error === undefined) continue;
    if (!(error instanceof TypeError || error instanceof RangeError))
      fail(
        `${name} threw ${error instanceof Error ? error.message : typeof error}`,
      );
  }
}

Object.assign(globalThis, {
  start() {
    checkText();
    checkTimeout();
    fuzz();
    host.exit(0);
  },
  turn,
});
