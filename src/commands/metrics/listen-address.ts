import { parseIpv4, parseIpv6 } from "../../ipvs/address.js";
import { UsageError } from "../../cli/errors.js";
import { escapeControls } from "../../cli/escape.js";

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any free port */
  readonly port: number;
}

/** The default host. Everyone who can reach the port may read the table, so it is only this machine. */
const LOOPBACK = "127.0.0.1";

/** Parses the value of `--listen`: `9101`, `:9101`, `192.0.2.1:9101`, `[::1]:9101`. @throws {UsageError} */
export function parseListenAddress(text: string): ListenAddress {
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
      `--listen ${escapeControls(text)}: expected a port with or without an address, such as 9101, 192.0.2.1:9101 or [::1]:9101`,
      "metrics",
    );
  return { host, port };
}

/** `127.0.0.1:9101`, `[::1]:9101` */
export function listenAddressText({ host, port }: ListenAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
