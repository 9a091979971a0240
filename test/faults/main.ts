import { parseArgs } from "node:util";
import { Campaign } from "./campaign.js";
import { KINDS } from "./kinds.js";

// Run as `main.js [--seed N]… [--cases N] [--case K] [--kind NAME] [--seconds N]`: random faults under random commands, with
// a model of the kernel. A failure prints the options that repeat it alone. With --seconds, no case begins after that time.
const { values } = parseArgs({
  options: {
    seed: {
      type: "string",
      multiple: true,
      default: [String(Date.now() % 1_000_000)],
    },
    cases: { type: "string", default: "2000" },
    case: { type: "string" },
    kind: { type: "string" },
    seconds: { type: "string", default: "86400" },
  },
});
const seeds = values.seed.map(Number);
const cases = Number(values.cases);
const only = values.case === undefined ? undefined : Number(values.case);
const seconds = Number(values.seconds);
const end = Date.now() + seconds * 1000;
const kinds = KINDS.filter(
  ({ name }) => values.kind === undefined || name === values.kind,
);
if (![...seeds, cases, only ?? 0, seconds].every(Number.isSafeInteger)) {
  console.error(
    "faults: --seed, --cases, --case and --seconds take whole numbers",
  );
  process.exit(64);
}
if (cases < 1) {
  console.error("faults: --cases is at least 1");
  process.exit(64);
}
if (kinds.length === 0) {
  const names = KINDS.map(({ name }) => name).join(", ");
  console.error(`faults: --kind is one of ${names}`);
  process.exit(64);
}

const campaign = new Campaign(kinds);
for (const seed of seeds)
  if (only === undefined)
    for (let number = 0; number < cases && Date.now() < end; number++)
      await campaign.run(seed, number);
  else await campaign.run(seed, only, "in full");
process.exit(campaign.end());
