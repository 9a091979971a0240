import { formatSelector } from "../grammar/selector.js";
import { familyOf } from "../ipvs/address.js";
import { formatEndpoint, TUNNELING } from "../ipvs/model.js";
import type { Part, Rule, RuleFinding } from "./rule-file.js";
import { atRule, type LocatedRules } from "./finding-positions.js";
import {
  daemonRefusal,
  serverRefusal,
  timeoutsRefusal,
  type Refusal,
} from "./kernel-refusals.js";

/** Finds the rules of a document that every kernel refuses. */
export function* tableErrors(file: LocatedRules): Generator<RuleFinding> {
  const { services, daemons = [], timeouts } = file.table;
  const keys = new DuplicateFinder(file, "service");
  for (const service of services) {
    yield* keys.check(service, () => formatSelector(service.key));
    const servers = new DuplicateFinder(file, "real server");
    for (const server of service.servers) {
      const { key, settings } = server;
      yield* servers.check(server, () => formatEndpoint(key.address, key.port));
      if (!file.invalid.has(service))
        yield* refused(file, server, serverRefusal(service.key, key, settings));
    }
  }
  const roles = new DuplicateFinder(file, "sync daemon");
  for (const daemon of daemons) {
    yield* roles.check(daemon, () => String(daemon.state));
    yield* refused(file, daemon, daemonRefusal(daemon));
  }
  if (timeouts) yield* refused(file, timeouts, timeoutsRefusal(timeouts));
  yield* syncConflicts(file);
}

function* refused(
  file: LocatedRules,
  rule: Rule,
  refusal: Refusal | undefined,
): Generator<RuleFinding> {
  if (refusal && !file.invalid.has(rule)) yield atRule(file, rule, refusal);
}

/** Finds duplicates. */
class DuplicateFinder {
  readonly #file: LocatedRules;
  readonly #what: string;
  readonly #first = new Map<string, Rule>();

  constructor(file: LocatedRules, what: string) {
    this.#file = file;
    this.#what = what;
  }

  *check(rule: Rule, name: () => string): Generator<RuleFinding> {
    if (this.#file.invalid.has(rule)) return;
    const key = name();
    const earlier = this.#first.get(key);
    if (earlier)
      yield atRule(
        this.#file,
        rule,
        duplicate(this.#what, this.#file.positionOf(earlier)?.line),
      );
    else this.#first.set(key, rule);
  }
}

/** The error for a rule that adds something a second time. */
export function duplicate(
  what: string,
  line: number | undefined,
  part?: Part,
): Refusal {
  return {
    id: "duplicate",
    message: `duplicate ${what}${line === undefined ? "" : `, first in line ${line}`}`,
    advice: "remove one of the two",
    ...(part && { part }),
  };
}

/**
 * Finds real servers that exclude a sync daemon: those whose address family differs from the service's.
 *
 * @see ip_vs_genl_new_daemon(), ip_vs_genl_set_cmd() in ip_vs_ctl.c
 */
export function* syncConflicts(file: LocatedRules): Generator<RuleFinding> {
  const [daemon] = file.table.daemons ?? [];
  if (!daemon) return;
  for (const service of file.table.services)
    for (const server of service.servers)
      if (
        familyOf(server.key.address) !== service.key.family &&
        server.settings.forwarding === TUNNELING &&
        !file.invalid.has(service)
      )
        yield* refused(file, server, {
          id: "mixed-families-with-daemon",
          message:
            "a sync daemon cannot run with a real server of another address family than its service",
          advice: "remove the sync daemon, or this server",
          part: "address",
        });
}
