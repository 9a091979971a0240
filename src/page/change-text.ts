import type { ChangeRow } from "./events.js";

const NAMES: Readonly<Record<string, string>> = {
  lowerThreshold: "lower threshold",
  onePacket: "one-packet scheduling",
  schedulerFlags: "scheduler flags",
  upperThreshold: "upper threshold",
};

/** A change in a few words: `weight 1 → 0`, `added, weight 1`, `removed`. */
export function changeText({
  change,
  of,
  from = {},
  to = {},
}: ChangeRow): string {
  switch (change) {
    case "add":
      return of === "server"
        ? `added, weight ${valueText(to["weight"])}`
        : `added, scheduler ${valueText(to["scheduler"])}`;
    case "remove":
      return "removed";
    case "change":
      return Object.keys(to)
        .map(
          (name) =>
            `${NAMES[name] ?? name} ${valueText(from[name])} → ${valueText(to[name])}`,
        )
        .join(", ");
  }
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (Array.isArray(value)) return value.map(valueText).join(" ");
  if (typeof value === "object")
    return Object.entries(value)
      .map(([name, item]) => `${name} ${valueText(item)}`)
      .join(" ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Names the service or the server that a change is of, as the keys of rows do. */
export function keyOfChange({ service, server }: ChangeRow): string {
  return server === undefined ? service : `${service} ${server}`;
}
