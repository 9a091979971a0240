import { METHODS } from "../../doctor/real-server/methods.js";
import type { SubcommandSpec } from "../../cli/spec.js";

export const doctorSpec: SubcommandSpec = {
  name: "doctor",
  summary: "find out why a director or a real server fails",
  description: [
    "Finds out why traffic fails. On a director it compares the machine's settings with the IPVS table: modules, forwarding, addresses, routes, neighbors, sysctls, firewall rules, counters and the connection table. Each finding has an id, what was seen, why it matters, and how to fix it. Causes are ordered by severity, proven ones first, then by service and server as in list. A finding marked (likely) is not proven: what was seen fits it, and may have another cause.",
    "An error is traffic that fails now. A warning is traffic that may fail. A note is worth knowing. A command under Fix removes exactly this cause; its effect is what else it changes. A command under Next finds the cause, mostly on another machine; it changes nothing. Words in capitals, such as CLIENT, stand for what you know. Fixes last until reboot; 'ipvsadm setup' prints the files that keep settings. The last line counts findings: one with several services or servers counts once. Not checked lists what doctor did not or could not check.",
    "A real server has no table, so --real-server names its services, as the director lists them. Doctor checks whether the server has the virtual address and does not answer for it, whether a program listens, and whether requests arrive and answers leave. --method, --tun-port, --tun-csum, --director, --client, --server and --hardware-address let it check more.",
    "--client on a director follows one client: which firewall rules its packets meet, up to which size packets fit into a tunnel, which rules set the marks of services for them, its connections with their states, their servers and counters, and the step where they stop. Counters of packets that the kernel lost meanwhile are listed too, if the client is not answered; those of fragments also if it is. Connections that began meanwhile are judged apart from older ones.",
    "If tcpdump is installed, --client also looks at packets: by which interfaces requests and answers come in and leave, who resets, which ICMP errors come, which requests no service takes, and whether large packets get lost where small ones pass. With --real-server, --client and --for it does the same on a real server. tcpdump runs without promiscuous mode, and sees the client's packets, those in tunnels too, and ICMP errors about them. What packets show replaces what would be concluded from entries.",
    "--probe sends packets to the real servers: a TCP connection that is closed at once, or an empty datagram to a UDP service; and to UDP port 33434 of each server, where no program listens, an empty datagram and one of the full size that the director sends there. A server answers both with an ICMP message, if no firewall drops them. If only the small ones are answered, three times in turn, the network drops large packets without a message, and smaller sizes are tried. That takes some seconds more.",
    "On a director with a backup sync daemon, doctor listens for the master's messages and compares them with what the daemon accepts. A master with few clients sends a message only now and then: --probe, --client and --for listen longer. A message that the backup accepts ends the listening.",
    "Doctor changes no setting and loads no module. It exits with status 1 if there is an error. ipvsadm-doctor(8) explains each finding.",
  ],
  positionals: [
    {
      name: "SERVICE",
      required: false,
      many: true,
      description: "check only these services, and the machine",
      completes: "service",
    },
  ],
  options: [
    {
      name: "real-server",
      type: "list",
      value: "SERVICE",
      description:
        "check this machine as a real server of these services or virtual addresses",
      completes: "service",
    },
    {
      name: "method",
      type: "text",
      value: "METHOD",
      choices: METHODS,
      description:
        "the forwarding method of the director; default: every method that this machine may be set up for",
    },
    {
      name: "tun-port",
      type: "integer",
      value: "PORT",
      minimum: 1,
      maximum: 65535,
      description:
        "with --method gue: the UDP port to which the director sends, its --tun-port",
    },
    {
      name: "tun-csum",
      type: "flag",
      description:
        "with --method gre: the director sends checksums, because it has --tun-csum",
    },
    {
      name: "director",
      type: "text",
      value: "ADDRESS",
      description: "the director's address, as this real server sees it",
    },
    {
      name: "server",
      type: "text",
      value: "ADDRESS:PORT",
      description:
        "this real server's address and port, as the director lists it; for masquerading",
    },
    {
      name: "hardware-address",
      type: "text",
      value: "ADDRESS",
      description:
        "with --server: the hardware address at which the director reaches it, to see whether another machine has the address too",
    },
    {
      name: "probe",
      type: "flag",
      description:
        "connect from the director to each real server that gets packets, and try whether the network carries packets of full size to it; with --real-server: whether it carries them to the director and to routers",
    },
    {
      name: "client",
      type: "text",
      value: "ADDRESS",
      description:
        "with --real-server: a client, to check its requests and the answers to it, and with --for its packets; without: follow this client through the director",
    },
    {
      name: "for",
      type: "duration",
      value: "DURATION",
      description:
        "how long to follow --client (10s), or to listen for sync messages on a backup director (1.5s; with --probe, 15s); with --real-server: how long to look at packets of --client",
    },
    {
      name: "output",
      alias: "o",
      type: "text",
      value: "FORMAT",
      choices: ["table", "json"],
      default: "table",
      description: "output format",
    },
    {
      name: "only",
      type: "list",
      value: "ID",
      description: "check only for these findings",
    },
    {
      name: "skip",
      type: "list",
      value: "ID",
      description: "do not check for these findings",
    },
    {
      name: "explain",
      type: "text",
      value: "ID",
      description: "explain a finding; checks nothing",
    },
    {
      name: "list",
      type: "flag",
      description: "list all kinds of findings; checks nothing",
    },
  ],
  examples: [
    { command: "ipvsadm doctor", shows: "what is wrong, most severe first" },
    {
      command: "ipvsadm doctor --probe",
      shows:
        "the same, whether real servers accept connections, and which sizes of packets get there",
    },
    {
      command: "ipvsadm doctor --client 198.51.100.7 --for 30s",
      shows: "how far the packets of one client get",
    },
    {
      command: "ipvsadm doctor --for 1m",
      shows:
        "on a backup director: what is wrong, and whether it accepts the master's sync messages",
    },
    {
      command: "ipvsadm doctor tcp/192.0.2.1:80 --skip all-drained",
      shows: "the machine and one service, without a known finding",
    },
    {
      command: "ipvsadm doctor --explain forwarding-off",
      shows: "why it matters, what is checked, and how to fix it",
    },
    {
      command: "ipvsadm doctor --real-server tcp/192.0.2.1:80",
      shows: "what is wrong with this real server of that service",
    },
    {
      command: "ipvsadm doctor --real-server 192.0.2.1 --method tunnel",
      shows: "the same behind a tunnel, for any port",
    },
  ],
};
