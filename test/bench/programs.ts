import { existsSync } from "node:fs";
import { originalEnvironment } from "../compat/original.js";
import type { ProgramName } from "./results.js";

/** How to start a program. The words of a run follow its own words. */
export interface Program {
  readonly name: ProgramName;
  readonly file: string;
  readonly words: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /**
   * `command`: takes ipvsadm's arguments. `floor`: takes a recording of them. `bare`: takes
   * nothing.
   */
  readonly takes: "command" | "floor" | "bare";
}

/**
 * All programs. Paths are relative to the root of the repository.
 *
 * @param original the folder of the original's extracted packages
 */
export function allPrograms(original: string): Program[] {
  const node = process.execPath;
  return [
    {
      name: "original",
      file: "ipvsadm",
      words: [],
      env: { ...process.env, ...originalEnvironment(original) },
      takes: "command",
    },
    {
      name: "node",
      file: node,
      words: ["dist/bin/ipvsadm.cjs"],
      takes: "command",
    },
    {
      name: "full",
      file: "dist/full/ipvsadm-full",
      words: [],
      takes: "command",
    },
    {
      name: "light",
      file: "dist/light/ipvsadm",
      words: [],
      takes: "command",
    },
    {
      name: "floor-node",
      file: node,
      words: ["dist/bench/floor-node.cjs"],
      takes: "floor",
    },
    {
      name: "floor-full",
      file: "dist/bench/floor-full",
      words: [],
      takes: "floor",
    },
    {
      name: "empty-node",
      file: node,
      words: ["dist/bench/empty.cjs"],
      takes: "bare",
    },
    {
      name: "empty-full",
      file: "dist/bench/empty-full",
      words: [],
      takes: "bare",
    },
    { name: "nothing", file: "/bin/true", words: [], takes: "bare" },
  ];
}

/** Why a program cannot be measured; undefined if it can. */
export function whyMissing({ file, words }: Program): string | undefined {
  const needed = [file, ...words].filter((name) => name.startsWith("dist/"));
  return needed.every((name) => existsSync(name)) ? undefined : "not built";
}
