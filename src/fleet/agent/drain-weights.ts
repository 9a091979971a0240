import type { Differences } from "../../plan/compare.js";
import { drains, type Drain } from "../drain.js";

/** Reduces differences to the weights of the real servers of some drains. */
export function onlyWeights(
  { services }: Differences,
  all: readonly Drain[],
): Differences {
  return {
    timeouts: undefined,
    daemons: [],
    services: services.flatMap((one) => {
      if (one.kind !== "change") return [];
      const servers = one.servers.flatMap((server) => {
        if (server.kind !== "change") return [];
        const { key, settings } = server.server;
        const concerned = all.some((drain) =>
          drains(drain, one.service.key, key),
        );
        if (!concerned || server.to.weight === settings.weight) return [];
        return [{ ...server, to: { ...settings, weight: server.to.weight } }];
      });
      return servers.length > 0 ? [{ ...one, to: undefined, servers }] : [];
    }),
  };
}
