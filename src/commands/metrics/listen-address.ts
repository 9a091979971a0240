import { parseIpv4, parseIpv6 } from "../../ipvs/address.js";
import { UsageError } from "../../cli/errors.js";
import { escapeControls } from "../../cli/escape.js";

/** Where a server listens. */
export interface Place {
  readonly host: string;
  /** 0 is any that is free */
  readonly port: number;
}

/** Whoever can reach it may read the table: that is this machine alone, unless something else is said. */
const LOOPBACK = "127.0.0.1";

/** Reads the value of `--listen`: `9101`, `:9101`, `192.0.2.1:9101`, `[::1]:9101`. @throws {UsageError} */
export function parsePlace(text: string): Place {
  const [, bracketed, plain, digits = ""] =
    /^(?:\[([^\]]*)\]:|([^:]*):)?([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const host =
    bracketed !== undefined
      ? parseIpv6(bracketed) && bracketed
      : plain === undefined || plain === ""
        ? LOOPBACK
        : parseIpv4(plain) && plain;
  if (digits === "" || port > 65_535 || host === undefined)
    throw new UsageError(
      `--listen ${escapeControls(text)}: an address and a port are wanted, such as 9101, 192.0.2.1:9101 or [::1]:9101`,
      "metrics",
    );
  return { host, port };
}

/** `127.0.0.1:9101`, `[::1]:9101` */
export function placeText({ host, port }: Place): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
