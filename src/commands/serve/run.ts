import { hostname } from "node:os";
import { explain, UsageError } from "../../cli/errors.js";
import { escapeControls } from "../../cli/escape.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import {
  readServerSettings,
  type ServerSettings,
} from "../../http/access-options.js";
import { Broadcast } from "../../http/event-hub.js";
import { isLocal, listenAddressText } from "../../http/listen-address.js";
import { serveUntilSignal } from "../../http/run-server.js";
import type { Series } from "../metrics/series.js";
import { WHOLE_TABLE } from "../metrics/selection.js";
import { SnapshotReader } from "../metrics/snapshot-reader.js";
import type { FleetSite } from "./fleet/fleet-site.js";
import { LiveTable } from "./live-table.js";
import { Readings } from "./readings.js";
import { siteOf } from "./site.js";

/** Each page that is open receives events. */
const MOST_EVENT_CLIENTS = 64;

/** Keeps the connections of clients open if the interval is long. */
const KEEP_ALIVE_MILLISECONDS = 10_000;

export const run: RunSubcommand = async (call) => {
  const { given, io } = call;
  const settings = readServerSettings(
    given,
    given.text("listen") ?? "",
    "serve",
  );
  refuseOpenNetwork(settings);
  using fleet = await openFleet(call);
  const intervalSeconds = given.number("interval") ?? 2;
  const events = new Broadcast(() => table.welcome(), MOST_EVENT_CLIENTS);
  const table = new LiveTable(
    escapeControls(hostname()),
    intervalSeconds,
    (event) => {
      events.send(event);
    },
    fleet !== undefined,
  );
  const reader = new SnapshotReader(io, WHOLE_TABLE);
  const readings = new Readings(reader, io.clock, intervalSeconds, table);
  const stopKeepAlive = io.clock.every(KEEP_ALIVE_MILLISECONDS, () => {
    events.keepAlive();
  });
  try {
    // Without permission nothing can be served. A module that is not loaded yet may come later.
    const first = await reader.read().catch((error: unknown) => error);
    if (!io.mayAdministerNetworks() && explain(first)) throw first;
    void readings.run();
    return await serveUntilSignal(
      settings,
      siteOf(io, table, events, given.text("series") as Series, fleet), // The parser has checked it.
      call,
      "/",
      () => readings.isAlive(),
      () => {
        events.close();
      },
    );
  } finally {
    readings.stop();
    stopKeepAlive();
    reader.close();
  }
};

/** Opens what --fleet asks for. Nothing of it is loaded without the option. */
async function openFleet({
  given,
  io,
}: Invocation): Promise<FleetSite | undefined> {
  const file = given.text("fleet");
  if (file === undefined) return undefined;
  const { FleetSite } = await import("./fleet/fleet-site.js");
  return await FleetSite.open(file, io.clock);
}

/** Everyone who can connect could read the table. */
function refuseOpenNetwork({ listen, access }: ServerSettings): void {
  if (access.token || isLocal(listen)) return;
  throw new UsageError(
    `--listen ${listenAddressText(listen)}: everyone who reaches this address could read the table: add --token-file, or listen on 127.0.0.1 or on a Unix socket`,
    "serve",
  );
}
