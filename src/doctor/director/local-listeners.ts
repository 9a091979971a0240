import { LOCAL_NODE, TCP, UDP } from "../../ipvs/model.js";
import { check } from "../check.js";
import { ofServer } from "../commands.js";
import type { Finding } from "../finding.js";
import { isLocal } from "../network.js";
import { unheard } from "../real-server/listening.js";
import { isServing } from "./reach.js";

/** Real servers that are this machine itself, where no program gets the requests. */
export const localListeners = check(
  ["local-nobody-listens"],
  ["table", "network", "listeners"],
  ({ table, network, listeners }) =>
    table.flatMap((service): Finding<"local-nobody-listens">[] => {
      const { key, servers } = service;
      if ("firewallMark" in key || key.port === 0) return [];
      const { address, port, protocol } = key;
      if (protocol !== TCP && protocol !== UDP) return [];
      return servers
        .filter(isServing)
        .filter(
          (server) =>
            server.settings.forwarding === LOCAL_NODE ||
            isLocal(network, server.key.address) === true,
        )
        .flatMap((server) =>
          unheard(listeners, { protocol, address, port }, false).map(
            (finding) => ({
              ...finding,
              id: "local-nobody-listens",
              ...ofServer(service, server),
            }),
          ),
        );
    }),
);
