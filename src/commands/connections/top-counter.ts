import type { Address } from "../../ipvs/address.js";
import { clientOfKey, endOfKey } from "../../ipvs/proc-fields.js";
import type { ConnectionReader } from "../../ipvs/connection-reader.js";
import type { NameBook } from "../../runtime/name-book.js";
import { ByteBuilder, type TextBuilder } from "../../text/text-builder.js";
import { fromBytes } from "../../cli/escape.js";
import type { Group } from "./query.js";
import {
  stateText,
  writeClient,
  writeServer,
  writeService,
  type Naming,
} from "./connection-text.js";
import { LossyCounter } from "./lossy-counter.js";

/** How many connections a client, a service, a server or a state has. */
export interface TopRow {
  readonly name: string;
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
  },
  service: {
    keyOf: serviceKey,
    addressOf: (key) => serviceOfKey(key)?.virtual,
    write(out, key, name) {
      const service = serviceOfKey(key);
      if (service) writeService(out, service, name);
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
  },
  state: {
    keyOf: (line) => line.state,
    addressOf: () => undefined,
    write(out, key) {
      out.text(stateText(String(key)));
    },
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
    const { addressOf, write } = this.#grouping;
    const largest = this.#counter.largest(limit);
    await book?.learn(largest.flatMap(({ key }) => addressOf(key) ?? []));
    const out = new ByteBuilder();
    return largest.map(({ key, count, atMost }) => {
      write(out, key, book?.name);
      const name = fromBytes(out.take());
      return { name, connections: count, atMost, share: count / this.total };
    });
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
