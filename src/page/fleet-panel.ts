import { byId, element, setAttribute, setText } from "./dom.js";
import { age, bytes, clock, count, counted } from "./format.js";
import { PolledPanel } from "./polled-panel.js";

/** A part of the document of `fleet status -o json`, with what `serve` adds. */
interface FleetDocument {
  readonly time: string;
  /** Of the state at `time`, by the server's clock */
  readonly ageSeconds: number;
  readonly fault: string | null;
  readonly directors: readonly Director[];
  readonly rollouts: readonly Rollout[];
  readonly drains: readonly { readonly id: string }[];
  readonly sums: {
    readonly activeConnections: number;
    readonly connectionsPerSecond: number;
    readonly inBytesPerSecond: number;
    readonly outBytesPerSecond: number;
  };
}

interface Director {
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
  readonly table?: string;
  readonly wanted?: number;
  readonly applied?: number;
  readonly lastSeen?: string;
  readonly dryRun?: boolean;
  readonly drift?: Readonly<Record<"add" | "change" | "remove", number>>;
}

interface Rollout {
  readonly table: string;
  readonly revision: number;
  readonly state: string;
  readonly wave: number;
  readonly waves: readonly string[];
  readonly reason?: string;
}

const MILLISECONDS = 5000;

/** Most severe first, as in `fleet status`. */
const STATES = [
  ...["silent", "failed", "paused", "behind", "drifting", "waiting", "ok"],
];

/** Of more directors, those that are ok are left out. */
const MOST_ROWS = 200;

/** The panel with the directors of the fleet. It is hidden unless the server has a fleet. */
export function fleetPanel(): PolledPanel {
  return new PolledPanel(
    byId("fleet", HTMLElement),
    MILLISECONDS,
    () => "api/v1/fleet",
    (answer) => {
      show(answer as FleetDocument);
    },
    (reason) => {
      showFault(`Cannot read the fleet: ${reason}.`);
    },
  );
}

function showFault(text: string | undefined): void {
  const fault = byId("fleet-fault", HTMLElement);
  setText(fault, text ?? "");
  setAttribute(fault, "hidden", text === undefined);
}

function show({
  time,
  ageSeconds,
  fault,
  directors,
  rollouts,
  drains,
  sums,
}: FleetDocument): void {
  showFault(
    fault === null
      ? undefined
      : `${fault}. This is the state of ${clock(time)}, ${age(ageSeconds * 1000)} ago.`,
  );
  const counts = STATES.map(
    (state) =>
      [state, directors.filter((one) => one.state === state).length] as const,
  ).filter(([, number]) => number > 0);
  setText(
    byId("fleet-sums", HTMLElement),
    directors.length === 0
      ? "No directors."
      : `${counted(directors.length, "director")}: ${counts.map(([state, number]) => `${number} ${state}`).join(", ")}. ${count(sums.activeConnections)} active, ${count(sums.connectionsPerSecond)} conn/s, in ${bytes(sums.inBytesPerSecond)}/s, out ${bytes(sums.outBytesPerSecond)}/s.`,
  );
  const sorted = directors
    .toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state))
    .slice(0, MOST_ROWS);
  byId("fleet-rows", HTMLElement).replaceChildren(
    ...sorted.map((one) => rowOf(one, Date.parse(time))),
  );
  setAttribute(
    byId("fleet-table", HTMLElement),
    "hidden",
    directors.length === 0,
  );
  const left = directors.length - sorted.length;
  setText(
    byId("fleet-more", HTMLElement),
    left > 0 ? `${counted(left, "more director")} not shown.` : "",
  );
  byId("fleet-work", HTMLElement).replaceChildren(
    ...rollouts
      .filter(({ state }) => state !== "done" && state !== "aborted")
      .map((one) => element("li", {}, rolloutText(one))),
    ...drains.map(({ id }) => element("li", {}, `Drain of ${id}`)),
  );
}

/** @param now when the state was read */
function rowOf(director: Director, now: number): HTMLElement {
  const { name, table, state, applied, wanted, lastSeen } = director;
  const details = detailsOf(director);
  const revision =
    applied === wanted || wanted === undefined
      ? String(applied ?? "–")
      : `${applied ?? "–"} → ${wanted}`;
  return element(
    "tr",
    {},
    element(
      "th",
      { scope: "row" },
      name,
      ...(table === undefined ? [] : [element("small", {}, table)]),
    ),
    element("td", { class: "number" }, revision),
    element(
      "td",
      {},
      element("span", { "data-state": state }, state),
      ...(details === "" ? [] : [element("small", {}, details)]),
    ),
    element(
      "td",
      { class: "number" },
      lastSeen === undefined ? "never" : age(now - Date.parse(lastSeen)),
    ),
  );
}

function detailsOf({ reason, state, drift, dryRun }: Director): string {
  if (reason !== undefined) return reason;
  if (!drift || state === "silent") return "";
  const { add, change, remove } = drift;
  return [
    ...(add + change + remove > 0
      ? [`${add} to add, ${change} to change, ${remove} to remove`]
      : []),
    ...(dryRun === true ? ["dry run"] : []),
  ].join("; ");
}

function rolloutText({
  table,
  revision,
  state,
  wave,
  waves,
  reason,
}: Rollout): string {
  const details = reason === undefined ? "" : `: ${reason}`;
  return `Rollout of ${table} to revision ${revision}: ${state}, wave ${wave} of ${waves.length}${details}`;
}
