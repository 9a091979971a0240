/** What a request asks for. */
export interface RequestTarget {
  readonly path: string;
  readonly query: URLSearchParams;
  /** The host that the client means, with a port if it has one. Undefined: not said */
  readonly host: string | undefined;
}

/**
 * Parses the target of a request. In absolute form (`GET http://host/metrics`), the host of the target counts, not the header.
 *
 * @returns undefined for a malformed target
 * @see RFC 9112, section 3.2
 */
export function parseTarget(
  target: string,
  hostHeader: string | undefined,
): RequestTarget | undefined {
  const [, authority, rest = target] =
    /^https?:\/\/([^/?#]+)(.*)$/i.exec(target) ?? [];
  const origin =
    authority !== undefined && !rest.startsWith("/") ? `/${rest}` : rest;
  if (!origin.startsWith("/")) return undefined;
  const [path = "", ...words] = origin.split("?");
  return {
    path,
    query: new URLSearchParams(words.join("?")),
    host: authority?.replace(/^.*@/, "") ?? hostHeader,
  };
}

/** Parts the name of a host from the port: `[::1]:9101` is `::1`. @returns undefined if it is malformed */
export function hostName(host: string): string | undefined {
  const [, ipv6, name] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s]+))(?::[0-9]{0,5})?$/i.exec(host) ?? [];
  return (ipv6 ?? name)?.toLowerCase().replace(/\.$/, "");
}
