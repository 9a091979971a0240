import type { Finding } from "./finding-positions.js";

/** The warning for a real server's port that its forwarding method does not use. */
export function ignoredPort(written: number, used: number): Finding {
  return {
    id: "port-ignored",
    message: `port ${written} is ignored: packets reach the server at the service's port ${used}`,
    advice: "only masquerading (-m) can change the port; leave the port out",
    part: "port",
  };
}
