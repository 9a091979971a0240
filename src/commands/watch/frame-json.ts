import { escapeControls } from "../../cli/escape.js";
import {
  serverKeyMembers,
  serviceKeyMembers,
} from "../../document/key-members.js";
import type { Json, Members } from "../../document/json-text.js";
import { FORWARDING } from "../../document/enum-names.js";
import type { Stats } from "../../ipvs/model.js";
import { assess } from "../../ipvs/state.js";
import { sumConnections, totalsOf } from "../../ipvs/totals.js";
import type { Change } from "./changes.js";
import type { Frame } from "./frame.js";
import { COUNTERS, type Rates } from "./rates.js";
import type { Row } from "./rows.js";
import {
  isPresent,
  type WatchedServer,
  type WatchedService,
} from "./sampler.js";

/** A frame for programs, with the rows of the table in the same order. The fields are those of a table. */
export function frameJson({ sample, rows, notice }: Frame): Json {
  const present = sample.services.filter(isPresent).map(entryOf);
  const { services, servers, ...sums } = totalsOf(present);
  const { activeConnections, inactiveConnections, persistentConnections } =
    sums;
  return {
    schema: "ipvsadm/watch/1",
    time: sample.date.toISOString(),
    elapsedSeconds: rounded(sample.elapsedSeconds),
    notice,
    totals: {
      services,
      servers,
      activeConnections,
      inactiveConnections,
      persistentConnections,
      ...statsJson(sums, sample.totals.rates),
    },
    services: grouped(rows).map(([{ service }, ...serverRows]) =>
      serviceJson(
        service,
        serverRows.flatMap(({ server }) => server ?? []),
      ),
    ),
  };
}

/** A service with its servers, as it was read. Those that are gone are left out. */
function entryOf({ entry, servers }: WatchedService) {
  return {
    ...entry,
    servers: servers.filter(isPresent).map((server) => server.entry),
  };
}

function serviceJson(
  service: WatchedService,
  servers: readonly WatchedServer[],
): Members {
  const { key, settings, stats } = service.entry;
  const entry = entryOf(service);
  const { state, effectiveWeight, servers: assessed } = assess(entry);
  const states = new Map(
    entry.servers.map((server, i) => [server, assessed[i]]),
  );
  const there = isPresent(service);
  return {
    ...serviceKeyMembers(key),
    ...changeJson(service.change, "scheduler"),
    state: there ? state : undefined,
    scheduler: escapeControls(settings.scheduler),
    effectiveWeight: there ? effectiveWeight : undefined,
    ...sumConnections(entry.servers),
    stats: there ? statsJson(stats, service.rates) : undefined,
    servers: servers.map((server) =>
      serverJson(server, states.get(server.entry)?.state),
    ),
  };
}

function serverJson(server: WatchedServer, state: string | undefined): Members {
  const { key, settings, stats, ...counts } = server.entry;
  const { activeConnections, inactiveConnections, persistentConnections } =
    counts;
  return {
    ...serverKeyMembers(key),
    ...changeJson(server.change, "weight"),
    state,
    forwarding: FORWARDING.word(settings.forwarding) ?? settings.forwarding,
    weight: settings.weight,
    activeConnections,
    inactiveConnections,
    persistentConnections,
    stats: isPresent(server) ? statsJson(stats, server.rates) : undefined,
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

/** The last change, in the words of `diff`. @param setting the one whose edits are recorded */
function changeJson(change: Change | undefined, setting: string): Members {
  switch (change?.kind) {
    case undefined:
      return {};
    case "new":
      return { change: "add" };
    case "gone":
      return { change: "remove" };
    case "edited":
      return { change: "change", from: { [setting]: change.before } };
  }
}

/** The counters as the kernel has them, and the measured rates. A rate that is not known yet is null. */
function statsJson(
  stats: Pick<Stats, (typeof COUNTERS)[number]>,
  rates: Rates | undefined,
): Members {
  return Object.fromEntries([
    ...COUNTERS.map((name) => [name, stats[name]]),
    ...COUNTERS.map((name) => [
      `${name}PerSecond`,
      rates ? rounded(rates[name]) : null,
    ]),
  ]) as Members;
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 1000) / 1000;
}
