import type { Change } from "../ipvs/client.js";
import type { ServiceKey } from "../ipvs/model.js";

/** Formats of a table listing. If several are given, the first one in this order counts. */
export type TableFormat =
  "stats" | "rate" | "thresholds" | "persistent-conn" | "tun-info" | "plain";

/** `-L`: what to list, and how. */
export interface ListCommand {
  readonly command: "list";
  readonly what: "table" | "connections" | "timeouts" | "daemons";
  /** Only this virtual service */
  readonly service?: ServiceKey | undefined;
  readonly format: TableFormat;
  /** Show addresses and ports as numbers */
  readonly numeric: boolean;
  /** Show all digits of counters */
  readonly exact: boolean;
  readonly sorted: boolean;
  /** Show the persistence engine's columns of connections */
  readonly persistenceData: boolean;
}

/** A parsed classic command. */
export type ClassicCommand =
  | Change
  | ListCommand
  | { readonly command: "save"; readonly numeric: boolean }
  | { readonly command: "restore" }
  | { readonly command: "help" }
  | { readonly command: "version" };

/** Any command except `restore`, which reads other commands. */
export type SingleCommand = Exclude<ClassicCommand, { command: "restore" }>;

/** The names of the commands in the original's messages. */
export type CommandName = ClassicCommand["command"];
