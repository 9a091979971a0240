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

/** How long a program that works may take to accept a connection */
const PATIENCE_MILLISECONDS = 1000;

/** The connections that no program has accepted for a second. */
export async function readUnaccepted(
  procFolder: string,
): Promise<Unaccepted[] | undefined> {
  const read = () => {
    const texts = ["tcp", "tcp6"].map((name) =>
      textOf(`${procFolder}/net/${name}`),
    );
    return texts[0] === undefined
      ? undefined
      : texts.flatMap((text) => unacceptedIn(text ?? ""));
  };
  const before = read();
  if (before === undefined || before.length === 0) return before;
  await new Promise((resolve) => {
    setTimeout(resolve, PATIENCE_MILLISECONDS);
  });
  const known = new Set(before.map(({ ends }) => ends));
  return read()?.filter(({ ends }) => known.has(ends));
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
