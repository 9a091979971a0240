import { Random } from "../compat/random.js";
import type { Case, Kind } from "./case.js";
import {
  install,
  randomScenario,
  randomTables,
  type Scenario,
} from "./command-lines.js";
import { writeConnections } from "./proc-files.js";
import { EINVAL, ENOMEM, ERANGE } from "../../src/netlink/errno.js";
import {
  isOnSending,
  REAL_FAULTS,
  UNREAL_FAULTS,
  type LinkFault,
  type Traffic,
} from "./faulty-link.js";
import { rulesOf } from "./random-rules.js";
import {
  broken,
  checkTable,
  checkWords,
  isBetween,
  stateOf,
  type TableState,
} from "./verdict.js";
import type { Result } from "./world.js";

/** Datagrams are lost, late, altered … under any command. */
export const linkKind: Kind = {
  name: "link",
  share: 50,
  async run(one) {
    const { random, world, note } = one;
    const tables = randomTables(random);
    writeConnections(random, world);
    await install(world, tables.before);
    note(`table\n${rulesOf(tables.before)}`);
    const scenario = await randomScenario(random, world, tables);
    note(`command ${scenario.line.words.join(" ")}`);
    const before = stateOf(world.kernel);
    const extra = {
      ...(scenario.endless && { signal: "SIGTERM" as const }),
      ...(scenario.waitsForChanges && { changesMeanwhile: true }),
    };
    const clean = await world.run(scenario.line, extra);
    checkWords(scenario.line, clean);
    const after = stateOf(world.kernel);
    // The same machine again, with faults.
    world.again();
    await install(world, tables.before);
    const faults = randomFaults(random, clean.traffic, scenario);
    if (faults.length === 0) return "nothing was sent";
    note(`faults ${faults.map(({ kind, at }) => `${kind} ${at}`).join(", ")}`);
    // A request that arrives twice could be refused once, and then nobody can know what was made.
    const once = faults.every(({ kind }) => kind !== "sent twice");
    const refusal =
      once && scenario.effect !== "reads" && random.chance(0.4)
        ? { at: random.below(4), errno: random.pick([EINVAL, ENOMEM, ERANGE]) }
        : undefined;
    if (refusal) note(`change ${refusal.at} is refused: ${refusal.errno}`);
    const result = await world.run(scenario.line, {
      ...extra,
      faults,
      refusal,
      random: new Random(random.below(2 ** 31)),
    });
    note(
      `exit status ${result.status}\nstdout ${result.stdout}\nstderr ${result.stderr}`,
    );
    checkWords(scenario.line, result);
    const isReal = faults.every(({ kind }) =>
      (REAL_FAULTS as readonly string[]).includes(kind),
    );
    const isRefused = refusal !== undefined;
    // Nobody can tell an altered answer of the kernel from another one, and a change writes back what was read.
    const isBelieved =
      scenario.effect !== "reads" &&
      faults.some(({ kind }) => kind === "altered");
    if (isBelieved) return "altered under a change";
    checkEffect(scenario, { isReal, isRefused }, { clean, result }, [
      stateOf(world.kernel),
      before,
      after,
    ]);
    checkLeftovers(one);
    return faults.map(({ kind }) => kind)[0] ?? "";
  },
};

/** Either one or two real faults, or one that no socket has by itself. */
function randomFaults(
  random: Random,
  { sent, received }: Traffic,
  { effect }: Scenario,
): LinkFault[] {
  const isReal = random.chance(0.6);
  const kinds = isReal ? REAL_FAULTS : UNREAL_FAULTS;
  const most = isReal || effect === "reads" ? 1 + random.below(3) : 1;
  const faults: LinkFault[] = [];
  for (let left = most; left > 0; left--) {
    const kind = random.pick<LinkFault["kind"]>(kinds);
    const count = isOnSending(kind) ? sent : received;
    if (count > 0) faults.push({ kind, at: random.below(count) });
  }
  return faults;
}

function checkEffect(
  { effect, repeats, waitsForChanges }: Scenario,
  {
    isReal,
    isRefused,
  }: { readonly isReal: boolean; readonly isRefused: boolean },
  { clean, result }: { readonly clean: Result; readonly result: Result },
  [now, before, after]: readonly [TableState, TableState, TableState],
): void {
  if (effect === "reads") {
    if (now.text !== before.text && !waitsForChanges)
      broken(`the table was changed to\n${now.text}`);
    const same = result.status === 0 && clean.status === 0;
    if (isReal && repeats && same && result.stdout !== clean.stdout)
      broken(`exit status 0, but the output is not\n${clean.stdout}`);
    return;
  }
  if (effect === "all or nothing") {
    // One entry of a dump can vanish without a trace, and then nothing is left to do.
    const unseen = !isReal && result.status === 0 && now.text === before.text;
    if (!unseen && clean.status === 0) checkTable(result, now, before, after);
    return;
  }
  const clears = effect === "clears first" ? "may lack rows" : undefined;
  if (!isBetween(now, before, after, clears))
    broken(`the table has rows of its own:\n${now.text}`);
  if (
    isReal &&
    !isRefused && // the status is that of the last line
    result.status === 0 &&
    clean.status === 0 &&
    now.text !== after.text
  )
    broken(`exit status 0, but the table is\n${now.text}\nnot\n${after.text}`);
  if (now.text !== after.text && result.stderr === "" && isReal)
    broken("the table is not as wanted, without a word");
}

/**
 * Nothing is left behind: no temporary file, and no lock.
 *
 * @param locks whether there may be a lock: it could not be read or removed, and is stale when the process has ended
 */
export function checkLeftovers(
  { world }: Case,
  locks?: "locks may stay",
): void {
  const wrong = locks ? /\.tmp$|\.lock\.|^socket$/ : /\.tmp$|\.lock|^socket$/;
  const left = world.files().filter((name) => wrong.test(name));
  if (left.length > 0) broken(`files are left behind: ${left.join(" ")}`);
}
