import { stateText } from "./format.js";
import { serversOf, type RowNode } from "./row-node.js";
import type { Server } from "./table-model.js";

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

/** What is written in the column State. */
export interface RowState {
  readonly state: string;
  readonly text: string;
  /** How many servers are in the state. 0: the state is the row's own */
  readonly servers: number;
}

/** The state of a row. Of a service that is ok, and of a machine: the most severe of the servers. */
export function stateOf(node: RowNode): RowState {
  const own = ownState(node);
  if (own !== "ok") return { state: own, text: stateText(own), servers: 0 };
  const [worst] = troublesOf(serversOf(node));
  return worst ?? { state: "ok", text: "ok", servers: 0 };
}

/** What else is wrong with the servers of a row, beside its state: `1 drained` */
export function otherTroubles(node: RowNode): string {
  const troubles = troublesOf(serversOf(node));
  const others =
    ownState(node) === "ok"
      ? troubles.slice(1)
      : troubles.filter(({ servers }) => servers < serversOf(node).length);
  return others.map(({ text }) => text).join(" · ");
}

/** The most severe last. Of equal states, the row with more such servers is more severe. */
export function severityOf(node: RowNode): number {
  const { state, servers } = stateOf(node);
  return STATES.indexOf(state) + servers / (servers + 1);
}

function ownState(node: RowNode): string {
  if (node.kind === "machine") return "ok";
  return node.kind === "service"
    ? node.service.row.state
    : node.server.row.state;
}

/** The states other than ok of some servers, the most severe first. */
function troublesOf(servers: readonly Server[]): RowState[] {
  const numbers = new Map<string, number>();
  for (const { row } of servers)
    if (row.state !== "ok")
      numbers.set(row.state, (numbers.get(row.state) ?? 0) + 1);
  return Array.from(numbers, ([state, number]) => ({
    state,
    servers: number,
    text: `${number} ${stateText(state)}`,
  })).sort((a, b) => STATES.indexOf(b.state) - STATES.indexOf(a.state));
}

const SENTENCES: Readonly<Record<string, string>> = {
  draining: "Its weight is 0: it gets no new connections.",
  overloaded: "It has reached its upper threshold: it gets no new connections.",
  "all-drained": "All its servers have weight 0.",
  "all-overloaded": "No server accepts connections.",
  "no-servers": "It has no servers.",
};

/** What the state of a server or service means, in a sentence. */
export function stateSentence(node: RowNode): string {
  const { state, servers } = stateOf(node);
  if (servers > 0 || state === "ok") return "";
  if (state !== "maybe-overloaded" || node.kind !== "server")
    return SENTENCES[state] ?? "";
  const { upperThreshold: upper = 0 } = node.server.row;
  return `If it has reached ${upper} connections, it gets no new ones until there are fewer than ${releaseThreshold(node.server.row)}. The kernel does not report whether it has.`;
}

/** An overloaded server accepts connections again when it has fewer than this. */
export function releaseThreshold({
  upperThreshold = 0,
  lowerThreshold,
}: Server["row"]): number {
  return lowerThreshold ?? Math.ceil((upperThreshold * 3) / 4);
}
