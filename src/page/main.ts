import { arrange, type RowNode } from "./arrange.js";
import { ChangesPanel } from "./changes-panel.js";
import { clientsPanel } from "./clients-panel.js";
import { Connection } from "./connection.js";
import { Controls } from "./controls.js";
import { Detail } from "./detail.js";
import { doctorPanel } from "./doctor-panel.js";
import { byId, setAttribute, setText } from "./dom.js";
import type { ChangeRow } from "./events.js";
import { bytes, count, counted } from "./format.js";
import { Grid } from "./grid.js";
import { Histories } from "./histories.js";
import { Status } from "./status.js";
import { TableModel } from "./table-model.js";
import { startTheme } from "./theme.js";

/** If there are at most so many rows, all servers are shown at first. */
const FEW_ROWS = 60;

const model = new TableModel();
const status = new Status();
/** Services and machines whose servers are shown. Undefined: all */
let expanded: Set<string> | undefined;
let rows: readonly RowNode[] = [];

const histories = new Histories(() => {
  grid.redraw();
  refreshDetail();
});
const grid = new Grid(byId("grid", HTMLElement), byId("rows", HTMLElement), {
  markOf,
  historyOf: (key) => histories.of(key),
  shown(nodes) {
    const open = nodeOf(detail.key);
    histories.want(open ? [open, ...nodes] : nodes);
  },
  toggle(node, open) {
    expanded ??= new Set(
      rows.filter(({ level }) => level === 1).map(({ key }) => key),
    );
    if (open) expanded.add(node.key);
    else expanded.delete(node.key);
    show();
    grid.focus(node.key);
  },
  open(node) {
    detail.open(node);
    histories.want([node]);
  },
});
const detail = new Detail(model, histories, (key) => {
  grid.focus(key);
});
const changes = new ChangesPanel(
  byId("changes-list", HTMLElement),
  byId("changes-note", HTMLElement),
  openKey,
);
const controls = new Controls(show);
const panels = [clientsPanel(), doctorPanel()];

/** The latest change of a row. If the servers of a service or machine are hidden, it has theirs, too. */
function markOf(node: RowNode): ChangeRow | undefined {
  const own = model.markOf(node.key);
  if (node.kind === "server" || node.expanded) return own;
  const servers = node.kind === "service" ? node.service.servers : node.servers;
  let latest = own;
  for (const { key } of servers) {
    const mark = model.markOf(key);
    if (mark && (!latest || mark.time > latest.time)) latest = mark;
  }
  return latest;
}

/** The row of a service, server or machine, whether or not it is shown. */
function nodeOf(key: string | undefined): RowNode | undefined {
  if (key === undefined) return undefined;
  const shown = rows.find((node) => node.key === key);
  if (shown) return shown;
  const { group } = controls.choice;
  const all = {
    search: "",
    sort: "name",
    descending: false,
    show: "all",
  } as const;
  const parent = key.startsWith("machine ") ? key : key.replace(/ .*$/, "");
  return arrange(
    model,
    { ...all, group: key.startsWith("machine ") ? "machine" : "service" },
    (one) => one === parent,
  ).find(
    (node) => node.key === key && (group === "service" || node.key !== ""),
  );
}

function openKey(key: string): void {
  const node = nodeOf(key);
  if (!node) return;
  detail.open(node);
  histories.want([node]);
}

/** Shows the table after the choice or the figures have changed. */
function show(): void {
  rows = arrange(
    model,
    controls.choice,
    (key) => expanded === undefined || expanded.has(key),
  );
  grid.show(rows);
  changes.show(model.changes, controls.choice.search);
  showTotals();
  const found = rows.filter(({ level }) => level === 1).length;
  setAttribute(byId("empty", HTMLElement), "hidden", found > 0);
  setText(
    byId("empty", HTMLElement),
    model.time === undefined
      ? "Waiting for the table…"
      : model.services.length === 0
        ? "The table is empty: there are no virtual services."
        : "No service matches the search and the filter.",
  );
  setText(
    byId("found", HTMLElement),
    counted(found, controls.choice.group === "machine" ? "machine" : "service"),
  );
  const open = rows.some((node) => node.kind !== "server" && node.expanded);
  setText(byId("expand", HTMLElement), open ? "Hide servers" : "Show servers");
}

function showTotals(): void {
  const { services } = model;
  const sums = model.sums(services.map(({ row }) => row.id));
  const servers = services.reduce((sum, one) => sum + one.servers.length, 0);
  const bad = services.filter(({ row }) => row.state !== "ok").length;
  const drained = services.reduce(
    (sum, one) =>
      sum + one.servers.filter(({ row }) => row.weight === 0).length,
    0,
  );
  for (const [id, text] of [
    ["total-services", count(services.length)],
    ["total-servers", count(servers)],
    ["total-bad", count(bad)],
    ["total-drained", count(drained)],
    ["total-active", count(sums.active)],
    ["total-rate", count(sums.connectionsPerSecond)],
    ["total-in", bytes(sums.inBytesPerSecond)],
    ["total-out", bytes(sums.outBytesPerSecond)],
  ] as const)
    setText(byId(id, HTMLElement), text);
  setAttribute(byId("total-bad", HTMLElement), "data-bad", bad > 0);
  setAttribute(byId("total-drained", HTMLElement), "data-warn", drained > 0);
}

function refreshDetail(): void {
  const { key } = detail;
  if (key === undefined) return;
  const node = nodeOf(key);
  if (node) detail.show(node);
  else detail.gone();
}

const ids = new Map<string, readonly number[]>();
let idsVersion = -1;

/** The figures that continue the history of a row. */
function sumsOf(key: string) {
  if (idsVersion !== model.version) {
    idsVersion = model.version;
    ids.clear();
    const machines = new Map<string, number[]>();
    for (const service of model.services) {
      ids.set(service.key, [service.row.id]);
      for (const { key, row } of service.servers) {
        ids.set(key, [row.id]);
        const machine = `machine ${row.address}`;
        const known = machines.get(machine);
        if (known) known.push(row.id);
        else machines.set(machine, [row.id]);
      }
    }
    for (const [machine, some] of machines) ids.set(machine, some);
  }
  const found = ids.get(key);
  return found && model.sums(found);
}

new Connection("api/v1/events", {
  table(event) {
    const first = model.time === undefined;
    histories.clear();
    model.take(event);
    const size = event.services.reduce(
      (sum, one) => sum + one.servers.length + 1,
      0,
    );
    if (first && size > FEW_ROWS) expanded = new Set();
    document.title = `ipvsadm: ${model.host}`;
    setText(byId("host", HTMLElement), model.host);
    if (event.fault === null) status.fresh(model.time ?? 0);
    else status.fault(event.fault);
    show();
    refreshDetail();
  },
  update(event) {
    model.update(event);
    histories.add(model.time ?? 0, sumsOf);
    status.fresh(model.time ?? 0);
    show();
    refreshDetail();
  },
  fault({ fault }) {
    status.fault(fault);
  },
  connected(connected, since) {
    status.connection(connected ? undefined : since);
    document.title = `ipvsadm: ${model.host}${connected ? "" : " (connection lost)"}`;
  },
}).open();

byId("expand", HTMLElement).addEventListener("click", () => {
  const open = rows.some((node) => node.kind !== "server" && node.expanded);
  expanded = open ? new Set() : undefined;
  show();
});

for (const button of document.querySelectorAll<HTMLElement>("[data-view]"))
  button.addEventListener("click", () => {
    const view = button.dataset["view"] ?? "services";
    setAttribute(document.body, "data-shown", view);
    for (const one of document.querySelectorAll<HTMLElement>("[data-view]"))
      setAttribute(one, "aria-pressed", String(one === button));
    grid.redraw();
    for (const panel of panels) panel.tick();
  });

startTheme(() => {
  detail.recolor();
  refreshDetail();
});
show();
window.setInterval(() => {
  status.show();
  for (const panel of panels) panel.tick();
}, 1000);
for (const panel of panels) panel.tick();
