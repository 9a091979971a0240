import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, suite, test } from "node:test";
import { eventually } from "../lab/eventually.js";
import { startServer, type Server } from "../lab/http.js";
import { buildNetwork, DIRECTOR, type Network } from "../lab/network.js";
import { ours } from "../lab/program.js";
import { alike } from "./contenders.js";
import { unprepared } from "./machine.js";
import { bash } from "./shell.js";
import { addRules } from "./table.js";

const VIP = "192.0.2.1";
const SERVER = "10.1.0.11";

suite("scripts that read the connection list", { skip: unprepared() }, () => {
  let network: Network;
  let server: Server;
  before(async () => {
    network = buildNetwork({
      [DIRECTOR]: { addresses: { lan: ["10.1.0.1/24"], lo: [`${VIP}/32`] } },
      web: {
        addresses: { lan: [`${SERVER}/24`] },
        routes: ["default via 10.1.0.1"],
      },
    });
    server = await startServer("web", [80]);
  });
  after(async () => {
    await server.stop();
    network[Symbol.dispose]();
  });

  test("grep and awk count the established connections", async () => {
    const { stdout } = await alike(() =>
      withConnections(3, () =>
        bash(`
          ipvsadm -Lnc | grep -c ESTABLISHED
          ipvsadm -lnc | awk '$3 == "ESTABLISHED" {print $5, $6}' | sort | uniq -c | sed 's/^ *//'
          ipvsadm -Ln | awk '$2 == "${SERVER}:80" {print $5}'`),
      ),
    );
    assert.equal(stdout, `3\n3 ${VIP}:80 ${SERVER}:80\n3\n`);
  });

  test("tail removes the header of the connection list", async () => {
    const { stdout } = await alike(() =>
      withConnections(1, () =>
        bash(`
          ipvsadm -Lnc | tail -n +3 | grep -v WAIT | while read -r protocol _ state _ virtual _; do
            echo "$protocol $state $virtual"
          done`),
      ),
    );
    assert.equal(stdout, `TCP ESTABLISHED ${VIP}:80\n`);
  });
});

/** Does something while a number of connections goes through the director to the server. */
async function withConnections<T>(count: number, act: () => T): Promise<T> {
  await addRules(
    `-A -t ${VIP}:80 -s rr\n-a -t ${VIP}:80 -r ${SERVER}:80 -m -w 1\n`,
  );
  const sockets: Socket[] = [];
  try {
    while (sockets.length < count) sockets.push(await openConnection());
    await established(count);
    return act();
  } finally {
    for (const socket of sockets) socket.destroy();
    await established(0);
  }
}

async function openConnection(): Promise<Socket> {
  const socket = connect(80, VIP);
  await once(socket, "connect");
  return socket;
}

/** Waits until the kernel counts a number of connections in a state. */
async function established(count: number): Promise<void> {
  const read = async () => {
    const { stdout } = await ours(["-Lnc"]);
    return stdout.split("ESTABLISHED").length - 1;
  };
  assert.equal(await eventually(read, (found) => found === count), count);
}
