import { INET } from "../../src/ipvs/address.js";
import { IPIP, MASQUERADING, TCP, wholeNetmask } from "../../src/ipvs/model.js";
import type { Table } from "../../src/ipvs/table.js";

/** How the addresses of the servers are chosen: one after the other, as most networks have them, or at random. */
export type Addresses = "in-order" | "random";

/**
 * A large table, the same in each run.
 *
 * @param weight of all servers; tells revisions apart
 */
export function scaleTable(
  services: number,
  serversEach: number,
  weight: number,
  addresses: Addresses = "in-order",
): Table {
  const random = generator(1);
  const host = (n: number): Uint8Array => {
    const at = addresses === "random" ? random() : n;
    return Uint8Array.of(10, (at >> 16) & 255, (at >> 8) & 255, at & 255);
  };
  return {
    services: Array.from({ length: services }, (_, i) => ({
      key: {
        family: INET,
        protocol: TCP,
        address: Uint8Array.of(192, 0, (i >> 8) & 255, i & 255),
        port: i % 2 === 0 ? 80 : 443,
      },
      settings: {
        scheduler: "wlc",
        flags: 0,
        timeoutSeconds: 0,
        netmask: wholeNetmask(INET),
      },
      servers: Array.from({ length: serversEach }, (_, j) => ({
        key: {
          address: host(i * serversEach + j),
          port: addresses === "random" ? (random() & 65_535) | 1 : 8080,
        },
        settings: {
          forwarding: MASQUERADING,
          weight,
          tunnel: IPIP,
          upperThreshold: 0,
          lowerThreshold: 0,
        },
      })),
    })),
  };
}

/** Numbers of 24 bits that look random. @see https://en.wikipedia.org/wiki/Linear_congruential_generator */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}
