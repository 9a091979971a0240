import assert from "node:assert/strict";
import { test } from "node:test";
import type { Io } from "../../src/runtime/io.js";
import { counted, Progress } from "../../src/runtime/progress.js";
import { systemClock } from "../../src/system/clock.js";
import { classic, restored, runIn } from "../classic/scripted-io.js";
import { scriptedKernel, services } from "../classic/scripted-kernel.js";

/** A scripted terminal and clock, which record everything in `log`. */
class Place {
  time = 0;
  readonly log: string[] = [];
  ticking: (() => void)[] = [];
  readonly io: Partial<Io>;

  constructor(
    terminals: readonly string[] = ["stderr"],
    environment: Readonly<Record<string, string>> = { TERM: "xterm" },
  ) {
    this.io = {
      stdout: (text) => this.log.push(`1${text}`),
      stdoutBytes: (bytes) => this.log.push(`1${bytes.toString()}`),
      stderr: (text) => this.log.push(`2${text}`),
      terminal: {
        isTerminal: (stream) => {
          this.log.push(`? ${stream}`);
          return terminals.includes(stream);
        },
        size: () => undefined,
      },
      environment: (name) => environment[name],
      clock: {
        ...systemClock,
        now: () => this.time,
        every: (_, act) => {
          this.ticking.push(act);
          return () => {
            this.ticking = this.ticking.filter((one) => one !== act);
          };
        },
      },
    };
  }

  /** Lets time pass. */
  pass(milliseconds: number): void {
    this.time += milliseconds;
    for (const act of this.ticking) act();
  }

  get written(): string[] {
    return this.log.filter((line) => !line.startsWith("?"));
  }

  async work(act: (progress: Progress) => void | Promise<void>): Promise<void> {
    await runIn({ io: this.io }, async (io) => {
      const progress = new Progress(io);
      await act(progress);
      progress.end();
      return 0;
    });
  }
}

const RESTORING = (seconds: number) => `restoring, ${seconds} s`;

test("Progress shows nothing for short work, and does not look at the terminal", async () => {
  const place = new Place();
  await place.work((progress) => {
    progress.begin(RESTORING);
    place.pass(999);
    progress.step();
  });
  assert.deepEqual(place.log, []);
});

test("Progress shows a line after a second, updates it at most five times a second, and erases it", async () => {
  const place = new Place();
  await place.work((progress) => {
    progress.begin(RESTORING);
    place.pass(1000);
    place.pass(100);
    place.pass(100);
  });
  assert.deepEqual(place.written, [
    "2\ripvsadm: restoring, 1 s\x1b[K",
    "2\ripvsadm: restoring, 1.2 s\x1b[K",
    "2\r\x1b[K",
  ]);
  assert.deepEqual(place.ticking, []);
});

test("Progress shows the line in step() if the work does not pause", async () => {
  const place = new Place();
  await place.work((progress) => {
    progress.begin(RESTORING);
    place.time = 1500;
    progress.step();
  });
  assert.equal(place.written.length, 2);
});

test("Progress erases the line before other output, and shows it again", async () => {
  const place = new Place();
  await place.work((progress) => {
    progress.begin(RESTORING);
    place.pass(1000);
    progress.io.stderr("No such service\n");
    progress.io.stdout("TCP …\n");
    place.pass(200);
    progress.io.stdoutBytes(Buffer.from("UDP\n"));
  });
  assert.deepEqual(place.written, [
    "2\ripvsadm: restoring, 1 s\x1b[K",
    "2\r\x1b[K",
    "2No such service\n",
    "1TCP …\n",
    "2\ripvsadm: restoring, 1.2 s\x1b[K",
    "2\r\x1b[K",
    "1UDP\n",
  ]);
});

for (const [name, terminals, environment] of [
  ["stderr is not a terminal", ["stdin", "stdout"], { TERM: "xterm" }],
  ["the terminal cannot erase", ["stderr"], { TERM: "dumb" }],
  ["TERM is not set", ["stderr"], {}],
  [
    "the user turned it off",
    ["stderr"],
    { TERM: "xterm", IPVSADM_PROGRESS: "never" },
  ],
] as const)
  test(`Progress shows no line if ${name}`, async () => {
    const place = new Place(terminals, environment);
    await place.work((progress) => {
      progress.begin(RESTORING);
      place.pass(5000);
      progress.io.stderr("said\n");
    });
    assert.deepEqual(place.written, ["2said\n"]);
  });

test("Progress cuts a long line so that it does not wrap", async () => {
  const place = new Place();
  await place.work((progress) => {
    progress.begin(() => "x".repeat(200));
    place.pass(1000);
  });
  assert.equal(place.written[0]?.length, 60 + "2\r\x1b[K".length);
});

test("Progress counts name lookups while no other work is running", async () => {
  const place = new Place();
  const answers: (() => void)[] = [];
  const io: Partial<Io> = {
    ...place.io,
    names: {
      hostName: () =>
        new Promise((resolve) => {
          answers.push(() => {
            resolve("host");
          });
        }),
      hostAddress: () => Promise.resolve(undefined),
      servicePort: () => undefined,
      serviceName: () => undefined,
    },
  };
  await runIn({ io }, async (world) => {
    const progress = new Progress(world);
    const asked = ["a", "b", "c"].map((name) =>
      progress.io.names.hostName(name),
    );
    place.pass(1000);
    answers[0]?.();
    await asked[0];
    place.pass(200);
    answers[1]?.();
    answers[2]?.();
    assert.deepEqual(await Promise.all(asked), ["host", "host", "host"]);
    assert.deepEqual(place.ticking, []);
    progress.end();
    return 0;
  });
  assert.deepEqual(place.written, [
    "2\ripvsadm: resolving: 0 of 3 names\x1b[K",
    "2\ripvsadm: resolving: 1 of 3 names\x1b[K",
    "2\r\x1b[K",
  ]);
});

/** Standard input in chunks, a second apart. */
function slowly(place: Place, chunks: readonly (readonly string[])[]) {
  return async function* () {
    for (const lines of chunks) {
      yield await Promise.resolve(lines);
      place.pass(1000);
    }
  };
}

test("-R shows lines, rate and the percentage of the file", async () => {
  const place = new Place();
  const io = {
    ...place.io,
    stdin: slowly(place, [["-C", "-C"], ["-D -t 9.9.9.9:9"]]),
    stdinBytes: () => 12,
  };
  const link = scriptedKernel(services());
  const { status } = await classic("-R", { link, io });
  assert.equal(status, 255);
  assert.deepEqual(place.written, [
    "2\ripvsadm: restoring: 2 lines, 2/s, 50%\x1b[K",
    "2\r\x1b[K",
    "2No such service\n",
    "2\ripvsadm: restoring: 3 lines, 2/s, 100%\x1b[K",
    "2\r\x1b[K",
  ]);
});

test("-R shows no progress while someone types", async () => {
  const place = new Place(["stdin", "stderr"]);
  const io = { ...place.io, stdin: slowly(place, [["-C"], ["-C"]]) };
  await classic("-R", { link: scriptedKernel(), io });
  assert.deepEqual(place.written, []);
});

test("counted() formats a rate as soon as there is one", () => {
  assert.equal(counted(5, "lines", 0), "5 lines");
  assert.equal(counted(5, "lines", 2), "5 lines, 3/s");
});

test("-R writes no progress if it takes less than a second", async () => {
  const place = new Place();
  const { status } = await restored("-C\n".repeat(5000), { io: place.io });
  assert.equal(status, 0);
  assert.deepEqual(place.log, []);
});
