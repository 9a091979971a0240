import { textOf } from "./files.js";

/** Transport protocols as /etc/services names them. */
export type TransportName = "tcp" | "udp" | "sctp";

/** Names of hosts and services, out of the resolver and /etc/services. */
export interface Names {
  /** The first IPv4 address of a host, dotted; undefined if it has none. */
  hostAddress(name: string): Promise<string | undefined>;
  /** The name that an address resolves to, without control characters; undefined if it has none. */
  hostName(address: string): Promise<string | undefined>;
  servicePort(name: string, transport: TransportName): number | undefined;
  serviceName(port: number, transport: TransportName): string | undefined;
}

/**
 * getnameinfo(3) waits in a thread until the resolver gives up, and Node.js lets half of its threads do so:
 * 64 names are asked for at a time. It takes the number from the environment when it first needs a thread.
 */
const RESOLVING_THREADS = "128";

/** The names that this machine knows: getaddrinfo(3), getnameinfo(3) and /etc/services. */
export function systemNames(servicesFile = "/etc/services"): Names {
  let table: ServicesTable | undefined;
  const services = () => (table ??= readServices(servicesFile));
  return {
    hostAddress(name) {
      if (!isAskable(name)) return Promise.resolve(undefined);
      const { lookup } = resolver();
      return new Promise((resolve) => {
        lookup(name, { family: 4 }, (error, address) => {
          resolve(error ? undefined : address);
        });
      });
    },
    hostName(address) {
      const { lookupService } = resolver();
      return new Promise((resolve) => {
        lookupService(address, 0, (error, host) => {
          resolve(error ? undefined : printable(host));
        });
      });
    },
    servicePort: (name, transport) =>
      services().ports.get(`${name}/${transport}`),
    serviceName: (port, transport) =>
      services().names.get(`${port}/${transport}`),
  };
}

/** Whether a resolver can be asked for a name: it takes an empty one for no question, and only ASCII stays as it is. */
export function isAskable(name: string): boolean {
  return /^[!-~]+$/.test(name);
}

function resolver(): typeof import("node:dns") {
  process.env["UV_THREADPOOL_SIZE"] ??= RESOLVING_THREADS;
  return process.getBuiltinModule("node:dns");
}

interface ServicesTable {
  readonly ports: ReadonlyMap<string, number>;
  readonly names: ReadonlyMap<string, string>;
}

/** Reads a file of services(5): the first line for a name or a port counts. A missing file is empty. */
function readServices(file: string): ServicesTable {
  const ports = new Map<string, number>();
  const names = new Map<string, string>();
  for (const line of (textOf(file) ?? "").split("\n")) {
    const [name, place, ...aliases] = (line.split("#")[0] ?? "")
      .trim()
      .split(/\s+/);
    const match = /^([0-9]+)\/([a-z]+)$/.exec(place ?? "");
    if (!name || !match) continue;
    const [, port = "", transport = ""] = match;
    for (const known of [name, ...aliases])
      setOnce(ports, `${known}/${transport}`, Number(port));
    setOnce(names, `${Number(port)}/${transport}`, printable(name));
  }
  return { ports, names };
}

function setOnce<T>(map: Map<string, T>, key: string, value: T): void {
  if (!map.has(key)) map.set(key, value);
}

/** What came from elsewhere must not steer a terminal. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}
