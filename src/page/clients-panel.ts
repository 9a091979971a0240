import { byId, element } from "./dom.js";
import { count, counted } from "./format.js";
import { PolledPanel } from "./polled-panel.js";
import { bar } from "./row-view.js";

/** A part of the document of `connections --top -o json`. */
interface TopDocument {
  readonly by: string;
  readonly connections: number;
  readonly different: number | null;
  readonly top: readonly TopRow[];
}

interface TopRow {
  readonly client?: string;
  readonly service?: string;
  readonly server?: string;
  readonly state?: string;
  readonly connections: number;
  readonly share: number;
}

const MILLISECONDS = 10_000;

/** The panel with the busiest clients. @param open shows a service or a machine */
export function clientsPanel(open: (key: string) => void): PolledPanel {
  const body = byId("clients-rows", HTMLElement);
  const note = byId("clients-note", HTMLElement);
  const by = byId("clients-by", HTMLSelectElement);
  const panel = new PolledPanel(
    byId("clients", HTMLElement),
    MILLISECONDS,
    () => `api/v1/connections/top?by=${by.value}&limit=15`,
    (answer) => {
      const { top, connections, different, by: group } = answer as TopDocument;
      byId("clients-head", HTMLElement).textContent = titleOf(group);
      body.replaceChildren(...top.map((row) => rowOf(row, open)));
      note.textContent =
        connections === 0
          ? "No connections."
          : `${counted(connections, "connection")} in the connection table, ${
              different === null
                ? `very many ${group}s`
                : counted(different, group)
            }${different === null || different > top.length ? ` (${top.length} shown)` : ""}.`;
    },
    (reason) => {
      note.textContent = `Cannot count connections: ${reason}.`;
    },
  );
  by.addEventListener("change", () => {
    panel.refresh();
  });
  return panel;
}

function titleOf(group: string): string {
  return group.charAt(0).toUpperCase() + group.slice(1);
}

function rowOf(row: TopRow, open: (key: string) => void): HTMLElement {
  const { connections, share } = row;
  const shown = bar("share");
  shown.show(share, `${(share * 100).toFixed(1)}%`, "ok");
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, nameOf(row, open)),
    element("td", { class: "number" }, count(connections)),
    element("td", {}, shown.element),
  );
}

/** The name of a row. A service, and the machine of a server, can be opened. */
function nameOf(
  { client, service, server, state }: TopRow,
  open: (key: string) => void,
): Node | string {
  const key =
    service ??
    (server &&
      `machine ${server.replace(/:\d+$/, "").replace(/^\[|\]$/g, "")}`);
  const text = client ?? service ?? server ?? state ?? "";
  if (key === undefined) return text;
  const link = element("button", { type: "button", class: "link" }, text);
  link.addEventListener("click", () => {
    open(key);
  });
  return link;
}
