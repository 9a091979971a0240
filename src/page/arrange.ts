import { forwardingText, stateText } from "./format.js";
import type {
  Group,
  MachineNode,
  RowNode,
  ServerNode,
  ServiceNode,
} from "./row-node.js";
import { severityOf } from "./row-state.js";
import {
  NATURAL,
  type Server,
  type Service,
  type Sums,
  type TableModel,
} from "./table-model.js";

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
export const SHOWN = [
  "all",
  "problems",
  "down",
  "overloaded",
  "drained",
  "changed",
] as const;
export type Shown = (typeof SHOWN)[number];

/** What the reader has chosen. */
export interface Choice {
  search: string;
  sort: SortKey;
  descending: boolean;
  group: Group;
  show: Shown;
}

interface Branch {
  readonly top: ServiceNode | MachineNode;
  readonly servers: readonly Server[];
}

/** Whether the servers of a service or machine are shown. `filtered`: only those that the search or the filter finds */
export type IsExpanded = (key: string, filtered: boolean) => boolean;

/** The rows in the order in which they are shown. @param order the places of rows that keep their order */
export function arrange(
  model: TableModel,
  choice: Choice,
  isExpanded: IsExpanded,
  order?: ReadonlyMap<string, number>,
): RowNode[] {
  const words = choice.search.toLowerCase().split(/\s+/).filter(Boolean);
  const branches =
    choice.group === "service"
      ? services(model, choice, words, isExpanded)
      : machines(model, choice, words, isExpanded);
  const rows: RowNode[] = [];
  const inOrder = <T>(items: readonly T[], nodeOf: (item: T) => RowNode) => {
    const bySort = sorted(items, choice, (item) =>
      valueOf(model, nodeOf(item), choice.sort),
    );
    return order ? held(bySort, (item) => order.get(nodeOf(item).key)) : bySort;
  };
  const tops = inOrder(branches, ({ top }) => top);
  for (const [i, { top, servers }] of tops.entries()) {
    top.position = i + 1;
    top.siblings = tops.length;
    rows.push(top);
    if (!top.expanded) continue;
    const nodes = servers.map((server) =>
      serverNode(model, server, choice.group),
    );
    const children = inOrder(nodes, (node) => node);
    for (const [place, node] of children.entries()) {
      node.position = place + 1;
      node.siblings = children.length;
      rows.push(node);
    }
  }
  return rows;
}

function services(
  model: TableModel,
  { show }: Choice,
  words: readonly string[],
  isExpanded: IsExpanded,
): Branch[] {
  return model.services.flatMap((service) => {
    const text = textOf(service);
    const all = matches(text, words);
    const found = all
      ? service.servers
      : service.servers.filter((server) =>
          matches(text + textOfServer(server), words),
        );
    if (!all && found.length === 0) return [];
    const own = show === "all" || serviceIsShown(model, service, show);
    const servers =
      own && show !== "drained" && show !== "overloaded"
        ? found
        : found.filter((server) => serverIsShown(model, server, show));
    if (!own && servers.length === 0) return [];
    const top: ServiceNode = {
      ...common(service.key, 1, model.sums([service.row.id])),
      kind: "service",
      service,
      found: servers.length,
      expanded:
        servers.length > 0 && isExpanded(service.key, show !== "all" || !all),
    };
    return [{ top, servers }];
  });
}

function machines(
  model: TableModel,
  { show }: Choice,
  words: readonly string[],
  isExpanded: IsExpanded,
): Branch[] {
  const byAddress = new Map<string, { all: Server[]; found: Server[] }>();
  for (const service of model.services) {
    const text = textOf(service);
    for (const server of service.servers) {
      const { address } = server.row;
      let known = byAddress.get(address);
      if (!known) byAddress.set(address, (known = { all: [], found: [] }));
      known.all.push(server);
      if (
        matches(text + textOfServer(server), words) &&
        serverIsShown(model, server, show)
      )
        known.found.push(server);
    }
  }
  return [...byAddress]
    .filter(([, { found }]) => found.length > 0)
    .sort(([a], [b]) => NATURAL.compare(a, b))
    .map(([address, { all, found }]) => {
      const key = `machine ${address}`;
      const top: MachineNode = {
        ...common(key, 1, model.sums(all.map(({ row }) => row.id))),
        kind: "machine",
        address,
        servers: all,
        found: found.length,
        expanded: isExpanded(key, found.length < all.length),
      };
      return { top, servers: found };
    });
}

function common(key: string, level: 1 | 2, sums: Sums) {
  return { key, level, sums, position: 1, siblings: 1 };
}

function serverNode(
  model: TableModel,
  server: Server,
  group: Group,
): ServerNode {
  const sums = model.sums([server.row.id]);
  return { ...common(server.key, 2, sums), kind: "server", server, group };
}

function textOf({ row }: Service): string {
  const state = row.state === "ok" ? "" : stateText(row.state);
  return `${row.service} ${row.scheduler} ${state}`;
}

function textOfServer({ row }: Server): string {
  return ` ${row.server} ${row.forwarding} ${forwardingText(row.forwarding)} ${row.state} ${stateText(row.state)}`;
}

function matches(text: string, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

function serverIsShown(
  model: TableModel,
  { key, row }: Server,
  show: Shown,
): boolean {
  if (show === "problems") return row.state !== "ok";
  if (show === "down") return false;
  if (show === "overloaded")
    return row.state === "overloaded" || row.state === "maybe-overloaded";
  if (show === "drained") return row.weight === 0;
  return show === "all" || model.markOf(key) !== undefined;
}

function serviceIsShown(
  model: TableModel,
  { key, row }: Service,
  show: Shown,
): boolean {
  if (show === "problems" || show === "down") return row.state !== "ok";
  if (show === "overloaded") return row.state === "all-overloaded";
  if (show === "drained") return row.state === "all-drained";
  return model.markOf(key) !== undefined;
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
      return severityOf(node);
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

/** Puts items into the order of their places. Items without a place come last; if none has one, all stay as they are. */
function held<T>(
  items: readonly T[],
  placeOf: (item: T) => number | undefined,
): readonly T[] {
  return items
    .map((item) => ({ item, place: placeOf(item) ?? Infinity }))
    .sort((a, b) => (a.place === b.place ? 0 : a.place - b.place))
    .map(({ item }) => item);
}
