import { TCP } from "../../ipvs/model.js";
import { check } from "../check.js";
import type { Finding, Fix } from "../finding.js";
import type { HeldListener } from "./held-listeners.js";
import { servicesThere } from "./listening.js";
import { endpointName } from "./real-server.js";

/** Programs that listen and do not accept connections. */
export const unaccepted = check(
  ["connections-unaccepted"],
  ["realServer", "unaccepted"],
  ({ realServer, unaccepted: all, heldListeners = [] }) => {
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
      const held = heldListeners.filter((one) => one.port === port);
      const subject = endpointName({ ...service, protocol: TCP });
      found.set(subject, {
        id: "connections-unaccepted",
        subject,
        seen: `${count} ${count === 1 ? "connection" : "connections"} to port ${port} ${count === 1 ? "waits" : "wait"} for a program to accept ${count === 1 ? "it" : "them"}, for more than three seconds`,
        evidence: held.map(stateText),
        ...(held.some(({ state }) => state === "traced")
          ? {
              cure: "Let the debugger go on with the program, or detach it.",
            }
          : {}),
        next: [
          {
            command: `ss -ltnp sport = :${port}`,
            effect:
              "changes nothing; names the program; Recv-Q is the number of waiting connections, Send-Q the most that may wait",
          },
        ],
        fix: held.flatMap(goOn),
      });
    }
    return [...found.values()];
  },
);

/** Why a program does not run. */
function stateText({ pid, name, state, tracer }: HeldListener): string {
  const program = `program ${name} (PID ${pid}), which listens there,`;
  switch (state) {
    case "stopped":
      return `${program} is stopped (state T)`;
    case "traced":
      return `${program} is held by a debugger${tracer ? `: ${tracer.name} (PID ${tracer.pid})` : ""}`;
    case "waits":
      return `${program} waits in the kernel (state D), mostly for a disk or a network file system that does not answer`;
  }
}

/** Lets a stopped program go on. A debugger would stop it again, or lose its place. */
function goOn({ pid, name, state }: HeldListener): Fix[] {
  return state === "stopped"
    ? [
        {
          command: `kill -CONT ${pid}`,
          effect: `${name} goes on, and accepts the connections that wait; who stopped it may have had a reason`,
        },
      ]
    : [];
}
