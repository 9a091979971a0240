import type { Change } from "../ipvs/client.js";
import type { ServiceKey } from "../ipvs/model.js";

/** The formats of a listing of the table, in the order of precedence if several are asked for. */
export type TableFormat =
  "stats" | "rate" | "thresholds" | "persistent-conn" | "tun-info" | "plain";

/** `-L`: what is to be listed, and how. */
export interface ListCommand {
  readonly command: "list";
  readonly what: "table" | "connections" | "timeouts" | "daemons";
  /** Only this virtual service */
  readonly service?: ServiceKey | undefined;
  readonly format: TableFormat;
  /** Addresses and ports as numbers, not as names */
  readonly numeric: boolean;
  /** All digits of a counter */
  readonly exact: boolean;
  readonly sorted: boolean;
  /** With connections: the persistence engine's columns too */
  readonly persistenceData: boolean;
}

/** What one command line of the classic language says. */
export type ClassicCommand =
  | Change
  | ListCommand
  | { readonly command: "save"; readonly numeric: boolean }
  | { readonly command: "restore" }
  | { readonly command: "help" }
  | { readonly command: "version" };

/** Any command but the one that reads others. */
export type SingleCommand = Exclude<ClassicCommand, { command: "restore" }>;

/** The commands by the names that the original's sentences use. */
export type CommandName = ClassicCommand["command"];
