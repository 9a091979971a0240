import { existsSync, writeFileSync } from "node:fs";
import { measureInTurn } from "./contest.js";
import type { Stopwatch } from "./measure.js";
import { RunFailed } from "./measure.js";
import type { Program } from "./programs.js";
import type { CaseResult } from "./results.js";
import { ruleText } from "./rules.js";

/** Start-up time without ip_vs: `--version`, and a listing that fails. */
export function startUp(
  programs: readonly Program[],
  watch: Stopwatch,
  rounds: number,
): CaseResult[] {
  const starting = programs.filter(({ takes }) => takes !== "floor");
  for (const program of starting)
    if (program.takes === "bare") watch.run(program, { words: [] });
  return [
    startCase("start-version", "--version", ["--version"]),
    startCase("start-no-module", "-Ln without ip_vs", ["-Ln"]),
    ...[10, 100, 1000].map((rules) =>
      startCase(
        `start-restore-${rules}`,
        `-R of ${rules} rules without ip_vs`,
        ["-R"],
        ruleText(rules / 10, 9),
      ),
    ),
  ].flatMap((result) => result ?? []);

  function startCase(
    id: string,
    title: string,
    words: readonly string[],
    rules = "",
  ): CaseResult | undefined {
    if (id !== "start-version" && existsSync("/proc/net/ip_vs")) {
      console.error(`bench: ${id}: not measured, for this machine has ip_vs`);
      return undefined;
    }
    const stdin = watch.file("rules");
    writeFileSync(stdin, rules);
    try {
      return measureInTurn(
        {
          id,
          title: `start-up, outside the lab: ${title}`,
          work: { words, stdin, mayFail: true }, // the original needs ip_vs even for its version
          rounds,
          peaks: true,
          alike: "nothing", // the versions differ
        },
        starting,
        watch,
      );
    } catch (error) {
      if (!(error instanceof RunFailed)) throw error;
      console.error(`bench: ${id}: ${error.message}`);
      return undefined;
    }
  }
}
