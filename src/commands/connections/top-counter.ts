import { familyOf, formatAddress, type Address } from "../../ipvs/address.js";
import { clientOfKey, endOfKey } from "../../ipvs/proc-fields.js";
import type { ConnectionReader } from "../../ipvs/connection-reader.js";
import type { NameBook } from "../../runtime/name-book.js";
import { ByteBuilder, type TextBuilder } from "../../text/text-builder.js";
import { FAMILIES } from "../../document/enum-names.js";
import { fromBytes } from "../../cli/escape.js";
import type { Group } from "./query.js";
import {
  markOf,
  protocolWord,
  stateText,
  writeClient,
  writeServer,
  writeService,
  type Naming,
} from "./connection-text.js";
import { LossyCounter } from "./lossy-counter.js";

/** How many connections a client, a service, a server or a state has. */
export interface TopRow {
  /** The word for it, as subcommands take it as an argument */
  readonly word: string;
  /** Its parts, as the fields of a document */
  readonly parts: Readonly<Record<string, string | number | undefined>>;
  /** Its host and port name, if names were looked up */
  readonly name: string | undefined;
  readonly connections: number;
  /** An upper bound, if rare groups were dropped. Otherwise the same number */
  readonly atMost: number;
  /** The part of all connections, 0 to 1 */
  readonly share: number;
}

type Key = number | string;

/** How connections are grouped by a key. */
interface Grouping {
  readonly keyOf: (line: ConnectionReader) => Key;
  /** The address to look up for `--names` */
  readonly addressOf: (key: Key) => Address | undefined;
  readonly write: (out: TextBuilder, key: Key, name: Naming) => void;
  /** The fields of its parts */
  readonly partsOf: (key: Key) => TopRow["parts"];
}

const GROUPINGS: Readonly<Record<Group, Grouping>> = {
  client: {
    keyOf: (line) => line.clientKey,
    addressOf: clientOfKey,
    write(out, key, name) {
      const client = clientOfKey(key);
      if (client)
        writeClient(out, { client, clientPort: 0, state: "NONE" }, name);
    },
    partsOf(key) {
      const client = clientOfKey(key);
      return { clientAddress: client && formatAddress(client) };
    },
  },
  service: {
    keyOf: serviceKey,
    addressOf: (key) => serviceOfKey(key)?.virtual,
    write(out, key, name) {
      const service = serviceOfKey(key);
      if (service) writeService(out, service, name);
    },
    partsOf(key) {
      const service = serviceOfKey(key);
      if (!service) return {};
      const { virtual, virtualPort } = service;
      return service.protocol === "IP"
        ? {
            family: FAMILIES.word(familyOf(virtual)),
            firewallMark: markOf(virtual),
          }
        : {
            protocol: protocolWord(service),
            serviceAddress: formatAddress(virtual),
            servicePort: virtualPort,
          };
    },
  },
  server: {
    keyOf: (line) => line.serverKey,
    addressOf: (key) => endOfKey(key)?.address,
    write(out, key, name) {
      const end = endOfKey(key);
      // A server counts once for all protocols, so its port has no name.
      const protocol = "";
      if (end)
        writeServer(
          out,
          { protocol, server: end.address, serverPort: end.port },
          name,
        );
    },
    partsOf(key) {
      const end = endOfKey(key);
      return {
        serverAddress: end && formatAddress(end.address),
        serverPort: end?.port,
      };
    },
  },
  state: {
    keyOf: (line) => line.state,
    addressOf: () => undefined,
    write(out, key) {
      out.text(stateText(String(key)));
    },
    partsOf: () => ({}),
  },
};

/** Counts the connections of each client, service, server or state. */
export class TopCounter {
  readonly #counter: LossyCounter;
  readonly #grouping: Grouping;

  /** @param capacity how many groups are kept */
  constructor(by: Group, capacity?: number) {
    this.#counter = new LossyCounter(capacity);
    this.#grouping = GROUPINGS[by];
  }

  add(line: ConnectionReader): void {
    this.#counter.add(this.#grouping.keyOf(line));
  }

  /** How many connections were counted. */
  get total(): number {
    return this.#counter.total;
  }

  /** How many different groups there are. Undefined: too many to count. */
  get different(): number | undefined {
    return this.#counter.different;
  }

  /** The largest groups. @param book looks up their names. Undefined: show numbers */
  async rows(limit: number, book: NameBook | undefined): Promise<TopRow[]> {
    const { addressOf, write, partsOf } = this.#grouping;
    const largest = this.#counter.largest(limit);
    await book?.learn(largest.flatMap(({ key }) => addressOf(key) ?? []));
    const out = new ByteBuilder();
    const text = (key: Key, name: Naming) => {
      write(out, key, name);
      return fromBytes(out.take());
    };
    return largest.map(({ key, count, atMost }) => ({
      word: text(key, undefined),
      parts: partsOf(key),
      name: book && text(key, book.name),
      connections: count,
      atMost,
      share: count / this.total,
    }));
  }
}

const PROTOCOLS = ["TCP", "UDP", "SCTP", "IP"];
/** An IPv4 address with a port takes 48 bits. The protocol is in the bits above. */
const PROTOCOL_UNIT = 2 ** 48;

/** A number for IPv4 and a common protocol, because numbers are faster. Otherwise a string of protocol and endpoint. */
function serviceKey({ protocol, virtualKey }: ConnectionReader): Key {
  const place = PROTOCOLS.indexOf(protocol);
  return typeof virtualKey === "number" && place >= 0
    ? place * PROTOCOL_UNIT + virtualKey
    : `${protocol} ${virtualKey}`;
}

function serviceOfKey(key: Key) {
  const [protocol, rest] = partsOf(key);
  const end = endOfKey(rest);
  return end && { protocol, virtual: end.address, virtualPort: end.port };
}

function partsOf(key: Key): [string, Key] {
  if (typeof key === "number")
    return [
      PROTOCOLS[Math.floor(key / PROTOCOL_UNIT)] ?? "",
      key % PROTOCOL_UNIT,
    ];
  const blank = key.indexOf(" ");
  const rest = key.slice(blank + 1);
  const number = /^[0-9]+$/.test(rest) ? Number(rest) : undefined;
  return [key.slice(0, blank), number ?? rest];
}
