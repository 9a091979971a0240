import { sameAddress } from "../../ipvs/address.js";
import type { ServerKey, ServerSummary, ServiceKey } from "../../ipvs/model.js";
import type {
  Differences,
  ServerDifference,
  ServiceDifference,
} from "../../plan/compare.js";
import { serverMatches } from "../../plan/settings-match.js";
import type { HealthChecks } from "../../rules/health-checks.js";
import { withoutIneffectivePorts } from "./ineffective-ports.js";

/** A difference that the health checks of keepalived or ldirectord can explain. */
export interface HealthCheckChange {
  readonly service: ServiceKey;
  readonly server: ServerKey;
  /** `removed`: only in the file. `weight`: another weight in the table. `fallback`: only in the table. */
  readonly kind: "removed" | "weight" | "fallback";
  /** In the file; undefined for a fallback */
  readonly weight: number | undefined;
  /** In the table; undefined for a removed server */
  readonly currentWeight: number | undefined;
}

/** Differences between a configuration and the table, by their possible cause. */
export interface SeparatedDifferences {
  /** Differences that no health check explains */
  readonly differences: Differences;
  readonly changes: readonly HealthCheckChange[];
}

type ChangedService = Extract<ServiceDifference, { kind: "change" }>;

/** Whether the health checker has read that a service has a server. */
type HasRead = (service: ServiceKey, server: ServerKey) => boolean;

/**
 * Separates the differences that health checks can explain from all others. Drops those that have no effect.
 *
 * @param hasRead undefined if it is unknown what the health checker has read. A check explains only what it has read
 */
export function separateHealthChecks(
  differences: Differences,
  checks: HealthChecks | undefined,
  hasRead: HasRead = () => true,
): SeparatedDifferences {
  if (!checks) return { differences, changes: [] };
  const found: HealthCheckChange[] = [];
  const services = differences.services.flatMap((one): ServiceDifference[] => {
    if (one.kind !== "change") return [one];
    const cause = new CauseFinder(one, checks, hasRead);
    const effective =
      "firewallMark" in one.service.key
        ? withoutIneffectivePorts(one.servers)
        : one.servers;
    const servers = effective.filter((server) => {
      const change = cause.changeOf(server);
      if (change && !cause.isIdleFallback(server)) found.push(change);
      return change === undefined;
    });
    return servers.length === 0 && !one.to ? [] : [{ ...one, servers }];
  });
  return { differences: { ...differences, services }, changes: found };
}

/** Finds the differences of one service that its health checks can explain. */
class CauseFinder {
  readonly #one: ChangedService;
  readonly #checks: HealthChecks;
  readonly #hasRead: HasRead;
  readonly #fallback: ServerKey | undefined;
  /** Whether the fallback has replaced the real servers */
  readonly #isReplaced: boolean;

  constructor(one: ChangedService, checks: HealthChecks, hasRead: HasRead) {
    this.#one = one;
    this.#checks = checks;
    this.#hasRead = hasRead;
    this.#fallback = checks.fallbacks.get(one.rule);
    this.#isReplaced = one.service.servers.some(
      (server) => this.#isFallback(server) && server.settings.weight > 0,
    );
  }

  changeOf(server: ServerDifference): HealthCheckChange | undefined {
    const service = this.#one.service.key;
    switch (server.kind) {
      case "add": {
        const { key, settings } = server.rule;
        const check = this.#checks.servers.get(server.rule);
        if (check?.failed !== "removed" && !this.#isReplaced) return undefined;
        if (!this.#hasRead(service, key)) return undefined;
        return {
          service,
          server: key,
          kind: "removed",
          weight: settings.weight,
          currentWeight: undefined,
        };
      }
      case "change":
        return this.#weightChange(service, server);
      case "remove": {
        const { key, settings } = server.server;
        if (!this.#isFallback(server.server)) return undefined;
        return {
          service,
          server: key,
          kind: "fallback",
          weight: undefined,
          currentWeight: settings.weight,
        };
      }
    }
  }

  /** A fallback with weight 0 is ready, but not in use: keepalived keeps it so with `sorry_server_inhibit`. */
  isIdleFallback(server: ServerDifference): boolean {
    return server.kind === "remove" && server.server.settings.weight === 0;
  }

  #weightChange(
    service: ServiceKey,
    { server, to, rule }: Extract<ServerDifference, { kind: "change" }>,
  ): HealthCheckChange | undefined {
    const check = this.#checks.servers.get(rule);
    const { weight } = server.settings;
    const isOut = weight === 0 && check?.failed === "weight-0";
    if (!check || !(isOut || check.setsWeight)) return undefined;
    // With weight 0, ldirectord also drops the thresholds.
    const { upperThreshold, lowerThreshold } =
      isOut && this.#checks.program === "ldirectord" ? to : server.settings;
    const expected = {
      ...server.settings,
      weight: to.weight,
      upperThreshold,
      lowerThreshold,
    };
    if (!serverMatches(expected, to)) return undefined;
    return {
      service,
      server: server.key,
      kind: "weight",
      weight: to.weight,
      currentWeight: weight,
    };
  }

  #isFallback({ key }: Pick<ServerSummary, "key">): boolean {
    const fallback = this.#fallback;
    return (
      fallback?.port === key.port && sameAddress(fallback.address, key.address)
    );
  }
}
