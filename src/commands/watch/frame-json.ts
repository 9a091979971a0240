import { escapeControls } from "../../cli/escape.js";
import type { Json } from "../../document/json-text.js";
import { FORWARDING } from "../../document/enum-names.js";
import type { Change } from "./changes.js";
import type { Frame } from "./frame.js";
import { COUNTERS, type Rates } from "./rates.js";
import type { Row } from "./rows.js";
import { isPresent } from "./sampler.js";
import type { Stats } from "../../ipvs/model.js";

/** A frame for programs, with the rows of the table in the same order. */
export function frameJson({ sample, rows, notice }: Frame): Json {
  const { services, servers, activeConnections, rates } = sample.totals;
  return {
    schema: "ipvsadm/watch/1",
    time: sample.date.toISOString(),
    elapsedSeconds: rounded(sample.elapsedSeconds),
    notice,
    totals: { services, servers, activeConnections, rates: ratesJson(rates) },
    services: grouped(rows).map(([{ service }, ...serverRows]) => ({
      service: service.name,
      scheduler: escapeControls(service.entry.settings.scheduler),
      activeConnections: service.activeConnections,
      change: changeJson(service.change, "scheduler"),
      rates: ratesJson(service.rates),
      counters: isPresent(service)
        ? countersJson(service.entry.stats)
        : undefined,
      servers: serverRows.flatMap(({ server }) =>
        server
          ? [
              {
                server: server.name,
                forwarding:
                  FORWARDING.word(server.entry.settings.forwarding) ??
                  "unknown",
                weight: server.entry.settings.weight,
                activeConnections: server.entry.activeConnections,
                inactiveConnections: server.entry.inactiveConnections,
                persistentConnections: server.entry.persistentConnections,
                change: changeJson(server.change, "weight"),
                rates: ratesJson(server.rates),
                counters: isPresent(server)
                  ? countersJson(server.entry.stats)
                  : undefined,
              },
            ]
          : [],
      ),
    })),
  };
}

/** Groups the row of each service with those of its servers. */
function grouped(rows: readonly Row[]): (readonly [Row, ...Row[]])[] {
  const groups: [Row, ...Row[]][] = [];
  for (const row of rows)
    if (row.server) groups.at(-1)?.push(row);
    else groups.push([row]);
  return groups;
}

function changeJson(change: Change | undefined, setting: string): Json {
  if (!change) return undefined;
  if (change.kind !== "edited") return { kind: change.kind };
  return { kind: setting, before: change.before };
}

function ratesJson(rates: Rates | undefined): Json {
  if (!rates) return null;
  return Object.fromEntries(
    COUNTERS.map((name) => [`${name}PerSecond`, rounded(rates[name])]),
  );
}

function countersJson(stats: Stats): Json {
  return Object.fromEntries(COUNTERS.map((name) => [name, stats[name]]));
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 1000) / 1000;
}
