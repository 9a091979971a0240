import { ACCESS_OPTIONS } from "../../http/access-specs.js";
import type { SubcommandSpec } from "../../cli/spec.js";
import { SERIES } from "../metrics/series.js";

export const serveSpec: SubcommandSpec = {
  name: "serve",
  summary: "serve a statistics page, JSON and metrics over HTTP",
  description: [
    "Serves a page that shows services, real servers, their rates and recent changes live, until a signal arrives. The page changes nothing: the server answers GET and HEAD only. The table is read once an interval for all clients. The page keeps 15 minutes of rates and the last 500 changes since the start.",
    "The default address is 127.0.0.1:9101. Any other address than loopback or a Unix socket needs --token-file. A browser asks for a user name and a password: the password is the token, the user name is ignored. Without --cert and --key, everyone on the network path can read the token, so serve warns. The owner and the group of a Unix socket may connect.",
    "Requests for an unknown host name are refused, because a page on another site could point a name of its own at this server. Use --host-name for names that are not in the certificate.",
    "At most 256 connections and 64 open pages are served. A client that does not read for 30 seconds is disconnected. Files are read at the start: restart after you renew a certificate. If the table cannot be read, the page says since when, and the others answer 503 with the reason.",
    "With --fleet, the page, the metrics and the API also have the directors that 'ipvsadm fleet' manages. etcd is read at most every 5 seconds, and every 30 seconds if nobody asks. If it cannot be read, the page says why, and shows the last state with its age. The role ipvsadm-viewer is enough.",
    "If systemd starts it with Type=notify and NotifyAccess=all, it reports when it is ready and serves the watchdog. That needs the program systemd-notify.",
  ],
  positionals: [],
  options: [
    {
      name: "listen",
      type: "text",
      value: "ADDRESS",
      default: "127.0.0.1:9101",
      description:
        "serve here: 9101, 192.0.2.1:9101, [::]:9101, or a Unix socket: unix:/run/ipvsadm.sock",
    },
    {
      name: "interval",
      alias: "i",
      type: "number",
      value: "SECONDS",
      minimum: 0.5,
      maximum: 3600,
      default: "2",
      description: "read the table at this interval",
    },
    ...ACCESS_OPTIONS,
    {
      name: "fleet",
      type: "text",
      value: "FILE",
      description:
        "also show the directors of a fleet; FILE says how to reach etcd, as /etc/ipvsadm/fleet.yaml",
      completes: "file",
    },
    {
      name: "series",
      type: "text",
      value: "WHICH",
      choices: SERIES,
      default: "all",
      description: "which metrics /metrics has, as in 'ipvsadm metrics'",
    },
  ],
  terms: [
    {
      title: "Paths",
      terms: [
        ["/", "the page, one HTML file that loads nothing from elsewhere"],
        ["/metrics", "the output of 'ipvsadm metrics'"],
        ["/api/v1/table", "the output of 'ipvsadm list -o json'"],
        [
          "/api/v1/connections/top?by=client&limit=10",
          "the output of 'ipvsadm connections --top client 10 -o json', at most 5 seconds old; client=198.51.100.7 counts the connections of one client or network",
        ],
        [
          "/api/v1/doctor",
          "the output of 'ipvsadm doctor -o json', at most a minute old",
        ],
        [
          "/api/v1/fleet",
          "with --fleet: the output of 'ipvsadm fleet status -o json', at most 5 seconds old, or with the reason why it is older",
        ],
        [
          "/api/v1/history?service=tcp/192.0.2.1:80&servers=1",
          "the rates of the last 15 minutes, in slots of 5 seconds; machine=10.0.0.11 adds up all servers of a machine",
        ],
        [
          "/api/v1/events",
          "server-sent events: the whole table first, then what each reading changed",
        ],
      ],
    },
  ],
  examples: [
    {
      command: "ipvsadm serve",
      shows: "the page at http://127.0.0.1:9101/ on this machine",
    },
    {
      command: "ipvsadm serve --listen 9443 --cert lb.pem --key lb.key",
      shows: "the page with HTTPS on this machine",
    },
    {
      command: "ipvsadm serve --listen [::]:9101 --token-file token",
      shows: "the page for other machines, for those who have the token",
    },
    {
      command: "ipvsadm serve --fleet /etc/ipvsadm/fleet.yaml",
      shows: "the page with all directors of the fleet",
    },
    {
      command: "ipvsadm serve --listen unix:/run/ipvsadm/serve.sock",
      shows: "the page for a reverse proxy on this machine",
    },
  ],
};
