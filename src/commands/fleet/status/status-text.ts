import type { Paint, Style } from "../../../cli/color.js";
import { escapeControls } from "../../../cli/escape.js";
import type { Display } from "../../../cli/output.js";
import { drawTable, type Cell, type Column } from "../../../cli/table.js";
import {
  counted,
  shortByteRate,
  shortCount,
  shortDuration,
  shortRate,
} from "../../../cli/units.js";
import {
  VERDICTS,
  type DirectorReport,
  type FleetReport,
  type Verdict,
} from "../../../fleet/fleet-report.js";
import type { Rollout } from "../../../fleet/rollout/rollout.js";
import { loadSums } from "./load-sums.js";

const STYLES: Readonly<Record<Verdict, Style>> = {
  silent: "bad",
  failed: "bad",
  paused: "warning",
  behind: "warning",
  drifting: "warning",
  waiting: "warning",
  ok: "good",
};

const COLUMNS: readonly Column[] = [
  { title: "Director" },
  { title: "Table", drop: 5 },
  { title: "Wanted", align: "right" },
  { title: "Applied", align: "right" },
  { title: "State" },
  { title: "Seen", align: "right", drop: 4 },
  { title: "Active", align: "right", drop: 3 },
  { title: "Conn/s", align: "right", drop: 2 },
  { title: "In", align: "right", drop: 6 },
  { title: "Out", align: "right", drop: 7 },
  { title: "Labels", drop: 8 },
  { title: "Details", shortest: 20, drop: 1 },
];

/** The report for people. */
export function statusLines(
  report: FleetReport,
  { paint, width }: Display,
): string[] {
  const { directors, drains, rollouts } = report;
  if (directors.length === 0) return ["no directors"];
  const rows = directors.map((one) => rowOf(one));
  const lines = [
    ...drawTable(COLUMNS, rows, { width, paint }),
    countsText(directors),
  ];
  for (const one of rollouts)
    if (one.state !== "done" && one.state !== "aborted")
      lines.push(rolloutText(one));
  for (const { id } of drains)
    lines.push(`drain ${escapeControls(id)}: ${drainText(id, directors)}`);
  return lines;
}

function rowOf(director: DirectorReport): Cell[] {
  const { name, verdict, state, load, wanted } = director;
  const live = verdict === "silent" ? undefined : load;
  return [
    escapeControls(name),
    escapeControls(state?.table ?? ""),
    String(wanted ?? "-"),
    String(state?.applied ?? "-"),
    { text: verdict, style: STYLES[verdict] },
    load ? agoText(load.at) : "never",
    live ? shortCount(live.activeConnections) : "",
    live ? shortRate(live.connectionsPerSecond) : "",
    live ? shortByteRate(live.inBytesPerSecond) : "",
    live ? shortByteRate(live.outBytesPerSecond) : "",
    labelsText(director),
    escapeControls(detailsText(director)),
  ];
}

/** How long ago a director reported, by both clocks. */
function agoText(at: string): string {
  const seconds = (Date.now() - Date.parse(at)) / 1000;
  return Number.isFinite(seconds) ? shortDuration(Math.max(seconds, 0)) : "?";
}

function labelsText({ state }: DirectorReport): string {
  const labels = Object.entries(state?.labels ?? {});
  return escapeControls(
    labels.map(([key, value]) => `${key}=${value}`).join(","),
  );
}

function detailsText({ verdict, reason, state }: DirectorReport): string {
  if (reason !== undefined) return reason;
  if (!state || verdict === "silent") return "";
  const { add, change, remove } = state.drift;
  const parts: string[] = [];
  if (add + change + remove > 0)
    parts.push(`${add} to add, ${change} to change, ${remove} to remove`);
  if (state.dryRun) parts.push("dry run");
  return parts.join("; ");
}

function countsText(directors: readonly DirectorReport[]): string {
  const counts = VERDICTS.map(
    (verdict) =>
      [
        verdict,
        directors.filter((one) => one.verdict === verdict).length,
      ] as const,
  ).filter(([, count]) => count > 0);
  const sums = loadSums(directors);
  return [
    `${counted(directors.length, "director")}: ${counts.map(([verdict, count]) => `${count} ${verdict}`).join(", ")}`,
    `${counted(sums.activeConnections, "active connection")}, ${shortRate(sums.connectionsPerSecond)}, in ${shortByteRate(sums.inBytesPerSecond)}, out ${shortByteRate(sums.outBytesPerSecond)}`,
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
  return escapeControls(
    `rollout of ${table} to revision ${revision}: ${state}, wave ${wave} of ${waves.length}${details}`,
  );
}

function drainText(id: string, directors: readonly DirectorReport[]): string {
  const states = directors.map(({ verdict, state }) =>
    verdict === "silent"
      ? "silent"
      : (state?.drains.find((one) => one.id === id)?.state ?? "not seen"),
  );
  return [...new Set(states)]
    .map((state) => `${states.filter((one) => one === state).length} ${state}`)
    .join(", ");
}

/** A director on one line, for --watch. */
export function changeLine(director: DirectorReport, paint: Paint): string {
  const { name, verdict, state, wanted } = director;
  const details = detailsText(director);
  const revision =
    wanted === state?.applied
      ? `revision ${wanted ?? "-"}`
      : `revision ${state?.applied ?? "-"}, wanted ${wanted ?? "-"}`;
  return escapeParts(
    [name, `: ${revision}, `],
    paint[STYLES[verdict]](verdict),
    details === "" ? "" : ` (${details})`,
  );
}

function escapeParts(
  before: readonly string[],
  painted: string,
  after: string,
): string {
  return `${before.map(escapeControls).join("")}${painted}${escapeControls(after)}`;
}
