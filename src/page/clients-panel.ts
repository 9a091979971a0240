import { byId, element, setAttribute, setText } from "./dom.js";
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
  const only = byId("clients-only", HTMLButtonElement);
  /** The client whose connections are counted. Undefined: all */
  let client: string | undefined;
  const choose = (chosen: string | undefined) => {
    client = chosen;
    by.value = chosen === undefined ? "client" : "service";
    setText(only, chosen === undefined ? "" : `client ${chosen} ✕`);
    setAttribute(only, "hidden", chosen === undefined);
    if (chosen === undefined) by.focus();
    else only.focus();
    panel.refresh();
  };
  only.addEventListener("click", () => {
    choose(undefined);
  });
  const panel = new PolledPanel(
    byId("clients", HTMLElement),
    MILLISECONDS,
    () => {
      const query = new URLSearchParams({ by: by.value, limit: "15" });
      if (client !== undefined) query.set("client", client);
      return `api/v1/connections/top?${query.toString()}`;
    },
    (answer) => {
      const { top, connections, different, by: group } = answer as TopDocument;
      byId("clients-head", HTMLElement).textContent = titleOf(group);
      body.replaceChildren(...top.map((row) => rowOf(row, open, choose)));
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

function rowOf(
  row: TopRow,
  open: (key: string) => void,
  choose: (client: string) => void,
): HTMLElement {
  const { connections, share } = row;
  const shown = bar("share");
  shown.show(share, `${(share * 100).toFixed(1)}%`, "ok");
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, nameOf(row, open, choose)),
    element("td", { class: "number" }, count(connections)),
    element("td", {}, shown.element),
  );
}

/** The name of a row. A click shows the services of a client, a service, or the machine of a server. */
function nameOf(
  { client, service, server, state }: TopRow,
  open: (key: string) => void,
  choose: (client: string) => void,
): Node | string {
  if (client !== undefined)
    return linkTo(client, () => {
      choose(client);
    });
  if (service !== undefined)
    return linkTo(service, () => {
      open(service);
    });
  if (server === undefined) return state ?? "";
  const address = server.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return linkTo(server, () => {
    open(`machine ${address}`);
  });
}

function linkTo(text: string, act: () => void): HTMLElement {
  const link = element("button", { type: "button", class: "link" }, text);
  link.addEventListener("click", act);
  return link;
}
