import { Worker } from "node:worker_threads";
import { Random } from "../compat/random.js";
import { seedOf, type Kind } from "./case.js";
import { KINDS } from "./kinds.js";
import { Broken, campaignStatus, errorText } from "./verdict.js";
import { World } from "./world.js";

/** Longer than any case takes, in seconds: then the program runs for ever without a pause. */
const MOST_SECONDS = 120;
/** Only so many failures are printed. */
const MOST_FAILURES = 20;

/*
 * Ends the process if a case blocks it. The program under test runs in this process, so only another thread can see that.
 */
const WATCHDOG = `
const { parentPort, workerData } = require("node:worker_threads");
const shared = new BigInt64Array(workerData.shared);
setInterval(() => {
  const [begun, seed, number] = shared;
  if (begun === 0n || Date.now() - Number(begun) < ${MOST_SECONDS * 1000}) return;
  require("node:fs").writeSync(1, "seed " + seed + ", case " + number + ": it blocks the process\\n" +
    "repeat it with --seed " + seed + " --case " + number + "\\n");
  process.kill(process.pid, "SIGKILL");
}, 1000);
`;

/** Runs cases, counts them by kind and outcome, and prints failures. */
export class Campaign {
  readonly #kinds: readonly Kind[];
  readonly #world = new World();
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #shared = new BigInt64Array(new SharedArrayBuffer(24));
  readonly #watchdog: Worker;
  /** Errors that no promise of the case caught */
  readonly #strays: Error[] = [];
  #passed = 0;
  #failed = 0;

  /** @param kinds the kinds to run; cases of other kinds are left out */
  constructor(kinds: readonly Kind[]) {
    this.#kinds = kinds;
    this.#watchdog = new Worker(WATCHDOG, {
      eval: true,
      workerData: { shared: this.#shared.buffer },
    });
    this.#watchdog.unref();
    const stray = (error: unknown) => {
      this.#strays.push(
        error instanceof Error ? error : new Error(errorText(error)),
      );
    };
    process.on("uncaughtException", stray);
    process.on("unhandledRejection", stray);
  }

  /** Runs a case, unless it is of another kind. */
  async run(seed: number, number: number, how?: "in full"): Promise<void> {
    const random = new Random(seedOf(seed, number));
    const kind = pickKind(random);
    if (!this.#kinds.includes(kind)) return;
    const notes: string[] = [];
    this.#shared[1] = BigInt(seed);
    this.#shared[2] = BigInt(number);
    this.#shared[0] = BigInt(Date.now());
    this.#strays.length = 0;
    let outcome: string;
    try {
      this.#world.reset();
      outcome = await kind.run({
        random,
        world: this.#world,
        note: (text) => notes.push(text),
      });
      const [stray] = this.#strays;
      if (stray) throw stray;
      this.#passed++;
      if (how === "in full") console.log(notes.join("\n"));
    } catch (error) {
      outcome = "failed";
      this.#failed++;
      const what = error instanceof Broken ? error.message : errorText(error);
      if (this.#failed <= MOST_FAILURES)
        console.log(
          `seed ${seed}, case ${number}, ${kind.name}:\n${notes.join("\n")}\n${what}\n` +
            `repeat it with: npm run fuzz:faults -- --seed ${seed} --case ${number}\n`,
        );
    }
    this.#shared[0] = 0n;
    const counts = this.#counts.get(kind.name) ?? new Map<string, number>();
    this.#counts.set(kind.name, counts);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }

  /** Prints the counts. @returns the exit status */
  end(): number {
    for (const [kind, counts] of this.#counts) {
      const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
      const parts = [...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([outcome, count]) => `${outcome} ${count}`);
      console.log(`${kind}: ${all} cases (${parts.join(", ")})`);
    }
    this.#world[Symbol.dispose]();
    return campaignStatus(this.#passed, this.#failed);
  }
}

function pickKind(random: Random): Kind {
  let left = random.below(KINDS.reduce((sum, { share }) => sum + share, 0));
  for (const kind of KINDS) {
    if (left < kind.share) return kind;
    left -= kind.share;
  }
  throw new Error("there are no kinds");
}
