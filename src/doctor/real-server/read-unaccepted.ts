import type { Address } from "../../ipvs/address.js";
import { textOf } from "../../system/files.js";
import { addressIn } from "./listeners.js";

/** A TCP connection that the kernel has accepted and no program has taken. */
export interface Unaccepted {
  /** Its two ends as the kernel prints them */
  readonly ends: string;
  readonly address: Address;
  readonly port: number;
}

/** A program that works may take three seconds to accept a connection, under load. Most connections are accepted within one. */
const PAUSES_MILLISECONDS = [1000, 2000];

/** The connections that no program has accepted for three seconds. */
export async function readUnaccepted(
  procFolder: string,
  pauses: readonly number[] = PAUSES_MILLISECONDS,
): Promise<Unaccepted[] | undefined> {
  const read = () => {
    const texts = ["tcp", "tcp6"].map((name) =>
      textOf(`${procFolder}/net/${name}`),
    );
    return texts[0] === undefined
      ? undefined
      : texts.flatMap((text) => unacceptedIn(text ?? ""));
  };
  let waiting = read();
  for (const pause of pauses) {
    if (waiting === undefined || waiting.length === 0) break;
    await new Promise((resolve) => {
      setTimeout(resolve, pause);
    });
    const known = new Set(waiting.map(({ ends }) => ends));
    waiting = read()?.filter(({ ends }) => known.has(ends));
  }
  return waiting;
}

/**
 * The connections in a file of procfs that no program has accepted: established (01) or closed by the client (08), and
 * without a file, whose number would be the inode.
 *
 * @see get_tcp4_sock() in net/ipv4/tcp_ipv4.c
 */
export function unacceptedIn(text: string): Unaccepted[] {
  const rows = text.matchAll(
    /^ *[0-9]+: (([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4}) (?:01|08) [0-9A-F:]+ [0-9A-F:]+ [0-9A-F]+ +[0-9]+ +[0-9]+ 0 /gm,
  );
  return Array.from(rows, ([, ends = "", address = "", port = ""]) => ({
    ends,
    address: addressIn(address),
    port: Number.parseInt(port, 16),
  }));
}
