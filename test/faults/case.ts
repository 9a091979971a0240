import type { Random } from "../compat/random.js";
import type { World } from "./world.js";

/** One case of the campaign: everything random comes from `random`, so its number and the seed repeat it. */
export interface Case {
  readonly random: Random;
  readonly world: World;
  /** Remembers what the case does, for the report of a failure */
  readonly note: (text: string) => void;
}

/** A kind of fault. */
export interface Kind {
  readonly name: string;
  /** How often it is chosen, compared with others */
  readonly share: number;
  /** Runs a case. @throws {Broken} if the rule was broken @returns what happened, for the counts */
  run(one: Case): Promise<string>;
}

/** The generator of a case. */
export function seedOf(seed: number, number: number): number {
  return (
    (Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) +
      Math.imul(number, 0x85ebca6b)) >>>
    0
  );
}
