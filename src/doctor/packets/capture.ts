import type { Address } from "../../ipvs/address.js";
import type { Clock } from "../../system/clock.js";
import type {
  EndedProgram,
  RunningProgram,
  StartProgram,
} from "../../system/program-stream.js";
import { namesIn } from "../../system/kernel-module.js";
import { captureFilter, type CaptureScope } from "./capture-filter.js";
import { CaptureReader } from "./read-capture.js";
import { SightingsBuilder, type PacketSightings } from "./sightings.js";

/** What was captured, or why nothing was. */
export type Captured =
  | { readonly sightings: PacketSightings }
  /** In words */
  | { readonly unavailable: string };

/** A capture that is running, or that could not be started. It ends if it is disposed of. */
export interface Capture extends Disposable {
  readonly isRunning: boolean;
  /** Ends it. */
  finish(): Promise<Captured>;
}

const PATHS = [
  "/usr/bin/tcpdump",
  "/usr/sbin/tcpdump",
  "/sbin/tcpdump",
  "/bin/tcpdump",
];

/** How many packets are captured at most. */
const MOST_PACKETS = 300_000;
const SNAPSHOT_BYTES = 200;
/** tcpdump usually needs some milliseconds. */
const LONGEST_START_MILLISECONDS = 5000;

/** The last resort is tcpdump before 4.9 and libpcap before 1.10. */
const VARIANTS = [
  ["--immediate-mode", "-y", "LINUX_SLL2"],
  ["--immediate-mode"],
  [],
];

/** What a capture needs of the program's environment */
export interface CaptureSources {
  readonly start: StartProgram;
  readonly clock: Pick<Clock, "sleep">;
  readonly procFolder: string;
  /** Milliseconds since 1970, as the times in a capture */
  readonly wallClock: () => number;
}

/** Starts tcpdump. It is not promiscuous and changes nothing. Returns when packets are captured. */
export async function startCapture(
  { start, clock, procFolder, wallClock }: CaptureSources,
  scope: CaptureScope,
): Promise<Capture> {
  // tcpdump would load the module.
  if (!namesIn(`${procFolder}/net`).includes("packet"))
    return noCapture(
      "the kernel has no packet sockets, or their module af_packet is not loaded",
    );
  let reason = "tcpdump is not installed; the package tcpdump contains it";
  for (const path of PATHS)
    for (const variant of VARIANTS) {
      const session = new Session(scope.client, scope.guePorts, wallClock);
      const program = start(
        path,
        [...argumentsFor(variant), captureFilter(scope)],
        (bytes) => {
          session.reader.read(bytes);
        },
      );
      const late = new AbortController();
      const isReady = await Promise.race([
        program.started.then(() => true),
        clock.sleep(LONGEST_START_MILLISECONDS, late.signal).then(() => false),
      ]);
      late.abort();
      const ended = isReady ? await endOf(program) : undefined;
      if (isReady && (!ended || session.reader.hasBegun))
        return session.running(program);
      if (!isReady) {
        program.stop();
        return noCapture("tcpdump did not start");
      }
      if (ended?.missing) break; // no other variant exists there, either
      reason = reasonOf(ended);
    }
  return noCapture(reason);
}

function noCapture(unavailable: string): Capture {
  return {
    isRunning: false,
    finish: () => Promise.resolve({ unavailable }),
    [Symbol.dispose]: () => undefined,
  };
}

/** How a program ended that has ended already. */
async function endOf(
  program: RunningProgram,
): Promise<EndedProgram | undefined> {
  // A program that failed has ended when it is said to have started.
  return Promise.race([
    program.ended,
    new Promise<undefined>((resolve) => {
      setImmediate(() => {
        resolve(undefined);
      });
    }),
  ]);
}

function argumentsFor(variant: readonly string[]): string[] {
  return [
    ...["-p", "-n", "-i", "any", "-U", "-w", "-"],
    ...["-s", String(SNAPSHOT_BYTES), "-c", String(MOST_PACKETS)],
    ...variant,
  ];
}

/** What tcpdump prints although nothing is wrong: how it captures, and its counts at the end */
const NO_FAULT =
  /^$|^tcpdump: (listening on|data link type|verbose output)|^\d+ packets? /;

function reasonOf(ended: EndedProgram | undefined): string {
  const lines = (ended?.complaint ?? "")
    .split("\n")
    .filter((line) => !NO_FAULT.test(line));
  const last = lines.findLastIndex((line) => line.startsWith("tcpdump: "));
  if (lines.length === 0) return "tcpdump ended and did not say why";
  return last < 0
    ? `tcpdump: ${lines.at(-1) ?? ""}`
    : [
        lines[last],
        // What the kernel said may follow on a line of its own.
        ...lines.slice(last + 1).filter((line) => line.startsWith("(")),
      ].join(" ");
}

class Session {
  readonly reader: CaptureReader;
  readonly #builder: SightingsBuilder;
  readonly #wallClock: () => number;
  #began: number;

  constructor(
    client: Address,
    guePorts: readonly number[],
    wallClock: () => number,
  ) {
    this.#wallClock = wallClock;
    this.#began = wallClock();
    this.#builder = new SightingsBuilder(client);
    this.reader = new CaptureReader(
      { guePorts: new Set(guePorts) },
      (packet, point) => {
        this.#builder.add(packet, point);
      },
    );
  }

  running(program: RunningProgram): Capture {
    this.#began = this.#wallClock();
    let early: number | undefined;
    void program.ended.then(() => (early ??= this.#wallClock()));
    return {
      isRunning: true,
      [Symbol.dispose]: () => {
        program.stop();
      },
      finish: async () => {
        const now = this.#wallClock();
        const hasEnded = early !== undefined;
        program.stop();
        const { complaint } = await program.ended;
        const { fault, skipped } = this.reader;
        if (fault !== undefined)
          return { unavailable: `tcpdump printed ${fault}` };
        const captured = numberBefore(complaint, "captured");
        const isFull = captured >= MOST_PACKETS;
        // If it ended by itself, and not because of its limit, it failed.
        if (hasEnded && !isFull)
          return {
            unavailable: reasonOf({ status: 1, missing: false, complaint }),
          };
        return {
          sightings: this.#builder.sightings({
            began: this.#began,
            ended: hasEnded ? (early ?? now) : now,
            skipped,
            lost: numberBefore(complaint, "dropped by"),
            isFull,
          }),
        };
      },
    };
  }
}

/** A count that tcpdump prints when it ends: `12 packets captured`. */
function numberBefore(text: string, words: string): number {
  let sum = 0;
  for (const line of text.split("\n")) {
    const [, count] = /^(\d+) packets? (.*)$/.exec(line) ?? [];
    if (count !== undefined && line.includes(words)) sum += Number(count);
  }
  return sum;
}
