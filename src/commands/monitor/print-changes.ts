import type { Address } from "../../ipvs/address.js";
import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { NameBook, numericName } from "../../runtime/name-book.js";
import type { DifferenceItem } from "../../cli/changes/difference-items.js";
import { escapeControls } from "../../cli/escape.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation } from "../../cli/invocation.js";
import { endpointNames } from "../list/endpoint-names.js";
import type { Filters } from "../list/filter.js";
import type { Clock } from "../watch/clock.js";
import { unloadedError } from "../watch/read-table.js";
import { changeLine, changeRecord } from "./change-lines.js";
import { readFirstState, readNextState } from "./table-changes.js";

/** What changes to print, and how often to look for them. */
export interface ChangeOptions {
  readonly filters: Filters;
  readonly intervalSeconds: number;
  /** How many changes to print. Undefined: no limit */
  readonly count: number | undefined;
  /** Whether to print names instead of numbers */
  readonly names: boolean;
}

/** Prints a line for each change, until `count` changes are printed or the output is closed. */
export async function printChanges(
  { given, io, output }: Invocation,
  clock: Clock,
  { filters, intervalSeconds, count = Infinity, names }: ChangeOptions,
): Promise<number> {
  const asJson = given.text("output") === "ndjson";
  const book = names ? new NameBook(io.names) : undefined;
  const shown = endpointNames((address, port, protocol) =>
    escapeControls((book?.name ?? numericName)(address, port, protocol)),
  );
  const never = new AbortController().signal;
  using access = new IpvsAccess(io);
  const client = await access.openWithoutLoading();
  try {
    let state = await readFirstState(client, filters);
    let due = clock.now() + intervalSeconds;
    for (let printed = 0; printed < count;) {
      await clock.sleep(Math.max(due - clock.now(), 0), never);
      due = clock.now() + intervalSeconds;
      const { reading, changes } = await readNextState(client, filters, state);
      const items = changes.slice(0, count - printed);
      state = reading;
      if (items.length === 0) continue;
      const date = clock.date();
      await book?.learn(items.flatMap(addressesOf));
      output.lines(
        items.map((item) =>
          asJson
            ? changeRecord(item, date)
            : changeLine(item, date, shown, output.paint),
        ),
      );
      printed += items.length;
      if (io.flush() !== undefined) return EXIT.failed; // The program prints the reason when it ends.
    }
    return EXIT.ok;
  } catch (error) {
    throw unloadedError(error);
  }
}

function addressesOf(item: DifferenceItem): Address[] {
  if (item.of !== "service" && item.of !== "server") return [];
  return [
    ...("address" in item.service ? [item.service.address] : []),
    ...(item.of === "server" ? [item.server.address] : []),
  ];
}
