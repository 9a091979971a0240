import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionWatch } from "../../../../src/doctor/director/client/connections.js";
import type { Connection } from "../../../../src/ipvs/connections.js";
import { address } from "../../../fixtures/entries.js";

const SECOND = 1000;

function connection(
  clientPort: number,
  state: string,
  expiresSeconds: number,
): Connection {
  return {
    protocol: "TCP",
    client: address("192.0.2.7"),
    clientPort,
    virtual: address("192.0.2.1"),
    virtualPort: 80,
    server: address("10.0.0.11"),
    serverPort: 80,
    state,
    expiresSeconds,
  };
}

/** What is known after looks at these times, each of which takes 100 ms. */
function watched(
  looks: Readonly<Record<number, readonly Connection[]>>,
): string[] {
  const watch = new ConnectionWatch();
  for (const [time, connections] of Object.entries(looks))
    watch.look(connections, Number(time), Number(time) + 100);
  return watch.connections.map(
    ({ connection: { clientPort, state }, use, stateSeconds }) =>
      `${clientPort} ${state} ${use} ${stateSeconds}`,
  );
}

test("ConnectionWatch tells new connections from older ones, and says since when they are in their state", () => {
  assert.deepEqual(
    watched({
      0: [connection(1, "ESTABLISHED", 899)],
      [SECOND]: [
        connection(1, "ESTABLISHED", 898),
        connection(2, "SYN_RECV", 59),
      ],
      [3 * SECOND]: [
        connection(1, "ESTABLISHED", 896),
        connection(2, "SYN_RECV", 57),
        connection(3, "ESTABLISHED", 899),
      ],
    }),
    ["1 ESTABLISHED idle 3.1", "2 SYN_RECV new 2.1", "3 ESTABLISHED new 0.1"],
  );
});

test("ConnectionWatch sees packets by the time to expire, and by the state", () => {
  const after = (seconds: number, state: string, expires: number) =>
    watched({
      0: [connection(1, "SYN_RECV", 59)],
      [seconds * SECOND + 100]: [connection(1, state, expires)],
    });
  assert.match(after(4, "SYN_RECV", 55).join(), /SYN_RECV idle/);
  assert.match(after(4, "SYN_RECV", 54).join(), /SYN_RECV idle/);
  assert.match(after(4, "SYN_RECV", 56).join(), /SYN_RECV used/);
  assert.match(after(4, "SYN_RECV", 59).join(), /SYN_RECV used/);
  // A slow reader makes no packet: at 3.9 s the entry may have 55.9 s.
  assert.match(after(3.9, "SYN_RECV", 55).join(), /SYN_RECV idle/);
  assert.equal(after(4, "CLOSE", 9).join(), "1 CLOSE used 0.1");
});

test("ConnectionWatch takes a port that begins again for a new connection, and no gap in the listing", () => {
  const again = {
    0: [connection(1, "TIME_WAIT", 100)],
    [SECOND]: [connection(1, "SYN_RECV", 59)],
  };
  assert.deepEqual(watched(again), ["1 SYN_RECV new 0.1"]);
  const gap = {
    0: [connection(1, "ESTABLISHED", 899)],
    [SECOND]: [],
    [2 * SECOND]: [connection(1, "ESTABLISHED", 897)],
  };
  assert.deepEqual(watched(gap), ["1 ESTABLISHED idle 2.1"]);
  assert.deepEqual(
    watched({ 0: [connection(1, "FIN_WAIT", 9)], [SECOND]: [] }),
    ["1 FIN_WAIT idle 0.1"],
  );
});
