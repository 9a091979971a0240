/**
 * Local ports for clients, below the range from which the kernel chooses. The kernel's choice would
 * come back to a port for which IPVS still has a connection. IPVS would reuse that connection, and
 * with direct routing it would not even schedule it again.
 */
const CLIENT_PORTS = { first: 10000, end: 32768 };
let nextPort = CLIENT_PORTS.first;

/**
 * Reserves ports that no client of this process has used yet.
 *
 * @returns the first one; the others follow it
 */
export function takeClientPorts(count: number): number {
  if (nextPort + count > CLIENT_PORTS.end) nextPort = CLIENT_PORTS.first;
  const port = nextPort;
  nextPort += count;
  return port;
}
