import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { MachineExaminer } from "../../../src/commands/fleet/agent/machine-examiner.js";
import { TCP } from "../../../src/ipvs/model.js";
import { ENETUNREACH } from "../../../src/netlink/errno.js";
import { NETLINK_ROUTE } from "../../../src/netlink/link.js";
import { runIn } from "../../classic/scripted-io.js";
import {
  GET_SERVERS,
  GET_SERVICE,
  scriptedKernel,
} from "../../classic/scripted-kernel.js";
import { connectionLine, TITLE } from "../../fixtures/connections.js";
import {
  address,
  addressKey,
  serverEntry,
  serviceEntry,
  stats,
} from "../../fixtures/entries.js";
import { ack, done, ScriptedLink } from "../../netlink/scripted-link.js";
import { TIMEOUTS } from "../../fixtures/replies.js";
import { answersFrom } from "../../fixtures/table-kernel.js";

const GET_CONFIG = 13;

/** A machine with one service, whose kernel counts connections. */
class Machine {
  readonly folder: string;
  connections = 1000n;
  seconds = 100;
  isEmpty = false;

  constructor(t: TestContext) {
    this.folder = mkdtempSync(join(tmpdir(), "machine-examiner-"));
    t.after(() => {
      rmSync(this.folder, { recursive: true });
    });
    mkdirSync(join(this.folder, "module/ip_vs"), { recursive: true });
    writeFileSync(join(this.folder, "module/ip_vs/refcnt"), "0\n");
  }

  get connectionsFile(): string {
    return join(this.folder, "ip_vs_conn");
  }

  /** The machine has settings. */
  sysctls(): void {
    mkdirSync(join(this.folder, "sys/net/ipv4"), { recursive: true });
    writeFileSync(join(this.folder, "sys/net/ipv4/ip_forward"), "0\n");
  }

  /** So many connections wait in SYN_RECV, for 5 seconds. */
  waiting(count: number): void {
    const lines = Array.from({ length: count }, (_, i) =>
      connectionLine({
        protocol: "TCP",
        client: address("198.51.100.7"),
        clientPort: 20_000 + i,
        virtual: address("192.0.2.1"),
        virtualPort: 80,
        server: address("10.0.0.11"),
        serverPort: 80,
        state: "SYN_RECV",
        expiresSeconds: 55,
      }),
    );
    writeFileSync(this.connectionsFile, `${[TITLE, ...lines].join("\n")}\n`);
  }

  /** Does something with an examiner of this machine. */
  async examine(
    work: (examiner: MachineExaminer) => Promise<void>,
  ): Promise<void> {
    const link = scriptedKernel((command, asked) => {
      if (command === GET_CONFIG) return { messages: [TIMEOUTS] };
      if (command !== GET_SERVICE && command !== GET_SERVERS) return {};
      const service = serviceEntry(addressKey(TCP, "192.0.2.1", 80), {}, [
        serverEntry("10.0.0.11", 80),
      ]);
      const { connections } = this;
      const all = [{ ...service, stats: stats({ connections }) }];
      return answersFrom(this.isEmpty ? [] : all)(command, asked);
    });
    await runIn(
      {
        link,
        io: {
          procFolder: this.folder,
          sysFolder: this.folder,
          connectionsFile: this.connectionsFile,
          openLink: (family) =>
            family === NETLINK_ROUTE ? emptyNetwork() : link,
          clock: {
            now: () => this.seconds * 1000,
            every: () => () => undefined,
            sleep: () => Promise.resolve(),
          },
        },
      },
      async (io) => {
        await work(new MachineExaminer(io));
        return 0;
      },
    );
  }
}

/** A machine without interfaces and routes. */
function emptyNetwork(): ScriptedLink {
  const DUMP = 0x300;
  return new ScriptedLink((requests) =>
    requests.map((sent) =>
      (sent.flags & DUMP) === 0 ? ack(sent, ENETUNREACH) : done(sent),
    ),
  );
}

const CONNECTIONS = { id: "x", doctor: false, connections: true };

test("MachineExaminer counts failing connections since the revision was applied, for at most a minute", async (t) => {
  const machine = new Machine(t);
  await machine.examine(async (examiner) => {
    await examiner.begin();
    machine.seconds += 10;
    machine.connections += 20n;
    machine.waiting(8);
    const first = await examiner.examine(CONNECTIONS);
    assert.deepEqual(first, {
      doctor: undefined,
      connections: {
        seconds: 10,
        worst: { service: "tcp/192.0.2.1:80", opened: 20, failing: 8 },
      },
      fault: undefined,
    });
    // Older readings are not used, unless there is no other.
    for (const [after, seconds, opened] of [
      [50, 60, 120],
      [60, 60, 100],
      [20, 20, 100],
      [70, 70, 100],
    ] as const) {
      machine.seconds += after;
      machine.connections += 100n;
      const { connections } = await examiner.examine(CONNECTIONS);
      assert.deepEqual(
        [connections?.seconds, connections?.worst?.opened],
        [seconds, opened],
      );
    }
  });
});

test("MachineExaminer says why it cannot count connections", async (t) => {
  const machine = new Machine(t);
  await machine.examine(async (examiner) => {
    await examiner.begin();
    const { connections, fault } = await examiner.examine(CONNECTIONS);
    assert.equal(connections, undefined);
    assert.match(fault ?? "", /ip_vs_conn cannot be read \(No such file/);
  });
});

test("MachineExaminer does not say that doctor found no error if it could not read the connections", async (t) => {
  const machine = new Machine(t);
  machine.isEmpty = true;
  machine.sysctls();
  const request = { id: "x", doctor: true, connections: false };
  await machine.examine(async (examiner) => {
    await examiner.begin();
    const { doctor, fault } = await examiner.examine(request);
    assert.deepEqual([doctor?.errors ?? 0, doctor], [0, undefined]);
    assert.match(fault ?? "", /ip_vs_conn cannot be read \(No such file/);
    machine.waiting(0);
    const read = await examiner.examine(request);
    assert.deepEqual([read.doctor?.errors, read.fault], [0, undefined]);
  });
});

test("MachineExaminer says that IPVS is not in the kernel", async (t) => {
  const machine = new Machine(t);
  await machine.examine(async (examiner) => {
    await examiner.begin();
    rmSync(join(machine.folder, "module"), { recursive: true });
    machine.sysctls();
    const result = await examiner.examine({ ...CONNECTIONS, doctor: true });
    assert.deepEqual(result, {
      doctor: undefined,
      connections: undefined,
      fault: "IPVS is not in the kernel",
    });
  });
});
