import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Options, Profiled } from "./options.js";

const FOLDER = "dist/bench/profiles";
const SHOWN = 25;

/**
 * The part of a .cpuprofile that is used here.
 *
 * @see Profiler.Profile of the Chrome DevTools protocol
 */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  /** The node of each sample */
  readonly samples: readonly number[];
  /** µs since the previous sample */
  readonly timeDeltas: readonly number[];
}

/**
 * Profiles our program on Node.js in the lab, and prints where its time went.
 *
 * @returns the exit status
 */
export function profile(what: Profiled, { services }: Options): number {
  mkdirSync(FOLDER, { recursive: true });
  const before = new Set(readdirSync(FOLDER));
  const { status } = spawnSync(
    "bash",
    [
      ...["test/lab/run", "-o", FOLDER],
      ...["bash", "test/bench/profile-in-lab", what, String(services)],
    ],
    { stdio: "inherit" },
  );
  if (status !== 0) return status ?? 1;
  for (const name of readdirSync(FOLDER)) {
    if (before.has(name) || !name.endsWith(".cpuprofile")) continue;
    const file = join(FOLDER, name);
    const kept = JSON.parse(readFileSync(file, "utf8")) as CpuProfile;
    console.log(topFunctions(kept, SHOWN).join("\n"));
    console.error(`bench: the profile is in ${file}`);
  }
  return 0;
}

/** The functions with the most self time, one line each. */
export function topFunctions(
  { nodes, samples, timeDeltas }: CpuProfile,
  shown: number,
): string[] {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || "(anonymous)"} ${url.replace(/^.*\//, "")}:${lineNumber + 1}`,
    ]),
  );
  const spent = new Map<string, number>();
  let all = 0;
  for (const [i, id] of samples.entries()) {
    const microseconds = timeDeltas[i] ?? 0;
    const name = names.get(id) ?? "(unknown)";
    spent.set(name, (spent.get(name) ?? 0) + microseconds);
    all += microseconds;
  }
  return [...spent]
    .sort(([, a], [, b]) => b - a)
    .slice(0, shown)
    .map(([name, microseconds]) => {
      const milliseconds = (microseconds / 1000).toFixed(0).padStart(7);
      const share = ((100 * microseconds) / all).toFixed(1).padStart(5);
      return `${milliseconds} ms ${share} %  ${name}`;
    });
}
