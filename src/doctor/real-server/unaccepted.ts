import { TCP } from "../../ipvs/model.js";
import { check } from "../check.js";
import type { Finding } from "../finding.js";
import { servicesThere } from "./listening.js";
import { endpointName } from "./real-server.js";

/** Programs that listen and do not accept connections. */
export const unaccepted = check(
  ["connections-unaccepted"],
  ["realServer", "unaccepted"],
  ({ realServer, unaccepted: all }) => {
    // Without the method, requests arrive at the virtual address or at one of the server's own.
    const found = new Map<string, Finding<"connections-unaccepted">>();
    const services =
      realServer.method === "masq"
        ? servicesThere(realServer)
        : realServer.services;
    for (const service of services) {
      const { protocol, port } = service;
      if (port === undefined || (protocol ?? TCP) !== TCP) continue;
      const count = all.filter((one) => one.port === port).length;
      if (count === 0) continue;
      const subject = endpointName({ ...service, protocol: TCP });
      found.set(subject, {
        id: "connections-unaccepted",
        subject,
        seen: `${count} ${count === 1 ? "connection" : "connections"} to port ${port} ${count === 1 ? "waits" : "wait"} for a program to accept ${count === 1 ? "it" : "them"}, for more than three seconds`,
        next: [
          {
            command: `ss -ltnp sport = :${port}`,
            effect:
              "changes nothing; names the program; Recv-Q is the number of waiting connections, Send-Q the most that may wait",
          },
        ],
        fix: [],
      });
    }
    return [...found.values()];
  },
);
