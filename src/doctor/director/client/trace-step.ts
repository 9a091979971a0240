import type { Address } from "../../../ipvs/address.js";
import type { ServiceWithServers } from "../../../ipvs/model.js";
import type { Known } from "../../check.js";
import type { Facts } from "../../facts.js";
import type { Fix } from "../../finding.js";
import type { Captured } from "../../packets/capture.js";
import type { CountersMeanwhile } from "../../read-counters.js";
import type { HeardSync } from "../../sync-messages.js";
import type { SeenConnection } from "./connections.js";

/** The facts that a trace needs, and those that it uses if they are there */
export type TraceFacts = Known<
  | "table"
  | "allServices"
  | "network"
  | "connections"
  | "sysctls"
  | "firewall"
  | "daemons"
> &
  Pick<Facts, "ftpHelper" | "timeouts">;

/** What was seen of a client while it was followed. */
export interface ClientSightings {
  readonly client: Address;
  readonly seconds: number;
  /** Every connection that was seen, without persistence templates */
  readonly connections: readonly SeenConnection[];
  /** The table when it ended; TraceFacts has it as it began */
  readonly after: readonly ServiceWithServers[];
  /** The sync messages that arrived meanwhile */
  readonly heard: readonly HeardSync[];
  /** The packets that were captured meanwhile */
  readonly packets?: Captured | undefined;
  /** The kernel's counters, if they could be read */
  readonly counters?: CountersMeanwhile | undefined;
}

/** A step of a client's packets through the director. */
export interface TraceStep {
  readonly step:
    | "route"
    | "firewall"
    | "size"
    | "marks"
    | "entries"
    | "packets"
    | "ftp"
    | "sync"
    | "answers"
    | "counters"
    | "drops";
  readonly state: "ok" | "stops" | "unknown";
  readonly text: string;
  /** The command that finds the cause, if it is on a real server */
  readonly next?: Fix | undefined;
}
