import type { ServerKey, ServiceKey } from "../../ipvs/model.js";
import type { Store } from "../../store/store.js";
import type { FleetKeys } from "../keys.js";
import type { Kernel } from "./apply-table.js";

/** The settings of an agent. */
export interface AgentSettings {
  /** Its name: the CN of its certificate */
  readonly director: string;
  /** The table that it applies */
  readonly table: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Whether it takes back what others change in the kernel's table */
  readonly heals: boolean;
  /** Whether it only reports what it would change */
  readonly dryRun: boolean;
  /** The largest share of the real servers that a revision may remove, or give weight 0 */
  readonly mostRemovals: number;
  /** Of the program */
  readonly version: string;
}

/** What an agent works with. */
export interface AgentEnvironment {
  readonly store: Store;
  readonly keys: FleetKeys;
  readonly kernel: Kernel;
  /** The file of the disk copy. Text has one character per byte */
  readonly disk: {
    /** Undefined if there is no file */
    read(): string | undefined;
    /** Writes it atomically. @throws if that fails */
    write(text: string): void;
  };
  /** Identifies the boot of this machine */
  readonly bootId: string;
  /** The time as ISO 8601, for people. Nothing is measured with it: the machine's clock may jump */
  readonly now: () => string;
  /** Whether somebody drains a real server on this machine with 'ipvsadm drain' */
  readonly isDrainedHere: (service: ServiceKey, server: ServerKey) => boolean;
  /** An expected error in words; undefined for a bug */
  readonly explain: (error: unknown) => string | undefined;
  /** Writes a line for the operator. It may contain text from the store */
  readonly log: (line: string) => void;
}
