import type { Address } from "../../ipvs/address.js";
import { clientOfKey, endOfKey } from "../../ipvs/proc-fields.js";
import type { ConnectionReader } from "../../ipvs/connection-reader.js";
import type { NameBook } from "../../runtime/name-book.js";
import { ByteBuilder, type TextBuilder } from "../../text/text-builder.js";
import { fromBytes } from "../../cli/escape.js";
import type { Group } from "./query.js";
import {
  stateWord,
  writeClient,
  writeServer,
  writeService,
  type Naming,
} from "./cells.js";
import { Tally } from "./count.js";

/** How many connections a client, a service, a server or a state has. */
export interface TopRow {
  readonly name: string;
  readonly connections: number;
  /** The same, or how many there are at the most where some were forgotten */
  readonly atMost: number;
  /** Of all connections, 0 to 1 */
  readonly share: number;
}

type Key = number | string;

/** How the connections of a group are told from those of another, and how its key is shown. */
interface Grouping {
  readonly keyOf: (line: ConnectionReader) => Key;
  /** The address in it whose name may be wanted */
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
      // Servers of several protocols are one, so that their ports have no names.
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
      out.text(stateWord(String(key)));
    },
  },
};

/** Counts the connections of each client, service, server or state. */
export class TopCounter {
  readonly #tally: Tally;
  readonly #grouping: Grouping;

  /** @param capacity how many groups are counted at the same time */
  constructor(by: Group, capacity?: number) {
    this.#tally = new Tally(capacity);
    this.#grouping = GROUPINGS[by];
  }

  add(line: ConnectionReader): void {
    this.#tally.add(this.#grouping.keyOf(line));
  }

  /** How many connections were counted. */
  get total(): number {
    return this.#tally.total;
  }

  /** How many groups there are; undefined: too many to know. */
  get different(): number | undefined {
    return this.#tally.different;
  }

  /** The groups that have most. @param book finds their names; undefined: numbers are wanted */
  async rows(limit: number, book: NameBook | undefined): Promise<TopRow[]> {
    const { addressOf, write } = this.#grouping;
    const largest = this.#tally.largest(limit);
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
/** An address with a port takes 48 bits; the protocol stands above them. */
const PROTOCOL_UNIT = 2 ** 48;

/** A number for what is frequent, else the parts between blanks. */
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
