import type { Endpoint, Lookups } from "../grammar/endpoint.js";
import {
  formatSelector,
  parseServerSelector,
  parseServiceSelector,
  selects,
  selectsServer,
  type ServiceSelector,
} from "../grammar/selector.js";
import { formatAddress } from "../ipvs/address.js";
import {
  formatEndpoint,
  TRANSPORTS,
  type ServerKey,
  type ServiceKey,
} from "../ipvs/model.js";
import type { Table } from "../ipvs/table.js";
import type { StoredValue } from "../store/store.js";
import { RecordReader } from "./record.js";
import { StoreRecordFault } from "./fleet-error.js";

/** A real server that gets no new connections, on all directors. */
export interface Drain {
  /** Identifies it: `tcp/192.0.2.1:80 10.0.0.11:8080`, or `* 10.0.0.11` for all services */
  readonly id: string;
  /** Undefined: all services */
  readonly service: ServiceSelector | undefined;
  readonly server: Endpoint;
  readonly author: string;
  /** ISO 8601 */
  readonly at: string;
}

/** The ID of a drain: the same server always has the same one. */
export function drainId(
  service: ServiceSelector | undefined,
  server: Endpoint,
): string {
  return `${service ? selectorText(service) : "*"} ${endpointText(server)}`;
}

/** What is stored of a drain; its ID is in the key. */
export function drainRecord({ id, author, at }: Drain): object {
  return { id, author, at };
}

export function readDrain({ key, value }: StoredValue): Drain {
  const record = RecordReader.parse(key, value);
  return parseDrain(key, record.text("id"), {
    author: record.text("author"),
    at: record.text("at"),
  });
}

/** @throws {StoreRecordFault} */
export function parseDrain(
  key: string,
  id: string,
  rest: Pick<Drain, "author" | "at">,
): Drain {
  const [service = "", server = "", extra] = id.split(" ");
  try {
    if (extra !== undefined) throw new Error("more than two words");
    return {
      id,
      service:
        service === "*" ? undefined : parseServiceSelector(service, NO_LOOKUPS),
      server: parseServerSelector(server, undefined, NO_LOOKUPS),
      ...rest,
    };
  } catch (error) {
    throw new StoreRecordFault(key, "no service and server", { cause: error });
  }
}

const NO_LOOKUPS: Lookups = {
  host: (name) => {
    throw new Error(`${name} is not an address`);
  },
  port: () => undefined,
};

/** Whether a drain concerns a real server. */
export function drains(
  { service, server }: Drain,
  serviceKey: ServiceKey,
  serverKey: ServerKey,
): boolean {
  return (
    (service === undefined || selects(service, serviceKey)) &&
    selectsServer(server, serverKey)
  );
}

/** The table with weight 0 for each real server that is drained. */
export function withDrains(
  table: Table,
  isDrained: (service: ServiceKey, server: ServerKey) => boolean,
): Table {
  return {
    ...table,
    services: table.services.map((service) => ({
      ...service,
      servers: service.servers.map((server) =>
        server.settings.weight !== 0 && isDrained(service.key, server.key)
          ? { ...server, settings: { ...server.settings, weight: 0 } }
          : server,
      ),
    })),
  };
}

function selectorText(selector: ServiceSelector): string {
  if ("firewallMark" in selector) return formatSelector(selector);
  const { protocol } = selector;
  const endpoint = endpointText(selector);
  return protocol === undefined
    ? endpoint
    : `${TRANSPORTS[protocol]}/${endpoint}`;
}

function endpointText({
  address,
  port,
}: Pick<Endpoint, "address" | "port">): string {
  if (port !== undefined) return formatEndpoint(address, port);
  const text = formatAddress(address);
  return address.length === 4 ? text : `[${text}]`;
}
