import assert from "node:assert/strict";
import { test } from "node:test";
import {
  scriptedKernel,
  GET_SERVERS,
  GET_SERVICE,
} from "../../classic/scripted-kernel.js";
import { MASQUERADED_SERVER, SERVICE } from "../../fixtures/replies.js";
import { subcommand } from "../run-subcommand.js";

const kernel = () =>
  scriptedKernel((command) =>
    command === GET_SERVERS
      ? { messages: [MASQUERADED_SERVER] }
      : command === GET_SERVICE
        ? { messages: [SERVICE] }
        : {},
  );

test("watch prints plain frames without a terminal, all with rates", async () => {
  const { stdout, stderr, status, log } = await subcommand(
    "watch -n 2 -i 0.1",
    {
      link: kernel(),
    },
  );
  assert.deepEqual([stderr, status], ["", 0]);
  const frames = stdout.split("\n\n");
  assert.equal(frames.length, 3, "the last one is empty");
  for (const frame of frames.slice(0, 2))
    assert.match(
      frame,
      /^ipvsadm watch · \d\d:\d\d:\d\d · every 0\.1 s · by connections\/s, busiest first · 1 service, 1 server\nTotal 0 conn\/s .*\nno change in the last minute\nService, its servers +State +Method .*\ntcp\/192\.0\.2\.1:80 +ok +wrr .*\n {2}.*$/,
    );
  assert.deepEqual(log, ["open", "flush", "flush", "flush"]);
});

test("watch -o ndjson prints one line per frame", async () => {
  const { stdout, status } = await subcommand("watch -o ndjson -n 2 -i 0.1", {
    link: kernel(),
  });
  assert.equal(status, 0);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, 2);
  for (const line of lines) {
    const { time, elapsedSeconds, ...frame } = JSON.parse(line) as {
      time: string;
      elapsedSeconds: number;
    };
    assert.ok(!Number.isNaN(Date.parse(time)));
    assert.ok(elapsedSeconds >= 0.05);
    const counts = {
      activeConnections: 0,
      inactiveConnections: 0,
      persistentConnections: 0,
    };
    const stats = {
      connections: 0,
      inPackets: 0,
      outPackets: 0,
      inBytes: 0,
      outBytes: 0,
      connectionsPerSecond: 0,
      inPacketsPerSecond: 0,
      outPacketsPerSecond: 0,
      inBytesPerSecond: 0,
      outBytesPerSecond: 0,
    };
    assert.deepEqual(frame, {
      schema: "ipvsadm/watch/1",
      totals: { services: 1, servers: 1, ...counts, ...stats },
      services: [
        {
          service: "tcp/192.0.2.1:80",
          protocol: "tcp",
          address: "192.0.2.1",
          port: 80,
          state: "ok",
          scheduler: "wrr",
          effectiveWeight: 5,
          ...counts,
          stats,
          servers: [
            {
              server: "192.0.2.10:8080",
              address: "192.0.2.10",
              port: 8080,
              state: "ok",
              forwarding: "masq",
              weight: 5,
              ...counts,
              stats,
            },
          ],
        },
      ],
    });
  }
});

test("watch shows only named services, and each must exist", async () => {
  const { stdout, status } = await subcommand("watch -n 1 -i 0.1 192.0.2.1", {
    link: kernel(),
  });
  assert.equal(status, 0);
  assert.match(stdout, /^tcp\/192\.0\.2\.1:80 /m);
  const unknown = await subcommand("watch -n 1 udp/192.0.2.1:53", {
    link: kernel(),
  });
  assert.deepEqual(
    [unknown.stdout, unknown.stderr, unknown.status],
    [
      "",
      "ipvsadm: there is no service udp/192.0.2.1:53: did you mean tcp/192.0.2.1:80?\n",
      1,
    ],
  );
});

test("watch rejects an invalid command line with status 2", async () => {
  for (const [line, message] of [
    ["watch -i 0", /--interval/],
    ["watch -n 1.5", /--count 1\.5: expected a whole number/],
    ["watch --sort size", /--sort/],
    ["watch nonsense/1", /nonsense\/1 is not a service/],
  ] as const) {
    const { stderr, status } = await subcommand(line, { link: kernel() });
    assert.match(stderr, message);
    assert.equal(status, 2, line);
  }
});

test("watch returns 3 without IPVS", async () => {
  const { stderr, status } = await subcommand("watch", {
    link: scriptedKernel(undefined, () => false),
  });
  assert.match(stderr, /^ipvsadm: cannot reach IPVS in the kernel/);
  assert.equal(status, 3);
});
