import { parseArgs } from "node:util";
import { Difference, Duel, shown } from "./duel.js";
import { randomSteps } from "./generator.js";
import { Random } from "./random.js";

// Run as `fuzz.js ORIGINAL [--seed N]… [--cases N] [--seeds N]`: random sequences of commands, to the original and
// to ours. --seeds counts on from each --seed. A difference ends the run with the commands that led to it; the seed repeats it.
const STEPS = 12;

const {
  values,
  positionals: [original = ""],
} = parseArgs({
  allowPositionals: true,
  options: {
    seed: {
      type: "string",
      multiple: true,
      default: [String(Date.now() % 1_000_000)],
    },
    cases: { type: "string", default: "100" },
    seeds: { type: "string", default: "1" },
  },
});
const starts = values.seed.map(Number);
const cases = Number(values.cases);
const seeds = Number(values.seeds);
if (![...starts, cases, seeds].every(Number.isSafeInteger)) {
  console.error("fuzz: --seed, --cases and --seeds take whole numbers");
  process.exit(64);
}

let commands = 0;
let carriedOut = 0;
let differences = 0;
const duel = new Duel(original);
for (const seed of starts.flatMap((first) =>
  Array.from({ length: seeds }, (_, i) => first + i),
)) {
  const random = new Random(seed);
  for (let number = 0; number < cases; number++)
    await runCase(randomSteps(random, STEPS), seed, number);
  console.log(
    `seed ${seed}: ${cases} cases; so far ${commands} commands, ${carriedOut} of them carried out, ${differences} differences`,
  );
}
duel.close();
console.log(
  `\n${starts.length * seeds * cases - differences} passed, ${differences} failed`,
);
process.exit(differences === 0 ? 0 : 1);

async function runCase(
  steps: ReturnType<typeof randomSteps>,
  seed: number,
  number: number,
): Promise<void> {
  await duel.reset();
  const before: string[] = [];
  for (const step of steps) {
    try {
      const { status } = await duel.step(step);
      commands++;
      if (status === 0) carriedOut++;
      before.push(shown(step));
    } catch (error) {
      if (!(error instanceof Difference)) throw error;
      differences++;
      console.log(
        `seed ${seed}, case ${number}, after\n${before.join("\n")}\n${error.message}\n`,
      );
      return;
    }
  }
}
