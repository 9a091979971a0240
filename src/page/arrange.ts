import type { Server, Service, Sums, TableModel } from "./table-model.js";

/** What the table can be sorted by. */
export const SORT_KEYS = [
  "name",
  "state",
  "weight",
  "active",
  "connections",
  "in",
  "out",
  "changed",
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** Which rows are shown. */
export const SHOWN = ["all", "problems", "drained", "changed"] as const;
export type Shown = (typeof SHOWN)[number];

/** What the reader has chosen. */
export interface Choice {
  search: string;
  sort: SortKey;
  descending: boolean;
  /** Services with their servers, or machines with the servers on them */
  group: "service" | "machine";
  show: Shown;
}

interface Common {
  readonly key: string;
  readonly level: 1 | 2;
  readonly sums: Sums;
  /** Where it is among its siblings, from 1, and how many there are */
  position: number;
  siblings: number;
}

export interface ServiceNode extends Common {
  readonly kind: "service";
  readonly service: Service;
  readonly expanded: boolean;
}

/** All servers with one address. */
export interface MachineNode extends Common {
  readonly kind: "machine";
  readonly address: string;
  readonly servers: readonly Server[];
  readonly expanded: boolean;
}

export interface ServerNode extends Common {
  readonly kind: "server";
  readonly server: Server;
}

/** A row of the table. */
export type RowNode = ServiceNode | MachineNode | ServerNode;

interface Branch {
  readonly top: ServiceNode | MachineNode;
  readonly servers: readonly Server[];
}

/** The rows in the order in which they are shown. @param isExpanded whether the servers of a service or machine are shown */
export function arrange(
  model: TableModel,
  choice: Choice,
  isExpanded: (key: string) => boolean,
): RowNode[] {
  const words = choice.search.toLowerCase().split(/\s+/).filter(Boolean);
  const branches =
    choice.group === "service"
      ? services(model, choice, words, isExpanded)
      : machines(model, choice, words, isExpanded);
  const rows: RowNode[] = [];
  const tops = sorted(branches, choice, ({ top }) =>
    valueOf(model, top, choice.sort),
  );
  for (const [i, { top, servers }] of tops.entries()) {
    top.position = i + 1;
    top.siblings = tops.length;
    rows.push(top);
    if (!top.expanded) continue;
    const nodes = servers.map((server) => serverNode(model, server));
    const inOrder = sorted(nodes, choice, (node) =>
      valueOf(model, node, choice.sort),
    );
    for (const [place, node] of inOrder.entries()) {
      node.position = place + 1;
      node.siblings = inOrder.length;
      rows.push(node);
    }
  }
  return rows;
}

function services(
  model: TableModel,
  { show }: Choice,
  words: readonly string[],
  isExpanded: (key: string) => boolean,
): Branch[] {
  return model.services.flatMap((service) => {
    const text = textOf(service);
    const all = matches(text, words);
    const found = all
      ? service.servers
      : service.servers.filter(({ row }) =>
          matches(`${text} ${row.server} ${row.forwarding}`, words),
        );
    if (!all && found.length === 0) return [];
    const own = show === "all" || serviceIsShown(model, service, show);
    const servers =
      own && show !== "drained"
        ? found
        : found.filter((server) => serverIsShown(model, server, show));
    if (!own && servers.length === 0) return [];
    const top: ServiceNode = {
      ...common(service.key, 1, model.sums([service.row.id])),
      kind: "service",
      service,
      expanded: servers.length > 0 && (isExpanded(service.key) || !all),
    };
    return [{ top, servers }];
  });
}

function machines(
  model: TableModel,
  { show }: Choice,
  words: readonly string[],
  isExpanded: (key: string) => boolean,
): Branch[] {
  const byAddress = new Map<string, Server[]>();
  for (const service of model.services) {
    const text = textOf(service);
    for (const server of service.servers) {
      const { row } = server;
      if (!matches(`${text} ${row.server} ${row.forwarding}`, words)) continue;
      if (!serverIsShown(model, server, show)) continue;
      const known = byAddress.get(row.address);
      if (known) known.push(server);
      else byAddress.set(row.address, [server]);
    }
  }
  return Array.from(byAddress, ([address, servers]) => {
    const top: MachineNode = {
      ...common(
        `machine ${address}`,
        1,
        model.sums(servers.map(({ row }) => row.id)),
      ),
      kind: "machine",
      address,
      servers,
      expanded: isExpanded(`machine ${address}`),
    };
    return { top, servers };
  });
}

function common(key: string, level: 1 | 2, sums: Sums): Common {
  return { key, level, sums, position: 1, siblings: 1 };
}

function serverNode(model: TableModel, server: Server): ServerNode {
  const sums = model.sums([server.row.id]);
  return { ...common(server.key, 2, sums), kind: "server", server };
}

function textOf({ row }: Service): string {
  return `${row.service} ${row.scheduler}`.toLowerCase();
}

function matches(text: string, words: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

function serverIsShown(
  model: TableModel,
  { key, row }: Server,
  show: Shown,
): boolean {
  if (show === "problems") return row.state !== "ok";
  if (show === "drained") return row.weight === 0;
  return show === "all" || model.markOf(key) !== undefined;
}

function serviceIsShown(
  model: TableModel,
  { key, row }: Service,
  show: Shown,
): boolean {
  if (show === "problems") return row.state !== "ok";
  if (show === "drained") return row.state === "all-drained";
  return model.markOf(key) !== undefined;
}

/** The most severe last. */
const STATES = [
  "ok",
  "maybe-overloaded",
  "draining",
  "overloaded",
  "all-overloaded",
  "all-drained",
  "no-servers",
];

/** The state of a row. Of a machine: the most severe of its servers. */
export function stateOf(node: RowNode): string {
  if (node.kind === "service") return node.service.row.state;
  if (node.kind === "server") return node.server.row.state;
  return node.servers.reduce(
    (worst, { row }) =>
      STATES.indexOf(row.state) > STATES.indexOf(worst) ? row.state : worst,
    "ok",
  );
}

function valueOf(
  model: TableModel,
  node: RowNode,
  sort: SortKey,
): number | null {
  switch (sort) {
    case "name":
      return 0; // The order is natural already.
    case "state":
      return severity(node);
    case "weight":
      return weightOf(node);
    case "active":
      return node.sums.active;
    case "connections":
      return node.sums.connectionsPerSecond;
    case "in":
      return node.sums.inBytesPerSecond;
    case "out":
      return node.sums.outBytesPerSecond;
    case "changed":
      return changedAt(model, node);
  }
}

/** A service with a server that needs attention comes after those that need it themselves. */
function severity(node: RowNode): number {
  const own = STATES.indexOf(stateOf(node));
  if (node.kind !== "service") return own;
  const worst = Math.max(
    0,
    ...node.service.servers.map(({ row }) => STATES.indexOf(row.state)),
  );
  return own + worst / STATES.length;
}

/** Undefined for a machine. */
export function weightOf(node: RowNode): number | null {
  if (node.kind === "service") return node.service.row.effectiveWeight;
  return node.kind === "server" ? node.server.row.weight : null;
}

/** The latest change of a row, or of a server in it. */
function changedAt(model: TableModel, node: RowNode): number | null {
  const keys =
    node.kind === "service"
      ? [node.key, ...node.service.servers.map(({ key }) => key)]
      : node.kind === "machine"
        ? node.servers.map(({ key }) => key)
        : [node.key];
  let latest: number | null = null;
  for (const key of keys) {
    const mark = model.markOf(key);
    if (mark) latest = Math.max(latest ?? 0, Date.parse(mark.time));
  }
  return latest;
}

/** Sorts items by a number. Equal items keep their order; unknown numbers come last. */
function sorted<T>(
  items: readonly T[],
  { descending, sort }: Choice,
  value: (item: T) => number | null,
): T[] {
  if (sort === "name") return descending ? items.toReversed() : [...items];
  const sign = descending ? -1 : 1;
  return items
    .map((item) => ({ item, value: value(item) }))
    .sort((a, b) => {
      if (a.value === null || b.value === null)
        return Number(a.value === null) - Number(b.value === null);
      return sign * (a.value - b.value);
    })
    .map(({ item }) => item);
}
