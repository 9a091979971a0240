import assert from "node:assert/strict";
import { test } from "node:test";
import { localListeners } from "../../../src/doctor/director/local-listeners.js";
import type { Listener } from "../../../src/doctor/real-server/listeners.js";
import {
  DIRECT_ROUTING,
  LOCAL_NODE,
  TCP,
  UDP,
  type ServerEntry,
} from "../../../src/ipvs/model.js";
import { address, serverEntry } from "../../fixtures/entries.js";
import { network, route } from "../made-up-network.js";
import { serviceAt } from "../made-up.js";

const HERE = serverEntry("192.0.2.2", 8080, { forwarding: LOCAL_NODE });

function listener(text: string, port = 80, protocol = TCP): Listener {
  return {
    protocol: protocol === UDP ? UDP : TCP,
    address: address(text),
    port,
  };
}

function found(listeners: readonly Listener[], server: ServerEntry = HERE) {
  return localListeners.examine({
    table: [serviceAt("192.0.2.1", [server])],
    network: network([
      route("192.0.2.2", "local", 1),
      route("192.0.2.10", "unicast", 1),
    ]),
    listeners,
  });
}

test("localListeners: requests to a local server go to the virtual address and the port of the service", () => {
  const [own] = found([listener("192.0.2.2")]);
  assert.equal(own?.subject, "192.0.2.2:8080 of tcp/192.0.2.1:80");
  assert.equal(own.seen, "programs listen at this port only at 192.0.2.2");
  const [other] = found([listener("0.0.0.0", 8080)]);
  assert.equal(other?.seen, "no program listens at this port");
  assert.equal(found([listener("0.0.0.0", 80, UDP)]).length, 1);
  const direct = {
    ...HERE,
    settings: { ...HERE.settings, forwarding: DIRECT_ROUTING },
  } as const;
  assert.equal(found([], direct).length, 1);
});

test("localListeners is silent if a program gets the requests, for other machines, and without weight", () => {
  assert.deepEqual(found([listener("0.0.0.0")]), []);
  assert.deepEqual(found([listener("::")]), []);
  assert.deepEqual(found([listener("192.0.2.1")]), []);
  const elsewhere = serverEntry("192.0.2.10", 80, {
    forwarding: DIRECT_ROUTING,
  });
  assert.deepEqual(found([], elsewhere), []);
  const drained = { ...HERE, settings: { ...HERE.settings, weight: 0 } };
  assert.deepEqual(found([], drained), []);
});
