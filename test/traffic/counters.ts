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
 * Reads `-Ln --stats` after the kernel has counted a number of connections for a service, or after
 * some seconds. Services have the names of the listing, real servers are named `SERVICE SERVER`.
 */
export async function countersAt(
  service: string,
  connections: number,
): Promise<(name: string) => Counters> {
  const rows = await eventually(
    async () => rowsOf(await ipvsadm("-Ln --stats --exact")),
    (rows) => countersOf(rows, service).connections >= connections,
  );
  return (name) => countersOf(rows, name);
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
