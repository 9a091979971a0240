import { spanOf, type Span } from "../../src/netlink/link.js";
import { attributes, put, raw } from "../../src/netlink/attributes.js";
import { exchangeOver, type Reply } from "../../src/netlink/exchange.js";
import {
  GenericQuery,
  noAttributes,
  resolveFamily,
} from "../../src/netlink/generic.js";
import { openNodeLink } from "../../src/netlink/node-link.js";
import type { Writer } from "../../src/netlink/writer.js";
import { errnoName } from "../../src/netlink/errno.js";

const GET_SERVICE = 4;
const GET_DESTINATION = 8;
const GET_DAEMON = 11;
const GET_CONFIG = 13;
/** IPVS_CMD_ATTR_SERVICE, as bytes. */
const NAMING = { service: [1, raw()] } as const;
const STATISTICS = new Set([10, 12]);
/** The IPVS_SVC_ATTR_* that identify a service: family, protocol, address, port, firewall mark. */
const IDENTITY = new Set([1, 2, 3, 4, 5]);

/**
 * The kernel's whole IPVS configuration in this network namespace, as lines of hexadecimal digits,
 * one per item. The attributes are not decoded, so a mistake in our own codec cannot hide a
 * difference.
 */
export async function rawTable(): Promise<string[]> {
  const link = openNodeLink();
  try {
    const exchange = exchangeOver(link);
    const family = await resolveFamily(exchange, "IPVS");
    if ("errno" in family)
      throw new Error(`no IPVS: ${errnoName(family.errno)}`);
    const ask = async (
      command: number,
      expects: "one" | "dump",
      service?: Uint8Array,
    ) => {
      const write = (out: Writer) => {
        if (service) put(out, NAMING.service, spanOf(service));
      };
      const [reply] = await exchange([
        new GenericQuery(family.id, 1, command, expects, write, copy),
      ]);
      return entriesOf(reply).flatMap(contents);
    };

    const lines: string[] = [];
    const [reply] = await exchange([
      new GenericQuery(family.id, 1, GET_CONFIG, "one", noAttributes, copy),
    ]);
    const [timeouts] = entriesOf(reply);
    lines.push(`timeouts ${hex(timeouts ?? new Uint8Array())}`);
    for (const daemon of await ask(GET_DAEMON, "dump"))
      lines.push(`daemon ${withoutStatistics(daemon)}`);
    for (const service of await ask(GET_SERVICE, "dump")) {
      const line = `service ${withoutStatistics(service)}`;
      lines.push(line);
      for (const server of await ask(
        GET_DESTINATION,
        "dump",
        identityOf(service),
      ))
        lines.push(`${line} server ${withoutStatistics(server)}`);
    }
    return lines.sort();
  } finally {
    link.close();
  }
}

function copy({ bytes, start, end }: Span): Uint8Array {
  const all = new Uint8Array(bytes.buffer, bytes.byteOffset);
  return all.slice(start, end);
}

function entriesOf<T>(reply: Reply<T> | undefined): readonly T[] {
  if (reply?.kind !== "done") throw new Error("the kernel refused to be read");
  return reply.entries;
}

/** The attributes inside an attribute of a message. */
function contents(message: Uint8Array): Uint8Array[] {
  return [...attributes(spanOf(message))].map(([, value]) => value);
}

function withoutStatistics(payload: Uint8Array): string {
  return [...attributes(spanOf(payload))]
    .filter(([type]) => !STATISTICS.has(type))
    .map(([type, value]) => `${type}=${hex(value)}`)
    .join(" ");
}

function identityOf(service: Uint8Array): Uint8Array {
  return Buffer.concat(
    [...attributes(spanOf(service))]
      .filter(([type]) => IDENTITY.has(type))
      .map(([, value, at]) =>
        service.subarray(at, (at + 4 + value.length + 3) & ~3),
      ),
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
