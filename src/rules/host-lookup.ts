import type { Lookups } from "../grammar/endpoint.js";
import { UnresolvedHost } from "../grammar/usage-errors.js";
import { parseIpv4, type Address } from "../ipvs/address.js";
import { TRANSPORTS } from "../ipvs/model.js";
import type { NameLookups } from "./name-lookups.js";

/** The hosts that a file names, each of which is looked up once. */
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

  /** Whether a name was looked up in vain. */
  isUnknown(name: string): boolean {
    return this.#known.has(name) && this.#known.get(name) === undefined;
  }

  /** Looks hosts up, all at once. */
  async learn(names: ReadonlySet<string>): Promise<void> {
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
 * Whether a resolver may know a name: what does not look like one, such as 192.0.2.256, is not worth waiting for.
 *
 * @see RFC 1123, section 2.1
 */
function mayBeHost(name: string): boolean {
  return /^[\w-]+(\.[\w-]+)*\.?$/.test(name) && !/(^|\.)[0-9]+\.?$/.test(name);
}
