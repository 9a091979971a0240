/**
 * Local ports of clients, below those that the kernel gives out. The kernel would choose anew where to
 * begin every 10 seconds, and so come back to a port for which IPVS still has a connection: that one is
 * taken up again, with direct routing not even scheduled anew.
 */
const CLIENT_PORTS = { first: 10000, end: 32768 };
let nextPort = CLIENT_PORTS.first;

/** Takes ports that no client of this process has had yet. @returns the first of them; the rest follow it */
export function takeClientPorts(count: number): number {
  if (nextPort + count > CLIENT_PORTS.end) nextPort = CLIENT_PORTS.first;
  const port = nextPort;
  nextPort += count;
  return port;
}
