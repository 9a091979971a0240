import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { captureFilter } from "../../../src/doctor/packets/capture-filter.js";
import { startCapture } from "../../../src/doctor/packets/capture.js";
import { captureLimits } from "../../../src/doctor/packets/packet-fact.js";
import { SightingsBuilder } from "../../../src/doctor/packets/sightings.js";
import { systemClock } from "../../../src/system/clock.js";
import {
  type EndedProgram,
  type StartProgram,
} from "../../../src/system/program-stream.js";
import { CAPTURE_SLL2 } from "../../fixtures/captures.js";
import { address } from "../../fixtures/entries.js";

const SCOPE = {
  client: address("10.1.0.10"),
  tunnels: false,
  guePorts: [],
  hiddenServers: [],
};

const COUNTS =
  "15 packets captured\n15 packets received by filter\n2 packets dropped by kernel\n";

interface Imitation {
  /** What it prints before it is stopped; undefined: it ends at once */
  readonly prints?: Uint8Array;
  readonly complaint?: string;
  readonly missing?: boolean;
  /** It ends by itself after it has printed */
  readonly endsEarly?: boolean;
}

/** A program that behaves as tcpdump does. @returns the command lines, too */
function imitation(
  answer: (path: string, words: readonly string[]) => Imitation,
) {
  const calls: string[][] = [];
  const start: StartProgram = (path, args, onOutput) => {
    calls.push([path, ...args]);
    const {
      prints,
      complaint = COUNTS,
      missing = false,
      endsEarly,
    } = answer(path, args);
    let end: (how: EndedProgram) => void = () => undefined;
    const ended = new Promise<EndedProgram>((resolve) => (end = resolve));
    const status = prints ? 0 : 1;
    if (prints) onOutput(prints);
    if (!prints || endsEarly) end({ status, missing, complaint });
    return {
      started: Promise.resolve(),
      ended,
      stop: () => {
        end({ status, missing, complaint });
      },
    };
  };
  return { calls, start };
}

/** A folder that has net/packet, as procfs does */
const PROC = mkdtempSync(join(tmpdir(), "proc-"));
mkdirSync(join(PROC, "net"));
writeFileSync(join(PROC, "net/packet"), "");
after(() => {
  rmSync(PROC, { recursive: true });
});

const begin = (start: StartProgram) =>
  startCapture(
    { start, clock: systemClock, procFolder: PROC, wallClock: () => 5 },
    SCOPE,
  );

suite("startCapture()", () => {
  test("startCapture() collects packets until it is finished", async () => {
    const { calls, start } = imitation(() => ({ prints: CAPTURE_SLL2 }));
    using capture = await begin(start);
    assert.equal(capture.isRunning, true);
    assert.deepEqual(calls, [
      [
        ..."/usr/bin/tcpdump -p -n -i any -U -w - -s 200 -c 300000 --immediate-mode -y LINUX_SLL2".split(
          " ",
        ),
        captureFilter(SCOPE),
      ],
    ]);
    const captured = await capture.finish();
    assert.ok("sightings" in captured);
    const { sightings } = captured;
    assert.equal(sightings.packets, 15);
    assert.equal(sightings.lost, 2);
    assert.equal(sightings.isFull, false);
    assert.equal(sightings.halfFlows.length, 4);
    assert.equal(sightings.errors.length, 2);
    const datagrams = sightings.halfFlows.find(
      ({ targetPort }) => targetPort === 5301,
    );
    assert.equal(datagrams?.firstFragments, 1);
    assert.equal(datagrams.lastFragments, 1);
    assert.deepEqual(captureLimits(sightings), [
      "2 packets that tcpdump did not get in time, so missing ones are not judged",
    ]);
  });

  test("startCapture() says that tcpdump is not installed, and which package contains it", async () => {
    const { calls, start } = imitation(() => ({ missing: true }));
    const capture = await begin(start);
    assert.equal(capture.isRunning, false);
    assert.deepEqual(await capture.finish(), {
      unavailable: "tcpdump is not installed; the package tcpdump contains it",
    });
    assert.deepEqual(
      calls.map(([path]) => path),
      [
        "/usr/bin/tcpdump",
        "/usr/sbin/tcpdump",
        "/sbin/tcpdump",
        "/bin/tcpdump",
      ],
    );
  });

  test("startCapture() does not start tcpdump if that would load a module", async () => {
    const { calls, start } = imitation(() => ({ prints: CAPTURE_SLL2 }));
    const capture = await startCapture(
      {
        start,
        clock: systemClock,
        procFolder: join(PROC, "net"),
        wallClock: () => 5,
      },
      SCOPE,
    );
    assert.deepEqual(calls, []);
    assert.deepEqual(await capture.finish(), {
      unavailable:
        "the kernel has no packet sockets, or their module af_packet is not loaded",
    });
  });

  test("startCapture() tries an older tcpdump without the options that it does not know", async () => {
    const { calls, start } = imitation((_, words) =>
      words.includes("--immediate-mode")
        ? { complaint: "tcpdump: unrecognized option\n" }
        : { prints: CAPTURE_SLL2 },
    );
    using capture = await begin(start);
    assert.equal(capture.isRunning, true);
    assert.equal(calls.length, 3);
  });

  test("startCapture() says why tcpdump fails", async () => {
    const complaint =
      "tcpdump: any: You don't have permission to capture on that device\n";
    const { start } = imitation(() => ({ complaint }));
    assert.deepEqual(await (await begin(start)).finish(), {
      unavailable: complaint.trim(),
    });
    const lines = [
      "tcpdump: any: You don't have permission to perform this capture on that device",
      "(socket: Operation not permitted)",
    ];
    const longer = imitation(() => ({ complaint: `${lines.join("\n")}\n` }));
    assert.deepEqual(await (await begin(longer.start)).finish(), {
      unavailable: lines.join(" "),
    });
    const killed = imitation(() => ({
      prints: CAPTURE_SLL2,
      endsEarly: true,
      complaint:
        "tcpdump: data link type LINUX_SLL2\ntcpdump: listening on any, link-type LINUX_SLL2\n",
    }));
    assert.deepEqual(await (await begin(killed.start)).finish(), {
      unavailable: "tcpdump ended and did not say why",
    });
    const early = imitation(() => ({
      prints: CAPTURE_SLL2,
      endsEarly: true,
      complaint: `tcpdump: listening on any\ntcpdump: pcap_loop: The interface disappeared\n${COUNTS}`,
    }));
    const captured = await (await begin(early.start)).finish();
    assert.deepEqual(captured, {
      unavailable: "tcpdump: pcap_loop: The interface disappeared",
    });
    const other = imitation(() => ({ prints: new Uint8Array(30) }));
    assert.deepEqual(await (await begin(other.start)).finish(), {
      unavailable: "tcpdump printed no capture",
    });
  });

  test("startCapture() says that the limit of packets is reached", async () => {
    const { start } = imitation(() => ({
      prints: CAPTURE_SLL2,
      endsEarly: true,
      complaint: "300000 packets captured\n",
    }));
    const captured = await (await begin(start)).finish();
    assert.ok("sightings" in captured);
    assert.equal(captured.sightings.isFull, true);
    assert.match(
      captureLimits(captured.sightings).join(),
      /^packets after the first 0\.0 s \(the capture ends after 15 packets\)$/,
    );
  });
});

suite("SightingsBuilder", () => {
  test("SightingsBuilder keeps a bounded number of flows, segments and errors", () => {
    const builder = new SightingsBuilder(SCOPE.client);
    const point = {
      time: 0,
      device: 1,
      direction: "in",
      sender: undefined,
    } as const;
    const packet = (sourcePort: number, source = SCOPE.client) => ({
      protocol: 6,
      source,
      sourcePort,
      target: address("10.2.0.11"),
      targetPort: 80,
      bytes: 100,
    });
    // Those of others come first.
    for (let port = 0; port < 3000; port++)
      builder.add(packet(port, address("10.9.9.9")), point);
    for (let port = 0; port < 6000; port++) builder.add(packet(port), point);
    const tcp = { flags: 16, acknowledged: 1, payloadBytes: 60 };
    for (let i = 0; i < 1000; i++)
      builder.add({ ...packet(1), tcp: { ...tcp, sequence: i * 60 } }, point);
    for (let i = 0; i < 1000; i++)
      builder.add(
        {
          ...packet(0),
          error: { name: "port unreachable", about: packet(i) },
        },
        point,
      );
    const found = builder.sightings({
      began: 0,
      ended: 1,
      skipped: 0,
      lost: 0,
      isFull: false,
    });
    assert.equal(found.packets, 11000);
    assert.equal(found.halfFlows.length, 4096);
    assert.equal(found.unkept, 3000 - 1024 + 6000 - (4096 - 1024));
    assert.equal(found.errors.length, 256);
    const [, longest] = found.halfFlows.filter(({ tcp: half }) => half);
    assert.equal(longest, undefined);
    const half = found.halfFlows.find(({ tcp: one }) => one)?.tcp;
    assert.equal(half?.segments.length, 64);
    assert.equal(half.older?.end, (1000 - 64) * 60);
    assert.match(
      captureLimits(found).join(),
      /^\d+ packets of more flows than/,
    );
  });
});

suite("captureFilter()", () => {
  test("captureFilter() asks for the client's packets and for errors about them", () => {
    assert.equal(
      captureFilter(SCOPE),
      "ip host 10.1.0.10 or (ip[9] = 1 and (ip[20] = 3 or ip[20] = 11 or ip[20] = 12) and (ip[40:4] = 0x0a01000a or ip[44:4] = 0x0a01000a))",
    );
    assert.match(
      captureFilter({ ...SCOPE, client: address("2001:db8::7") }),
      /^ip6 host 2001:db8::7 or \(ip6\[6\] = 58 and ip6\[40\] >= 1 and ip6\[40\] <= 4 and \(\(ip6\[56:4\] = 0x20010db8 and ip6\[60:4\] = 0x00000000 /,
    );
  });

  test("captureFilter() looks for the client in tunnels, and for servers that see another address", () => {
    const filter = captureFilter({
      ...SCOPE,
      tunnels: true,
      guePorts: [6080],
      hiddenServers: [{ address: address("10.2.0.11"), port: 80 }],
    });
    for (const part of [
      "(ip[9] = 4 and (ip[32:4] = 0x0a01000a or ip[36:4] = 0x0a01000a))",
      "(ip6[6] = 4 and (ip6[52:4] = 0x0a01000a or ip6[56:4] = 0x0a01000a))",
      "(ip[9] = 17 and ip[22:2] = 6080 and (ip[44:4] = ",
      "(ip host 10.2.0.11 and (port 80 or ip[6:2] & 0x1fff != 0))",
    ])
      assert.ok(filter.includes(part), `${part} in ${filter}`);
  });
});
