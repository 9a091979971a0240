import type { Lookups } from "../grammar/endpoint.js";
import { UnresolvedHost } from "../grammar/usage-errors.js";
import { parseIpv4, type Address } from "../ipvs/address.js";
import { TRANSPORTS } from "../ipvs/model.js";
import type { NameLookups } from "./name-lookups.js";

/** The addresses of the host names in a file. Each name is looked up once. */
export class HostLookups implements Lookups {
  readonly #names: NameLookups;
  readonly #known = new Map<string, Address | undefined>();

  constructor(names: NameLookups) {
    this.#names = names;
  }

  host(name: string): Address | undefined {
    if (!this.#known.has(name)) throw new UnresolvedHost(name);
    return this.#known.get(name);
  }

  port(service: string, protocol: keyof typeof TRANSPORTS): number | undefined {
    return this.#names.servicePort(service, TRANSPORTS[protocol]);
  }

  /** Whether a name was looked up and has no address. */
  isUnknown(name: string): boolean {
    return this.#known.has(name) && this.#known.get(name) === undefined;
  }

  /** Looks up host names in parallel. */
  async lookUp(names: ReadonlySet<string>): Promise<void> {
    await Promise.all(
      Array.from(names, async (name) => {
        if (this.#known.has(name)) return;
        const text = mayBeHost(name)
          ? await this.#names.hostAddress(name)
          : undefined;
        this.#known.set(name, text === undefined ? undefined : parseIpv4(text));
      }),
    );
  }
}

/**
 * Whether a text can be a host name. A text such as 192.0.2.256 cannot, and is not looked up.
 *
 * @see RFC 1123, section 2.1
 */
function mayBeHost(name: string): boolean {
  return /^[\w-]+(\.[\w-]+)*\.?$/.test(name) && !/(^|\.)[0-9]+\.?$/.test(name);
}
