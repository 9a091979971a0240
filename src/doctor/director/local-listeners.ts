import { LOCAL_NODE, TCP, UDP } from "../../ipvs/model.js";
import { check } from "../check.js";
import { ofServer } from "../commands.js";
import type { Finding } from "../finding.js";
import { isLocal } from "../network.js";
import { unheard } from "../real-server/listening.js";

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
        .filter(
          ({ key: { address: own }, settings: { forwarding, weight } }) =>
            weight > 0 &&
            (forwarding === LOCAL_NODE || isLocal(network, own) === true),
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
