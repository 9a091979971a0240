import type { SubcommandSpec } from "../../cli/spec.js";

/** What drain and undrain are about. */
export const SERVER_OF_SERVICE: SubcommandSpec["positionals"] = [
  {
    name: "SERVICE",
    required: true,
    description: "192.0.2.1:80, tcp/192.0.2.1, udp/[2001:db8::1]:53, fwm/7",
    completes: "service",
  },
  {
    name: "SERVER",
    required: true,
    description: "its real server: 198.51.100.10:8080, 198.51.100.10",
    completes: "server",
  },
];

/** How drain and undrain print what they did. */
export const OUTPUT_FORMAT: SubcommandSpec["options"][number] = {
  name: "output",
  alias: "o",
  type: "text",
  value: "FORMAT",
  choices: ["text", "json"],
  default: "text",
  description: "how to print what was done",
};

export const drainSpec: SubcommandSpec = {
  name: "drain",
  summary: "no new connections for a real server; wait, remove",
  description: [
    "Sets the weight of a real server to 0, and leaves all else of it as it is: it gets no new connections, and those that it has go on. 'ipvsadm undrain' brings its weight back, which is remembered until the machine starts anew.",
    "--wait waits until it is empty: no active connections, and no clients that persistence binds to it. For UDP and for firewall marks inactive connections are waited for as well, because those of UDP are never active. Inactive connections of TCP and SCTP are those that are being closed, whose entries stay for two minutes, and those that are being opened: so a server counts as empty when two readings, a second apart, find it so.",
    "Clients that persistence binds keep coming, weight 0 or not, unless net.ipv4.vs.expire_quiescent_template is 1. Either way they count as long as the service's persistence timeout, and as entries of their connections stand.",
    "If waiting ends before the server is empty, by --timeout (exit status 1) or ctrl-C (130), it stays at weight 0; what stands is said.",
  ],
  positionals: SERVER_OF_SERVICE,
  options: [
    {
      name: "wait",
      type: "flag",
      description: "wait until the server is empty",
    },
    {
      name: "timeout",
      type: "duration",
      value: "TIME",
      description:
        "wait at most so long: 90s, 5m, 1h30m; a number alone is seconds",
    },
    {
      name: "remove",
      type: "flag",
      description: "wait, then remove the server",
    },
    OUTPUT_FORMAT,
  ],
  examples: [
    {
      command: "ipvsadm drain tcp/192.0.2.1:80 198.51.100.10",
      shows: "no new connections from now on",
    },
    {
      command: "ipvsadm drain fwm/7 198.51.100.10 --remove --timeout 1h",
      shows: "takes the server away when its last client has left",
    },
    {
      command: "ipvsadm list --state draining",
      shows: "the servers that are drained, and what they still have",
    },
  ],
};
