import type { Shown } from "./arrange.js";
import { byId, element, setAttribute, setText } from "./dom.js";
import { bytes, count } from "./format.js";
import type { TableModel } from "./table-model.js";

/** Shows the sums over the whole table, and how many services and servers need attention. */
export function showTotals(model: TableModel, shown: Shown): void {
  const { services } = model;
  const sums = model.sums(services.map(({ row }) => row.id));
  const states = new Map<string, number>();
  let servers = 0;
  for (const service of services)
    for (const { row } of service.servers) {
      servers++;
      states.set(row.state, (states.get(row.state) ?? 0) + 1);
    }
  const down = services.filter(({ row }) => row.state !== "ok").length;
  const drained = states.get("draining") ?? 0;
  const overloaded = states.get("overloaded") ?? 0;
  const maybe = states.get("maybe-overloaded") ?? 0;
  for (const [id, text] of [
    ["total-services", count(services.length)],
    ["total-servers", count(servers)],
    ["total-active", count(sums.active)],
    ["total-rate", count(sums.connectionsPerSecond)],
    ["total-in", bytes(sums.inBytesPerSecond)],
    ["total-out", bytes(sums.outBytesPerSecond)],
  ] as const)
    setText(byId(id, HTMLElement), text);
  for (const [id, text, kind] of [
    ["total-down", count(down), down > 0 && "data-bad"],
    [
      "total-overloaded",
      count(overloaded),
      overloaded > 0 ? "data-bad" : maybe > 0 && "data-warn",
    ],
    ["total-drained", count(drained), drained > 0 && "data-warn"],
  ] as const) {
    const button = byId(id, HTMLButtonElement);
    const name = button.dataset["show"] ?? "";
    const more =
      id === "total-overloaded" && maybe > 0 ? `+${count(maybe)} maybe` : "";
    if (button.textContent !== text + more)
      button.replaceChildren(
        text,
        ...(more ? [element("small", {}, more)] : []),
      );
    setAttribute(button, "aria-label", `${name}: ${text} ${more}`);
    setAttribute(button, "aria-pressed", String(shown === name));
    for (const one of ["data-bad", "data-warn"])
      setAttribute(button, one, one === kind);
  }
}
