/**
 * The columns after the name in a listing: of services by address, of real servers by `SERVICE
 * SERVER`.
 */
export type Rows = ReadonlyMap<string, readonly string[]>;

/** Parses the output of `-Ln` in any format. */
export function rowsOf(listing: string): Rows {
  const rows = new Map<string, string[]>();
  let service = "";
  for (const line of listing.split("\n").slice(3)) {
    const [first, name = "", ...columns] = line.trim().split(/ +/);
    if (first !== "->") service = name;
    rows.set(first === "->" ? `${service} ${name}` : service, columns);
  }
  return rows;
}

/** Counts the connections of `-Lnc` by `SERVICE SERVER`. */
export function connectionsOf(listing: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of listing.split("\n").slice(2)) {
    const [, , , , service = "", server = ""] = line.split(/ +/);
    const name = `${service} ${server}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
