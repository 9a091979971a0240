import { rowsOf, type Rows } from "../lab/listings.js";
import { eventually } from "../lab/eventually.js";
import { ipvsadm } from "./ipvsadm.js";

/** The counters of a service or a real server in `-Ln --stats`. */
export interface Counters {
  readonly connections: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
}

/**
 * Reads `-Ln --stats` after the kernel has counted a number of connections and of incoming packets for a service, or after
 * some time. Services have the names of the listing, real servers are named `SERVICE SERVER`. The kernel does not refresh the
 * counters of a service and of its servers at the same moment, so this waits until they agree.
 */
export async function countersAt(
  service: string,
  connections: number,
  inPackets = 0,
): Promise<(name: string) => Counters> {
  const rows = await eventually(
    async () => rowsOf(await ipvsadm("-Ln --stats --exact")),
    (rows) => {
      const counters = countersOf(rows, service);
      return (
        counters.connections >= connections &&
        counters.inPackets >= inPackets &&
        agree(rows, service)
      );
    },
  );
  return (name) => countersOf(rows, name);
}

/** Whether each counter of a service is the sum of those of its servers. */
function agree(rows: Rows, service: string): boolean {
  const names = [...rows.keys()].filter((name) =>
    name.startsWith(`${service} `),
  );
  const servers = names.map((name) => countersOf(rows, name));
  return Object.entries(countersOf(rows, service)).every(
    ([name, value]) =>
      value ===
      servers.reduce((sum, one) => sum + one[name as keyof Counters], 0),
  );
}

function countersOf(rows: Rows, name: string): Counters {
  const columns = (rows.get(name) ?? []).map(Number);
  const [connections, inPackets, outPackets, inBytes, outBytes] = columns;
  return {
    connections: connections ?? NaN,
    inPackets: inPackets ?? NaN,
    outPackets: outPackets ?? NaN,
    inBytes: inBytes ?? NaN,
    outBytes: outBytes ?? NaN,
  };
}
