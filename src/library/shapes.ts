import { INET, INET6 } from "../ipvs/address.js";
import { BACKUP, MASTER, SCTP, TCP, UDP } from "../ipvs/model.js";
import { SERVER_STATES, SERVICE_STATES } from "../ipvs/state.js";
import {
  both,
  callback,
  either,
  flag,
  integer,
  isObject,
  listOf,
  object,
  oneOf,
  optional,
  such,
  text,
  type Shape,
} from "./shape.js";

/* The shapes of the library's arguments. Numbers are limited to what the kernel's messages can carry. */

const U8 = integer(0, 0xff);
export const PORT = integer(0, 0xffff);
export const U32 = integer(0, 0xffffffff);
/** The kernel refuses negative ones itself (ERANGE) */
const WEIGHT = integer(-0x80000000, 0x7fffffff);
const SECONDS = such(
  "a number of seconds, 0 or more",
  (value) => typeof value === "number" && value >= 0,
);
const INTERVAL = such(
  "a number of seconds, 0.1 or more",
  (value) => typeof value === "number" && value >= 0.1,
);

export const ADDRESS: Shape = such(
  "an address: a Uint8Array of 4 or 16 bytes, as parseAddress() returns",
  (value) =>
    value instanceof Uint8Array && (value.length === 4 || value.length === 16),
);

const FAMILY = such(
  "INET (2) or INET6 (10)",
  (value) => value === INET || value === INET6,
);

const WAY_TO_SERVICE = "use parseService()";

const MARK_KEY = object(
  "a virtual service",
  { family: FAMILY, firewallMark: integer(1, 0xffffffff) },
  WAY_TO_SERVICE,
);

const ADDRESS_KEY = both(
  object(
    "a virtual service",
    {
      family: FAMILY,
      protocol: such(
        "TCP (6), UDP (17) or SCTP (132)",
        (value) => value === TCP || value === UDP || value === SCTP,
      ),
      address: ADDRESS,
      port: PORT,
    },
    WAY_TO_SERVICE,
  ),
  (value) => {
    const { family, address } = value as {
      family: number;
      address: Uint8Array;
    };
    return (family === INET) === (address.length === 4)
      ? undefined
      : {
          path: ".family",
          expected: `${address.length === 4 ? INET : INET6}, the family of its address`,
          given: String(family),
        };
  },
);

export const SERVICE_KEY: Shape = either(
  MARK_KEY,
  ADDRESS_KEY,
  (value) => isObject(value) && value["firewallMark"] !== undefined,
);

export const SERVICE_KEYS: Shape = listOf("an array of services", SERVICE_KEY);

/** Services as the client reads them */
export const SERVICES_IN_TABLE: Shape = listOf(
  "an array of services",
  object("a service, as services() returns it", { key: SERVICE_KEY }),
);

export const SERVER_KEY: Shape = object(
  "a real server",
  { address: ADDRESS, port: PORT },
  "use parseServer()",
);

const SERVICE_FIELDS: Readonly<Record<string, Shape>> = {
  scheduler: text,
  persistenceEngine: optional(text),
  flags: U32,
  timeoutSeconds: U32,
  netmask: either(
    such(
      "a Uint8Array of 4 bytes or a prefix length",
      (value) => value instanceof Uint8Array && value.length === 4,
    ),
    integer(0, 0xffffffff),
    (value) => typeof value !== "number",
  ),
};

const SERVER_FIELDS: Readonly<Record<string, Shape>> = {
  forwarding: U32,
  weight: WEIGHT,
  tunnel: object(
    "a tunnel",
    { type: U8, port: PORT, flags: PORT },
    "IPIP is the default",
  ),
  upperThreshold: U32,
  lowerThreshold: U32,
};

function allOptional(fields: Readonly<Record<string, Shape>>) {
  return Object.fromEntries(
    Object.entries(fields).map(([name, shape]) => [name, optional(shape)]),
  );
}

export const SERVICE_SETTINGS: Shape = object(
  "the settings of a service",
  SERVICE_FIELDS,
  "serviceSettings() fills in the defaults",
);
export const SOME_SERVICE_SETTINGS: Shape = object(
  "settings of a service",
  allOptional(SERVICE_FIELDS),
);
export const SERVER_SETTINGS: Shape = object(
  "the settings of a real server",
  SERVER_FIELDS,
  "serverSettings() fills in the defaults",
);
export const SOME_SERVER_SETTINGS: Shape = object(
  "settings of a real server",
  allOptional(SERVER_FIELDS),
);

export const TIMEOUTS: Shape = object("timeouts", {
  tcpSeconds: U32,
  tcpFinSeconds: U32,
  udpSeconds: U32,
});

export const DAEMON: Shape = object("a sync daemon", {
  state: such(
    "MASTER (1) or BACKUP (2)",
    (value) => value === MASTER || value === BACKUP,
  ),
  multicastInterface: text,
  syncId: U32,
  maximumLength: optional(PORT),
  multicastGroup: optional(ADDRESS),
  multicastPort: optional(PORT),
  multicastTtl: optional(U8),
});

const SERVER_CHANGE = {
  service: SERVICE_KEY,
  server: SERVER_KEY,
  settings: SERVER_SETTINGS,
};

const FIELDS_OF_CHANGE: Readonly<
  Record<string, Readonly<Record<string, Shape>>>
> = {
  "add-service": { service: SERVICE_KEY, settings: SERVICE_SETTINGS },
  "edit-service": { service: SERVICE_KEY, settings: SERVICE_SETTINGS },
  "delete-service": { service: SERVICE_KEY },
  "add-server": SERVER_CHANGE,
  "edit-server": SERVER_CHANGE,
  "delete-server": { service: SERVICE_KEY, server: SERVER_KEY },
  flush: {},
  zero: { service: optional(SERVICE_KEY) },
  set: { timeouts: TIMEOUTS },
  "start-daemon": { daemon: DAEMON },
  "stop-daemon": { daemon: DAEMON },
};

export const CHANGE: Shape = both(
  object("a change", { command: oneOf(...Object.keys(FIELDS_OF_CHANGE)) }),
  (value) => {
    const { command } = value as { command: string };
    return object("a change", FIELDS_OF_CHANGE[command] ?? {})(value);
  },
);

export const LINK: Shape = object(
  "a Link: a netlink socket",
  {
    receiveBufferBytes: integer(1, Number.MAX_SAFE_INTEGER),
    send: callback,
    receive: callback,
    close: callback,
  },
  "openNodeLink() returns one",
);

/** A client; also a part of one, for a test */
export const CLIENT: Shape = object(
  "an IpvsClient",
  { apply: callback, steadyTable: callback },
  "openIpvs() returns one",
);

const SERVER_RULE = object("a real server", {
  key: SERVER_KEY,
  settings: SERVER_SETTINGS,
});

export const TABLE: Shape = object("a table", {
  services: listOf(
    "an array of services",
    object("a service", {
      key: SERVICE_KEY,
      settings: SERVICE_SETTINGS,
      servers: listOf("an array of real servers", SERVER_RULE),
    }),
  ),
  timeouts: optional(TIMEOUTS),
  daemons: optional(listOf("an array of sync daemons", DAEMON)),
});

export const SERVERS_TO_DRAIN: Shape = either(
  listOf(
    "an array of services with a server, or a machine",
    object("a real server", { service: SERVICE_KEY, server: SERVER_KEY }),
  ),
  object("an array of services with a server, or a machine", {
    machine: ADDRESS,
  }),
  (value) => Array.isArray(value),
);

export const WAIT_SUBJECT: Shape = either(
  object("a machine", { machine: ADDRESS }),
  object("a service, a real server or a machine", {
    service: SERVICE_KEY,
    server: optional(SERVER_KEY),
  }),
  (value) => isObject(value) && value["machine"] !== undefined,
);

export const STOP_SIGNAL: Shape = object("an AbortSignal", {
  aborted: flag,
  addEventListener: callback,
  removeEventListener: callback,
});

export { INTERVAL, SECONDS };

export const WAIT_CONDITION: Shape = both(
  object("a condition", { kind: oneOf("drained", "active", "state") }),
  (value) => {
    const { kind } = value as { kind: string };
    if (kind === "drained") return undefined;
    return object(
      "a condition",
      kind === "active"
        ? { atMost: U32 }
        : { state: oneOf(...new Set([...SERVICE_STATES, ...SERVER_STATES])) },
    )(value);
  },
);
