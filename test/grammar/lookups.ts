import type { Lookups } from "../../src/grammar/endpoint.js";
import { TCP, UDP } from "../../src/ipvs/model.js";

/** Finds no names. */
export const NO_NAMES: Lookups = {
  host: () => undefined,
  port: () => undefined,
};

/** Finds one host and two services. */
export const LOOKUPS: Lookups = {
  host: (name) =>
    name === "web.example" ? Uint8Array.of(192, 0, 2, 80) : undefined,
  port(service, protocol) {
    if (service === "http") return protocol === TCP ? 80 : undefined;
    return service === "domain" && (protocol === TCP || protocol === UDP)
      ? 53
      : undefined;
  },
};
