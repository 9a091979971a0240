import { parseIpv4, parseIpv6 } from "../ipvs/address.js";
import { UsageError } from "../cli/errors.js";
import { escapeControls } from "../cli/escape.js";

/** Where a server listens on the network. */
export interface NetworkAddress {
  readonly host: string;
  /** 0: any free port */
  readonly port: number;
}

/** Where a server listens: an address and a port, or a Unix socket. */
export type ListenAddress = NetworkAddress | { readonly path: string };

/** The default host. Everyone who can reach the port may read the table, so it is only this machine. */
const LOOPBACK = "127.0.0.1";

const UNIX = "unix:";
/** The length of sun_path in sockaddr_un, without the zero at its end. */
const LONGEST_PATH_BYTES = 107;

/**
 * Parses the value of `--listen`: `9101`, `:9101`, `192.0.2.1:9101`, `[::1]:9101`, `unix:/run/ipvsadm.sock`.
 *
 * @throws {UsageError}
 */
export function parseListenAddress(
  text: string,
  subcommand: string,
): ListenAddress {
  if (text.startsWith(UNIX))
    return { path: parsePath(text.slice(UNIX.length), subcommand) };
  const [, ipv6, ipv4, digits = ""] =
    /^(?:\[([^\]]*)\]:|([^:]*):)?([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const host =
    ipv6 !== undefined
      ? parseIpv6(ipv6) && ipv6
      : ipv4 === undefined || ipv4 === ""
        ? LOOPBACK
        : parseIpv4(ipv4) && ipv4;
  if (digits === "" || port > 65_535 || host === undefined)
    throw new UsageError(
      `--listen ${escapeControls(text)}: expected a port with or without an address, such as 9101, 192.0.2.1:9101 or [::1]:9101, or a Unix socket, such as unix:/run/ipvsadm.sock`,
      subcommand,
    );
  return { host, port };
}

function parsePath(path: string, subcommand: string): string {
  const bytes = Buffer.byteLength(path);
  if (path.startsWith("/") && bytes <= LONGEST_PATH_BYTES) return path;
  throw new UsageError(
    `--listen ${UNIX}${escapeControls(path)}: expected an absolute path of at most ${LONGEST_PATH_BYTES} bytes`,
    subcommand,
  );
}

/** `127.0.0.1:9101`, `[::1]:9101`, `unix:/run/ipvsadm.sock` */
export function listenAddressText(address: ListenAddress): string {
  if ("path" in address) return UNIX + escapeControls(address.path);
  const { host, port } = address;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only programs on this machine can connect. */
export function isLocal(address: ListenAddress): boolean {
  return "path" in address || /^(127\.|::1$)/.test(address.host);
}
