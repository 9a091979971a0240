import type { SubcommandSpec } from "../../cli/spec.js";

export const SETUP_FORMATS = [
  "shell",
  "sysctl",
  "networkd",
  "iptables",
  "nft",
] as const;

export const setupSpec: SubcommandSpec = {
  name: "setup",
  summary: "print what each machine needs so that it forwards",
  description: [
    "Reads a table from FILE, or from the kernel, and prints what the director, each real server and a backup director need: modules, sysctls, addresses, tunnels, routes, firewall rules and the table itself. It changes nothing. Run the commands as root on the machine that the comment above them names.",
    "The format shell prints commands, which last until reboot. The other formats print the files that make the same set-up permanent, each with its path: sysctl (modules-load.d, modprobe.d and sysctl.d), networkd (systemd-networkd: addresses, tunnels, routes), iptables and nft (marks and SNAT). The table itself lasts with ipvsadm-save or 'ipvsadm save'.",
    "A table does not name the machines around it. --director is needed for masqueraded servers, whose answers must go through the director, and for --full-nat.",
    "If two directors are real servers of each other, each would balance the packets that the other one sends to it. For a director and its backup, setup prints backup_only and the sync daemons. If both balance at the same time, --active-active turns the services into services of firewall marks: a packet gets a mark, unless it comes from the MAC address of the other director.",
  ],
  positionals: [
    {
      name: "FILE",
      required: false,
      description:
        "rules, JSON or YAML, or a configuration of keepalived or ldirectord; - is standard input; default: the kernel's table",
      completes: "file",
    },
  ],
  options: [
    {
      name: "for",
      type: "list",
      value: "MACHINE",
      description:
        "only these machines: director, backup, or the address of a real server",
    },
    {
      name: "output",
      alias: "o",
      type: "text",
      value: "FORMAT",
      choices: SETUP_FORMATS,
      default: "shell",
      description: "how to print it",
    },
    {
      name: "undo",
      type: "flag",
      description:
        "print the commands that take everything back; sysctls get the kernel's defaults, the default route is restored",
    },
    {
      name: "director",
      type: "list",
      value: "ADDRESS",
      description:
        "the director's own address in the network of the real servers; once for IPv4 and once for IPv6",
    },
    {
      name: "backup",
      type: "list",
      value: "ADDRESS",
      description: "the same of a second director, if there is one",
    },
    {
      name: "active-active",
      type: "flag",
      description:
        "both directors balance at the same time, as real servers of each other: firewall marks keep packets from being balanced twice",
    },
    {
      name: "mac",
      type: "list",
      value: "ADDRESS=MAC",
      description:
        "the MAC address of a director, for --active-active; one is enough for both families; default: the commands look it up for each",
    },
    {
      name: "interface",
      type: "text",
      value: "NAME",
      default: "eth0",
      description: "the director's interface for the virtual addresses",
    },
    {
      name: "server-interface",
      type: "text",
      value: "NAME",
      description:
        "the director's interface for the real servers, if it is another one",
    },
    {
      name: "full-nat",
      type: "flag",
      description:
        "masquerade the client's address too, so that servers need no route through the director",
    },
    {
      name: "mark",
      type: "list",
      value: "MARK=SERVICE",
      description:
        "packets to SERVICE get this firewall mark, such as 7=tcp/192.0.2.1:80",
    },
  ],
  examples: [
    {
      command: "ipvsadm setup web.rules --director 10.0.0.10",
      shows: "the commands for the director and for each real server",
    },
    {
      command: "ipvsadm setup web.rules --for 10.0.0.11",
      shows: "the commands for one real server",
    },
    {
      command: "ipvsadm setup web.rules --for 10.0.0.11 -o networkd",
      shows: "the files of systemd-networkd that make them permanent",
    },
    {
      command: "ipvsadm setup web.rules --full-nat --director 10.0.0.10",
      shows: "full NAT with a mainline kernel: also the SNAT rules",
    },
  ],
  printsData: true,
};
