import type { Finding } from "./finding-positions.js";

/** What is to be said of a port that the forwarding method does not change. */
export function portIgnored(written: number, kept: number): Finding {
  return {
    id: "port-ignored",
    fault: `packets reach the real server at port ${kept}, the service's, not ${written}`,
    advice: "only -m (masq) changes ports: otherwise leave the port out",
    part: "port",
  };
}
