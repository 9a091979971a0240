import type { Address } from "../ipvs/address.js";
import type { Protocol } from "../ipvs/model.js";

/** What takes the packets of a director out of a tunnel. The name is that of the device's type in ip-link(8). */
export type TunnelDevice = "ipip" | "sit" | "ip6tnl" | "gre" | "ip6gre";

/** A virtual address with the port and protocol of its service, as a firewall rule matches it. */
export interface VirtualEndpoint {
  readonly protocol: Protocol;
  readonly address: Address;
  /** 0: every port */
  readonly port: number;
}

/** One thing that a machine needs. Each has a command that makes it, and one that takes it back. */
export type Step =
  | {
      readonly kind: "module";
      readonly name: string;
      /** Its parameters: `ports=21,2121` */
      readonly options?: string;
    }
  | {
      readonly kind: "sysctl";
      /** With dots: `net.ipv4.ip_forward` */
      readonly name: string;
      readonly value: number;
      /** The kernel's default, which --undo sets */
      readonly usual: number;
    }
  | {
      readonly kind: "address";
      readonly address: Address;
      readonly device: string;
    }
  | {
      readonly kind: "tunnel";
      readonly device: TunnelDevice;
      readonly local: Address;
      /** GRE with checksums: the device accepts only packets that have one */
      readonly checksum: boolean;
    }
  | {
      /** Takes GUE off, and gives what is inside to the tunnel devices */
      readonly kind: "gue-port";
      readonly port: number;
      readonly ipv6: boolean;
    }
  | { readonly kind: "default-route"; readonly gateway: Address }
  | {
      /** Masqueraded connections get the director's address as their source */
      readonly kind: "snat";
      readonly service: VirtualEndpoint;
      readonly source: Address;
    }
  | {
      /** Sets a firewall mark */
      readonly kind: "mark";
      readonly service: VirtualEndpoint;
      readonly mark: number;
    }
  | {
      /** Sets firewall marks, but not on packets that the other directors forward to this one */
      readonly kind: "peer-marks";
      /** Where requests of clients arrive */
      readonly device: string;
      /** The other directors, if their packets arrive there, too */
      readonly peers: readonly {
        readonly address: Address;
        /** `02:00:00:00:00:01`; undefined: the commands look it up */
        readonly mac: string | undefined;
      }[];
      readonly marks: readonly {
        readonly service: VirtualEndpoint;
        readonly mark: number;
      }[];
    }
  | {
      readonly kind: "rules";
      /** Command lines of `ipvsadm -R` */
      readonly lines: readonly string[];
      /** Command lines that take them back */
      readonly undo: readonly string[];
    };

/** What one machine needs, in the order in which it must be done. */
export interface Machine {
  /** `director`, `backup`, or the address of a real server */
  readonly name: string;
  /** Sentences that an administrator must know and no command can do */
  readonly remarks: readonly string[];
  readonly steps: readonly Step[];
}
