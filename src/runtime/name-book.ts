import { formatAddress, type Address } from "../ipvs/address.js";
import {
  formatEndpoint,
  TRANSPORTS,
  type EndpointName,
} from "../ipvs/model.js";
import type { Names } from "../system/names.js";

/** Above this number of names, the names of earlier calls are dropped */
const KEPT_HOSTS = 65_536;

/** Shows addresses and ports as names. Each address is looked up once, all at the same time. */
export class NameBook {
  readonly #names: Names;
  /** undefined for an address without a name, and during the lookup. */
  readonly #hosts = new Map<string, string | undefined>();

  constructor(names: Names) {
    this.#names = names;
  }

  /**
   * Looks up the names of addresses, for later calls of `name`. May drop the names of earlier
   * calls: each of a million connections can have its own client.
   */
  async learn(addresses: Iterable<Address>): Promise<void> {
    if (this.#hosts.size >= KEPT_HOSTS) this.#hosts.clear();
    const asked: Promise<void>[] = [];
    for (const address of addresses) {
      const text = formatAddress(address);
      if (this.#hosts.has(text)) continue;
      this.#hosts.set(text, undefined);
      asked.push(
        this.#names.hostName(text).then((host) => {
          this.#hosts.set(text, host);
        }),
      );
    }
    await Promise.all(asked);
  }

  readonly name: EndpointName = (address, port, protocol) => {
    const text = formatAddress(address);
    const host = this.#hosts.get(text) ?? text;
    const service =
      protocol && this.#names.serviceName(port, TRANSPORTS[protocol]);
    const shown = service ?? String(port);
    return address.length === 4 ? `${host}:${shown}` : `[${host}]:${shown}`;
  };
}

/** Shows addresses and ports as numbers. */
export const numericName: EndpointName = (address, port) =>
  formatEndpoint(address, port);
