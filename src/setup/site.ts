import type { Address } from "../ipvs/address.js";
import type { Table } from "../ipvs/table.js";
import type { VirtualEndpoint } from "./step.js";

/** What a table does not tell of the machines around it. */
export interface Site {
  readonly table: Table;
  /** The classic command lines that make the table, and those that remove it */
  readonly rules: {
    readonly lines: readonly string[];
    readonly undo: readonly string[];
  };
  /** The director's interface for the virtual addresses */
  readonly interface: string;
  /** The director's interface for the real servers */
  readonly serverInterface: string;
  /** The director's own addresses in the network of the real servers, at most one of each family */
  readonly directors: readonly Address[];
  /** Those of the backup director. Empty if there is none */
  readonly backups: readonly Address[];
  /** Both directors balance at the same time */
  readonly activeActive: boolean;
  /** MAC addresses of the directors, as far as they are known */
  readonly macs: readonly { readonly address: Address; readonly mac: string }[];
  /** Masqueraded connections get the director's address, so servers need no route through it */
  readonly fullNat: boolean;
  /** Which packets get a firewall mark */
  readonly marks: readonly {
    readonly mark: number;
    readonly service: VirtualEndpoint;
  }[];
}

/** Something is missing that a machine's set-up needs. */
export class SiteIncomplete extends Error {
  override readonly name = "SiteIncomplete";

  /**
   * @param missing what is missing, as a clause: `masqueraded servers need the director's IPv4 address`
   * @param advice what to do
   */
  constructor(
    readonly missing: string,
    readonly advice: string,
  ) {
    super(missing);
  }
}
