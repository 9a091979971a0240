import { textOf } from "./files.js";

/** Transport protocols, as named in /etc/services. */
export type TransportName = "tcp" | "udp" | "sctp";

/** Names of hosts and services, from the resolver and /etc/services. */
export interface Names {
  /** Resolves a host to its first IPv4 address, dotted; undefined if it has none. */
  hostAddress(name: string): Promise<string | undefined>;
  /** Resolves an address to a name without control characters; undefined if it has none. */
  hostName(address: string): Promise<string | undefined>;
  servicePort(name: string, transport: TransportName): number | undefined;
  serviceName(port: number, transport: TransportName): string | undefined;
}

/**
 * Number of name lookups at a time. getnameinfo(3) blocks a thread until the resolver gives up, and
 * Node.js uses half of its threads for it. Node.js reads the variable when it first needs a thread.
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

/**
 * Whether a name can be passed to a resolver: an empty name fails, and only ASCII is passed
 * unchanged.
 */
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

/**
 * Parses a file of services(5). The first line for a name or a port counts. A missing file is
 * empty.
 */
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

/** Replaces control characters by question marks, so that a name from the network cannot control the terminal. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}
