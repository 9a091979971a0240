import {
  setImmediate as turn,
  setTimeout as sleep,
} from "node:timers/promises";
import type { Link } from "../../../src/netlink/link.js";
import type { Io } from "../../../src/runtime/io.js";
import { Progress } from "../../../src/runtime/progress.js";
import { Output } from "../../../src/cli/output.js";
import { parseArguments } from "../../../src/cli/parser.js";
import { watchSpec } from "../../../src/commands/watch/spec.js";
import { watch } from "../../../src/commands/watch/run.js";
import {
  scriptedKernel,
  GET_SERVERS,
  GET_SERVICE,
  type Handler,
} from "../../classic/scripted-kernel.js";
import { runIn, type Outcome } from "../../classic/scripted-io.js";
import { MASQUERADED_SERVER, SERVICE } from "../../fixtures/replies.js";
import { FakeClock } from "./fake-clock.js";
import { FakeTerminal } from "./fake-terminal.js";

/** A kernel with a service and a server. @param fails returns the errno of the nth reading */
export function kernel(
  fails: (reading: number) => number | undefined = () => undefined,
) {
  let readings = 0;
  const handler: Handler = (command) => {
    if (command === GET_SERVERS) return { messages: [MASQUERADED_SERVER] };
    if (command !== GET_SERVICE) return {};
    const errno = fails(++readings);
    return errno === undefined ? { messages: [SERVICE] } : { errno };
  };
  return { link: scriptedKernel(handler), readings: () => readings };
}

/** Runs `watch` until the test ends it. */
export interface Running {
  readonly terminal: FakeTerminal;
  readonly clock: FakeClock;
  readonly outcome: Promise<Outcome>;
  /** Lets everything happen that can without the time passing. */
  readonly settle: () => Promise<void>;
  /** Lets the time pass to the next reading, and that be read. */
  readonly next: () => Promise<void>;
  /** Presses the key Escape: a single ESC counts as that key after a time. */
  readonly escape: () => Promise<void>;
}

/** Starts `watch` on a terminal of its own. */
export async function startWatch(
  line = "",
  link: Link = kernel().link,
  environment: Readonly<Record<string, string>> = { NO_COLOR: "1" },
  more: Partial<Io> = {},
): Promise<Running> {
  const terminal = new FakeTerminal();
  const clock = new FakeClock();
  const words = line === "" ? [] : line.split(" ");
  const outcome = runIn(
    { io: { ...terminal.io(environment), openLink: () => link, ...more } },
    async (io) => {
      const given = parseArguments(watchSpec, words);
      const output = new Output(io, given.text("color") ?? "auto");
      try {
        return await watch(
          { given, io, output, progress: new Progress(io) },
          clock,
        );
      } catch (error) {
        return output.explain(error);
      }
    },
  );
  const settle = async () => {
    for (let i = 0; i < 50; i++) await turn();
  };
  await settle();
  return {
    terminal,
    clock,
    outcome,
    settle,
    async next() {
      clock.pass();
      await settle();
    },
    async escape() {
      terminal.press("\x1b");
      // The next thing that is drawn is what the key did.
      const before = terminal.written.length;
      while (terminal.written.length === before) await sleep(10);
      await settle();
    },
  };
}
