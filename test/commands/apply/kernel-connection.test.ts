import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { INET } from "../../../src/ipvs/address.js";
import {
  TCP,
  type ServiceKey,
  type ServiceWithServers,
} from "../../../src/ipvs/model.js";
import { EBADF } from "../../../src/netlink/errno.js";
import { SocketFault } from "../../../src/netlink/errors.js";
import {
  scriptedKernel,
  GET_SERVERS,
  GET_SERVICE,
} from "../../classic/scripted-kernel.js";
import { address, serverEntry, serviceEntry } from "../../fixtures/entries.js";
import { answersFrom } from "../../fixtures/table-kernel.js";
import type { ScriptedLink } from "../../netlink/scripted-link.js";
import { subcommand } from "../run-subcommand.js";

const folder = mkdtempSync(join(tmpdir(), "connection-"));

function tableOf(...weights: readonly number[]): ServiceWithServers[] {
  const web: ServiceKey = {
    family: INET,
    protocol: TCP,
    address: address("192.0.2.1"),
    port: 80,
  };
  const servers = weights.map((weight, i) =>
    serverEntry(`10.0.0.${i + 1}`, 80, { weight }),
  );
  return [serviceEntry(web, {}, servers)];
}

/** A kernel that shows the next of these tables after each change. Its socket fails at change number `lasts`. */
function kernelOf(
  [before = [], ...next]: readonly ServiceWithServers[][],
  lasts = Infinity,
): ScriptedLink {
  let table = before;
  let changes = 0;
  return scriptedKernel((command, asked) => {
    const reads = command === GET_SERVICE || command === GET_SERVERS;
    if (!reads) changes++;
    if (changes >= lasts) throw new SocketFault(EBADF, "sendmsg");
    if (reads) return answersFrom(table)(command, asked);
    table = next[changes - 1] ?? [];
    return {};
  });
}

/** Applies rules with one server, over these sockets in turn. */
async function apply(line: string, links: readonly ScriptedLink[]) {
  let opened = 0;
  let slept = 0;
  const outcome = await subcommand(`apply ${line}-`, {
    stdin: [["-A -t 192.0.2.1:80", "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -w 2"]],
    io: {
      runFolder: folder,
      openLink() {
        const link = links[opened++];
        assert.ok(link, "no more sockets");
        return link;
      },
      clock: {
        now: () => slept,
        every: () => () => undefined,
        sleep(milliseconds) {
          slept += milliseconds;
          return Promise.resolve();
        },
      },
    },
  });
  assert.deepEqual(
    links.map(({ closed }) => closed),
    links.map(() => 1),
  );
  return outcome;
}

suite("apply with a failing socket", () => {
  after(() => {
    rmSync(folder, { recursive: true });
  });

  test("apply finds out over a new socket whether the change was made", async () => {
    const { stdout, stderr, status } = await apply("", [
      kernelOf([tableOf(1)], 1),
      kernelOf([tableOf(2)]),
    ]);
    assert.deepEqual([stderr, status], ["", 0]);
    assert.match(stdout, /^1 real server changed$/m);
  });

  test("apply --drain waits over the new socket", async () => {
    const { stderr, status, stdout } = await apply("--drain ", [
      kernelOf([tableOf(2, 1)], 1),
      kernelOf([tableOf(2, 0), tableOf(2)]),
    ]);
    assert.deepEqual([stderr, status], ["", 0]);
    assert.match(stdout, /^1 real server removed$/m);
  });

  test("apply opens a new socket for each failure", async () => {
    const { stderr, status } = await apply("--drain ", [
      kernelOf([tableOf(2, 1)], 1),
      kernelOf([tableOf(2, 0)], 1),
      kernelOf([tableOf(2)]),
    ]);
    assert.deepEqual([stderr, status], ["", 0]);
  });
});
