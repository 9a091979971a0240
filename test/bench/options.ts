import { parseArgs } from "node:util";

/** What can be profiled. */
export type Profiled = "restore" | "list" | "save";

export interface Options {
  /** Only 1,000 services, with fewer rounds and starts: a quick check */
  readonly quick: boolean;
  /** Rounds of every case; by default fewer for longer cases */
  readonly rounds?: number;
  /** Only cases whose name contains this text, such as `restore` or `10000` */
  readonly only: string;
  readonly out: string;
  /** End with status 1 if a bar is missed */
  readonly strict: boolean;
  /** Let a guest use all processors, like the other tests */
  readonly unpinned: boolean;
  /** Instead of measuring: a CPU profile of our program on Node.js */
  readonly profile?: Profiled;
  /** The number of services in the profile's table */
  readonly services: number;
}

export const USAGE = `npm run bench -- [OPTION...]
  --quick              1,000 services alone, fewer rounds
  --rounds N           of every case
  --only TEXT          only cases whose name contains it, such as restore or 10000
  --out FILE           the figures as JSON (dist/bench.json)
  --strict             status 1 if a bar is missed
  --unpinned           a guest may change processors: slower, and never twice the same
  --profile WHAT       restore, list or save: where our time goes on Node, into dist/bench/profiles
  --services N         in the table of the profile (10000)
`;

/** @throws {Error} with a message of one line */
export function readOptions(words: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      only: { type: "string", default: "" },
      out: { type: "string", default: "dist/bench.json" },
      strict: { type: "boolean", default: false },
      unpinned: { type: "boolean", default: false },
      profile: { type: "string" },
      services: { type: "string", default: "10000" },
    },
  });
  const { rounds, profile, services, ...rest } = values;
  return {
    ...rest,
    services: positive("--services", services),
    ...(rounds !== undefined && { rounds: positive("--rounds", rounds) }),
    ...(profile !== undefined && { profile: profiled(profile) }),
  };
}

function positive(option: string, value: string): number {
  if (!/^[1-9][0-9]{0,6}$/.test(value))
    throw new Error(`${option} takes a whole number from 1 on, not '${value}'`);
  return Number(value);
}

function profiled(value: string): Profiled {
  if (value !== "restore" && value !== "list" && value !== "save")
    throw new Error(`--profile takes restore, list or save, not '${value}'`);
  return value;
}
