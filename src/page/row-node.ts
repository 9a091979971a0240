import type { Server, Service, Sums } from "./table-model.js";

interface Common {
  readonly key: string;
  readonly level: 1 | 2;
  readonly sums: Sums;
  /** Where it is among its siblings, from 1, and how many there are */
  position: number;
  siblings: number;
}

interface Parent extends Common {
  readonly expanded: boolean;
  /** How many of its servers the search and the filter leave */
  readonly found: number;
}

export interface ServiceNode extends Parent {
  readonly kind: "service";
  readonly service: Service;
}

/** All servers with one address. */
export interface MachineNode extends Parent {
  readonly kind: "machine";
  readonly address: string;
  readonly servers: readonly Server[];
}

export interface ServerNode extends Common {
  readonly kind: "server";
  readonly server: Server;
  /** What the row is below */
  readonly group: Group;
}

/** A row of the table. */
export type RowNode = ServiceNode | MachineNode | ServerNode;

/** Services with their servers, or machines with the servers on them */
export type Group = "service" | "machine";

/** The servers of a service or machine, also those that are not shown. */
export function serversOf(node: RowNode): readonly Server[] {
  if (node.kind === "server") return [];
  return node.kind === "service" ? node.service.servers : node.servers;
}
