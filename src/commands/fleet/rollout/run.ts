import { CommandError, UsageError } from "../../../cli/errors.js";
import { escapeControls } from "../../../cli/escape.js";
import { EXIT } from "../../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../../cli/invocation.js";
import { fetchHead, fetchRevision } from "../../../fleet/revision.js";
import { parseGate } from "../../../fleet/rollout/gates.js";
import type { Rollout } from "../../../fleet/rollout/rollout.js";
import {
  changeRollout,
  clearOrders,
  MALFORMED_ORDER,
  runRollout,
} from "../../../fleet/rollout/run-rollout.js";
import { isWave } from "../../../fleet/rollout/waves.js";
import { withStore, type FleetConnection } from "../open-store.js";
import { authorOf } from "../author.js";
import { fleetName, revisionNumber } from "../table-arguments.js";

/** Options that 'pause', 'resume' and 'abort' do not take: a rollout keeps those with which it began. */
const OPTIONS_OF_NEW = ["wave", "soak", "max-unavailable", "timeout", "gate"];

export const run: RunSubcommand = (call) => {
  const { given, output } = call;
  const [table = "", what] = given.positionals;
  fleetName(table, "table", "rollout");
  const waves = given.list("wave");
  for (const wave of waves)
    if (!isWave(wave))
      throw new UsageError(
        `--wave ${escapeControls(wave)}: expected a number, a percentage, all or KEY=VALUE`,
        "fleet rollout",
      );
  for (const gate of given.list("gate"))
    if (!parseGate(gate))
      throw new UsageError(
        `--gate ${escapeControls(gate)}: expected doctor, doctor=warning or failing=PERCENT% such as failing=5%`,
        "fleet rollout",
      );
  const isOfBegun = ["pause", "resume", "abort"].includes(what ?? "");
  const surplus = OPTIONS_OF_NEW.find((option) => given.has(option));
  if (isOfBegun && surplus !== undefined)
    throw new UsageError(
      `--${surplus} belongs to a new rollout`,
      "fleet rollout",
    );
  const revision =
    what === undefined || isOfBegun
      ? undefined
      : revisionNumber(what, "rollout");
  return withStore(call, async (connection) => {
    const { store, keys } = connection;
    switch (what) {
      case "pause":
        await changeRollout(store, keys, table, ["running"], "paused");
        output.lines([`${table}: the rollout is paused`]);
        return EXIT.ok;
      case "abort": {
        await changeRollout(
          store,
          keys,
          table,
          ["running", "paused", "failed", "aborted"],
          "aborted",
        );
        const malformed = await clearOrders(store, keys, table);
        output.lines([
          ...malformed.map(
            (name) => `${escapeControls(name)}: ${MALFORMED_ORDER}`,
          ),
          `${table}: the rollout is aborted; the directors get the released revision`,
        ]);
        return EXIT.ok;
      }
      case "resume":
        return resume(call, connection, table);
      default:
        return carryOut(
          call,
          connection,
          await newRollout(call, connection, { table, revision, waves }),
        );
    }
  });
};

async function newRollout(
  call: Invocation,
  { store, keys }: FleetConnection,
  {
    table,
    revision,
    waves,
  }: { table: string; revision: number | undefined; waves: readonly string[] },
): Promise<Rollout> {
  const { given } = call;
  const head = await fetchHead(store, keys, table);
  const wanted = revision ?? head.newest;
  if (wanted === head.released)
    throw new CommandError(
      `revision ${wanted} of table ${table} is already released`,
      "publish a revision with --stage first",
    );
  await fetchRevision(store, keys, table, wanted); // It must exist, and be intact.
  return {
    table,
    revision: wanted,
    waves: waves.length > 0 ? waves : ["all"],
    soakSeconds: given.duration("soak") ?? 0,
    mostUnavailable: given.number("max-unavailable") ?? 1,
    timeoutSeconds: given.duration("timeout") ?? 0,
    gates: given.list("gate"),
    state: "running",
    wave: 0,
    author: authorOf(call),
    at: new Date().toISOString(),
  };
}

/** Continues a rollout: in the process that still carries it out, or in this one. */
async function resume(
  call: Invocation,
  connection: FleetConnection,
  table: string,
): Promise<number> {
  const { store, keys } = connection;
  const rollout = await changeRollout(
    store,
    keys,
    table,
    ["running", "paused", "failed"],
    "running",
  );
  const { found } = await store.get(keys.rolloutHolder(table));
  if (!found) return carryOut(call, connection, rollout);
  call.output.lines([`${table}: the rollout continues`]);
  return EXIT.ok;
}

async function carryOut(
  { io, output }: Invocation,
  { store, keys }: FleetConnection,
  rollout: Rollout,
): Promise<number> {
  const ended = new AbortController();
  const release = io.catchSignals(() => {
    ended.abort();
  });
  try {
    await runRollout(rollout, {
      store,
      keys,
      pauses: {
        sleep: (milliseconds, signal) => io.clock.sleep(milliseconds, signal),
        random: Math.random,
      },
      clock: () => io.clock.now(),
      signal: ended.signal,
      report(line) {
        output.lines([escapeControls(line)]);
        io.flush();
      },
    });
  } finally {
    release();
  }
  return EXIT.ok;
}
