import { formatAddress, type Address } from "../ipvs/address.js";
import {
  formatEndpoint,
  TRANSPORTS,
  type EndpointName,
} from "../ipvs/model.js";
import type { Names } from "../system/names.js";

/** From how many on the hosts of earlier calls are forgotten */
const KEPT_HOSTS = 65_536;

/** Addresses and ports by name where they have one; each address is asked for once, all at the same time. */
export class NameBook {
  readonly #names: Names;
  /** Undefined for an address that has no name, or is being asked for. */
  readonly #hosts = new Map<string, string | undefined>();

  constructor(names: Names) {
    this.#names = names;
  }

  /**
   * Finds the names of addresses, so that `name` has them. Those of earlier calls may be forgotten: of a
   * million connections each may have a client of its own.
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

/** Addresses and ports in numbers. */
export const numericName: EndpointName = (address, port) =>
  formatEndpoint(address, port);
