import { formatSelector } from "../grammar/selector.js";
import { familyOf } from "../ipvs/address.js";
import { formatEndpoint, TUNNELING } from "../ipvs/model.js";
import type { Part, Rule, RuleFinding } from "./rule-file.js";
import { placed, type FindingContext } from "./finding-positions.js";
import {
  daemonRefusal,
  serverRefusal,
  timeoutsRefusal,
  type Refusal,
} from "./kernel-refusals.js";

/** All that every kernel refuses of a table as a document describes it. */
export function* tableRefusals(file: FindingContext): Generator<RuleFinding> {
  const { services, daemons = [], timeouts } = file.table;
  const keys = new Met(file, "service");
  for (const service of services) {
    yield* keys.meet(service, () => formatSelector(service.key));
    const servers = new Met(file, "real server");
    for (const server of service.servers) {
      const { key, settings } = server;
      yield* servers.meet(server, () => formatEndpoint(key.address, key.port));
      if (!file.invalid.has(service))
        yield* refused(file, server, serverRefusal(service.key, key, settings));
    }
  }
  const roles = new Met(file, "sync daemon");
  for (const daemon of daemons) {
    yield* roles.meet(daemon, () => String(daemon.state));
    yield* refused(file, daemon, daemonRefusal(daemon));
  }
  if (timeouts) yield* refused(file, timeouts, timeoutsRefusal(timeouts));
  yield* unsynchronized(file);
}

function* refused(
  file: FindingContext,
  rule: Rule,
  refusal: Refusal | undefined,
): Generator<RuleFinding> {
  if (refusal && !file.invalid.has(rule)) yield placed(file, rule, refusal);
}

/** Finds what comes twice. */
class Met {
  readonly #file: FindingContext;
  readonly #what: string;
  readonly #met = new Map<string, Rule>();

  constructor(file: FindingContext, what: string) {
    this.#file = file;
    this.#what = what;
  }

  *meet(rule: Rule, name: () => string): Generator<RuleFinding> {
    if (this.#file.invalid.has(rule)) return;
    const key = name();
    const earlier = this.#met.get(key);
    if (earlier)
      yield placed(
        this.#file,
        rule,
        duplicate(this.#what, this.#file.placeOf(earlier)?.line),
      );
    else this.#met.set(key, rule);
  }
}

/** What is to be said of a rule that adds what is there already. */
export function duplicate(
  what: string,
  line: number | undefined,
  part?: Part,
): Refusal {
  return {
    id: "duplicate",
    fault: `this ${what} is there already${line === undefined ? "" : `: see line ${line}`}`,
    advice: "keep one of the two",
    ...(part && { part }),
  };
}

/**
 * Servers of the other family than their service's cannot be together with a sync daemon.
 *
 * @see ip_vs_genl_new_daemon(), ip_vs_genl_set_cmd() in ip_vs_ctl.c
 */
export function* unsynchronized(file: FindingContext): Generator<RuleFinding> {
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
          fault:
            "connection sync cannot be together with a real server of the other address family",
          advice: "do without the sync daemon, or without this server",
          part: "address",
        });
}
