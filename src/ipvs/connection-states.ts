/** The phase of a connection. */
export type Phase = "opening" | "open" | "closing" | "failed";

/**
 * The phase of each connection state, for all protocols. The names are the kernel's.
 *
 * @see tcp_state_name_table, sctp_state_name_table, udp_state_name_table and
 *   ip_vs_ctpl_state_name_table in net/netfilter/ipvs/
 */
export const CONNECTION_STATES: ReadonlyMap<string, Phase> = new Map([
  ["ESTABLISHED", "open"],
  ["UDP", "open"],
  ["ASSURED", "open"],
  ["NONE", "opening"],
  ["LISTEN", "opening"],
  ["SYN_SENT", "opening"],
  ["SYN_RECV", "opening"],
  ["SYNACK", "opening"],
  ["INIT1", "opening"],
  ["INIT", "opening"],
  ["C-SENT", "opening"],
  ["C-REPLIED", "opening"],
  ["C-WAIT", "opening"],
  ["COOKIE", "opening"],
  ["C-ECHOED", "opening"],
  ["FIN_WAIT", "closing"],
  ["TIME_WAIT", "closing"],
  ["CLOSE", "closing"],
  ["CLOSE_WAIT", "closing"],
  ["LAST_ACK", "closing"],
  ["S-SENT", "closing"],
  ["S-RECEIVED", "closing"],
  ["S-ACK-SENT", "closing"],
  ["CLOSED", "closing"],
  ["REJECTED", "failed"],
  ["ERR!", "failed"],
  ["BUG!", "failed"],
]);

/** The states of persistence templates. Kernels before 4.19 use NONE and UDP. */
const TEMPLATE_STATES: ReadonlySet<string> = new Set([
  "NONE",
  "ASSURED",
  "UDP",
]);

/**
 * Whether an entry of the connection table is a persistence template. A template has client port 0.
 * An expected FTP data connection has client port 0 too, but its state is LISTEN.
 */
export function isTemplate(entry: {
  readonly clientPort: number;
  readonly state: string;
}): boolean {
  return entry.clientPort === 0 && TEMPLATE_STATES.has(entry.state);
}
