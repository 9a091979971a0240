import { createHash, timingSafeEqual, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { hostName } from "./request-target.js";

/** A certificate and its key, in PEM. */
export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Who may read. */
export interface Access {
  readonly tls: Tls | undefined;
  /** Undefined: everyone who can connect */
  readonly token: Token | undefined;
  /** Undefined: any host name. No browser connects to a Unix socket */
  readonly hosts: KnownHosts | undefined;
}

/** A secret that clients must send. */
export class Token {
  readonly #digest: Buffer;

  constructor(secret: string) {
    this.#digest = digestOf(secret);
  }

  /**
   * Whether a request has the token, as `Bearer TOKEN`, or as the password of `Basic`, which browsers ask for. Takes equally long
   * for all wrong tokens.
   */
  isIn(authorization: string | undefined): boolean {
    const [, scheme = "", value = ""] =
      /^(Bearer|Basic) +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? "") ??
      [];
    const given =
      scheme.toLowerCase() === "basic"
        ? Buffer.from(value, "base64")
            .toString()
            .replace(/^[^:]*:/, "")
        : value;
    return timingSafeEqual(digestOf(given), this.#digest) && scheme !== "";
  }
}

function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/**
 * The host names by which clients may call the server. A page on another site can make its own name resolve to this server, and
 * read what it answers (DNS rebinding). It cannot do that with an address, nor with a name that is not its own.
 */
export class KnownHosts {
  readonly #names: ReadonlySet<string>;
  readonly #certificate: X509Certificate | undefined;

  /** @param names in addition to addresses, `localhost` and the names in the certificate */
  constructor(names: readonly string[], cert?: Buffer) {
    this.#names = new Set(
      ["localhost", ...names].map((name) =>
        name.toLowerCase().replace(/\.$/, ""),
      ),
    );
    this.#certificate = cert && new X509Certificate(cert);
  }

  /** @param host a Host header. Undefined: none, as in HTTP/1.0, which no browser sends */
  has(host: string | undefined): boolean {
    if (host === undefined) return true;
    const name = hostName(host);
    if (name === undefined) return false;
    return (
      isIP(name) !== 0 ||
      this.#names.has(name) ||
      this.#certificate?.checkHost(name) !== undefined
    );
  }
}
