import { announce } from "./announce.js";
import { arrange } from "./arrange.js";
import { ChangesPanel } from "./changes-panel.js";
import { clientsPanel } from "./clients-panel.js";
import { Connection } from "./connection.js";
import { Controls } from "./controls.js";
import { Detail } from "./detail.js";
import { doctorPanel } from "./doctor-panel.js";
import { fleetPanel } from "./fleet-panel.js";
import { byId, setAttribute, setText } from "./dom.js";
import { SLOT_SECONDS, SLOTS, type ChangeRow } from "./events.js";
import { counted } from "./format.js";
import { Grid } from "./grid.js";
import { Histories } from "./histories.js";
import { startKeysHelp } from "./keys-help.js";
import { OpenedKey } from "./opened-key.js";
import { RowIds } from "./row-ids.js";
import { serversOf, type RowNode } from "./row-node.js";
import { Status } from "./status.js";
import { TableModel } from "./table-model.js";
import { startTheme } from "./theme.js";
import { showTotals } from "./totals.js";

/** If there are at most so many rows, all servers are shown at first. */
const FEW_ROWS = 60;

const model = new TableModel();
const rowIds = new RowIds(model);
const status = new Status();
/** Services and machines whose servers are shown. Undefined: all */
let expanded: Set<string> | undefined;
/** Those whose servers the reader has hidden while a search or a filter shows them */
const closed = new Set<string>();
let rows: readonly RowNode[] = [];
/** The places of the rows. While somebody points at the table, rows keep their places */
let order = new Map<string, number>();
let pointing = false;

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
    expanded ??= new Set([
      ...model.services.map(({ key }) => key),
      ...rowIds.machines.keys(),
    ]);
    if (open) {
      expanded.add(node.key);
      closed.delete(node.key);
    } else {
      expanded.delete(node.key);
      closed.add(node.key);
    }
    show();
    grid.focus(node.key);
  },
  open: openNode,
});
const detail = new Detail(model, histories, openKey, (key) => {
  opened.closed();
  grid.focus(key);
});
const opened = new OpenedKey((key) => {
  if (key === undefined) detail.close();
  else openKey(key);
});
const changes = new ChangesPanel(
  byId("changes-list", HTMLElement),
  byId("changes-note", HTMLElement),
  openKey,
);
const controls = new Controls(() => {
  order.clear();
  closed.clear();
  show();
});
const fleet = fleetPanel();
const panels = [clientsPanel(openKey), doctorPanel(), fleet];

/** The latest change of a row. If the servers of a service or machine are hidden, it has theirs, too. */
function markOf(node: RowNode): ChangeRow | undefined {
  const own = model.markOf(node.key);
  if (node.kind === "server" || node.expanded) return own;
  let latest = own;
  for (const { key } of serversOf(node)) {
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
  if (node) openNode(node);
}

function openNode(node: RowNode): void {
  opened.opened(node.key);
  detail.open(node);
  histories.want([node]);
}

/** Shows the table after the choice or the figures have changed. */
function show(): void {
  const { choice } = controls;
  const held = choice.sort !== "name" && order.size > 0 && isPointedAt();
  rows = arrange(model, choice, isExpanded, held ? order : undefined);
  if (choice.sort !== "name")
    order = new Map(rows.map(({ key }, i) => [key, i]));
  grid.show(rows);
  changes.show(model.changes, choice.search);
  showTotals(model, choice.show);
  const found = rows.filter(({ level }) => level === 1).length;
  setAttribute(byId("empty", HTMLElement), "hidden", found > 0);
  setText(
    byId("empty", HTMLElement),
    model.time === undefined
      ? "Waiting for the table…"
      : model.services.length === 0
        ? "The table is empty: there are no virtual services."
        : "Nothing matches. The search looks at services, servers, schedulers, forwarding methods and states.",
  );
  showFound(found, held);
  const minutes = Math.ceil(((SLOTS - histories.from) * SLOT_SECONDS) / 60);
  setText(byId("head-lines", HTMLElement), `Last ${minutes} min`);
  setText(
    byId("expand", HTMLElement),
    allAreOpen() ? "Hide servers" : "Show all servers",
  );
}

function isExpanded(key: string, filtered: boolean): boolean {
  if (filtered) return !closed.has(key);
  return expanded === undefined || expanded.has(key);
}

/** Whether the pointer or the focus is on a row. */
function isPointedAt(): boolean {
  const body = byId("rows", HTMLElement);
  return pointing || body.contains(document.activeElement);
}

/** Whether every row that has servers shows them. */
function allAreOpen(): boolean {
  const parents = rows.filter(
    (node) => node.kind !== "server" && node.found > 0,
  );
  return (
    parents.length > 0 &&
    parents.every((node) => node.kind !== "server" && node.expanded)
  );
}

/** Says how many services or machines are shown, and what is hidden. */
function showFound(found: number, held: boolean): void {
  const { group } = controls.choice;
  const all =
    group === "machine" ? rowIds.machines.size : model.services.length;
  const text = counted(all, group);
  setText(
    byId("found", HTMLElement),
    `${found < all ? `${found} of ${text}` : text}${held ? " · order held" : ""}`,
  );
}

function refreshDetail(): void {
  const { key } = detail;
  if (key === undefined) return;
  const node = nodeOf(key);
  if (node) detail.show(node);
  else detail.gone();
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
    setAttribute(byId("fleet", HTMLElement), "hidden", event.fleet !== true);
    setAttribute(
      byId("fleet-view", HTMLElement),
      "hidden",
      event.fleet !== true,
    );
    fleet.tick();
    if (event.fault === null) status.fresh(model.time ?? 0);
    else status.fault(event.fault);
    show();
    if (first && opened.key !== undefined) openKey(opened.key);
    refreshDetail();
  },
  update(event) {
    model.update(event);
    histories.add(model.time ?? 0, (key) => rowIds.sumsOf(key));
    status.fresh(model.time ?? 0);
    show();
    announce(event.changes ?? []);
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
  const open = allAreOpen();
  expanded = open ? new Set() : undefined;
  closed.clear();
  if (open) for (const { key, level } of rows) if (level === 1) closed.add(key);
  show();
});

for (const button of document.querySelectorAll<HTMLElement>("[data-show]"))
  button.addEventListener("click", () => {
    controls.toggleShow(button.dataset["show"] ?? "");
  });

const body = byId("rows", HTMLElement);
body.addEventListener("pointerenter", () => {
  pointing = true;
});
body.addEventListener("pointerleave", () => {
  pointing = false;
  show();
});
body.addEventListener("focusout", ({ relatedTarget }) => {
  if (!(relatedTarget instanceof Node && body.contains(relatedTarget)))
    window.setTimeout(show);
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

startKeysHelp();
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
