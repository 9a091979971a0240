import { bytesIn } from "../fixtures/hex.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketFault } from "../../src/netlink/errors.js";
import {
  ack,
  DUMP_INTR,
  done,
  ScriptedLink,
} from "../netlink/scripted-link.js";
import { classic } from "./scripted-io.js";
import { commands, scriptedKernel, services } from "./scripted-kernel.js";

/** Runs a line on a kernel that refuses changes with this errno. */
function refused(line: string, errno: number) {
  return classic(line, { link: scriptedKernel(() => ({ errno })) });
}

test("a successful change prints nothing", async () => {
  const link = scriptedKernel();
  const outcome = await classic("-A -t 10.0.0.1:80", { link });
  assert.deepEqual(
    [outcome.stdout, outcome.stderr, outcome.status],
    ["", "", 0],
  );
  assert.deepEqual(commands(link), [[1]]);
  assert.equal(link.closed, 1);
});

test("a refused change prints a line on stderr and exits with status 255", async () => {
  const { stdout, stderr, status } = await refused("-A -t 10.0.0.1:80", 17);
  assert.equal(stderr, "Service already exists\n");
  assert.equal(stdout, "");
  assert.equal(status, 255);
});

test("a refusal has the message for its command", async () => {
  const told = async (line: string, errno: number) =>
    (await refused(line, errno)).stderr;
  const server = "-t 10.0.0.1:80 -r 10.1.1.1";
  assert.equal(await told(`-a ${server}`, 17), "Destination already exists\n");
  assert.equal(await told(`-e ${server}`, 2), "No such destination\n");
  assert.equal(await told(`-d ${server}`, 3), "Service not defined\n");
  assert.equal(await told("-D -f 1", 3), "No such service\n");
  assert.equal(await told("-Z -f 1", 3), "No such service\n");
  assert.equal(await told("--stop-daemon master", 3), "No daemon is running\n");
  assert.equal(await told("--start-daemon master", 19), "No such device\n");
  assert.equal(await told("-C", 1), "Permission denied (you must be root)\n");
});

test("an invalid line prints a message, exits with status 2, and opens no socket", async () => {
  for (const [line, sentence] of [
    ["-A -t 10.0.0.1", "Zero port specified for non-persistent service"],
    ["-A -t 80", "illegal virtual server address[:port] specified"],
    ["-L -w 5", "Illegal 'weight' option with the 'list' command"],
    ["-L foo", "unexpected argument foo"],
    ["-A -6", "-6 used before -f\n"],
  ] as const) {
    const { stdout, stderr, status, log } = await classic(line);
    assert.deepEqual([stderr, stdout, status], [`${sentence}\n`, "", 2]);
    assert.deepEqual(log, []);
  }
});

test("a scanner error exits with status 255 and opens no socket", async () => {
  const { stderr, status, log } = await classic("-L -Q");
  assert.equal(stderr, "-Q: unknown option\n");
  assert.equal(status, 255);
  assert.deepEqual(log, []);
});

test("a line without a command prints a hint with the name by which the program was called", async () => {
  const io = { program: () => "/opt/lvs/ipvsadm" };
  const { stderr, status, log } = await classic("-n", { io });
  assert.equal(
    stderr,
    "Try `/opt/lvs/ipvsadm -h' or '/opt/lvs/ipvsadm --help' for more information.\n",
  );
  assert.equal(status, 255);
  assert.deepEqual(log, []);
});

test("-h and -v need no kernel", async () => {
  for (const [line, start] of [
    ["-h", /^ipvsadm v1\.31 [^]*Usage:/],
    ["-v", /^ipvsadm v1\.31 .*\n$/],
  ] as const) {
    const { stdout, stderr, status, log } = await classic(line);
    assert.match(stdout, start);
    assert.deepEqual([stderr, status, log], ["", 0, []]);
  }
});

test("no argument lists the table with names", async () => {
  const { stdout, status } = await classic("", {
    link: scriptedKernel(services()),
  });
  assert.match(stdout, /^IP Virtual Server version 1\.2\.1 \(size=4096\)\n/);
  assert.equal(status, 0);
});

test("runClassic() loads a missing module and opens IPVS again", async () => {
  let loads = 0;
  const link = scriptedKernel(undefined, () => loads > 0);
  const io = {
    loadModule() {
      loads++;
    },
  };
  const { stderr, status } = await classic("-C", { link, io });
  assert.deepEqual([stderr, status, loads], ["", 0, 1]);
  assert.deepEqual(commands(link), [[17]]);
  // The family is looked up twice, then the version is read and the change sent. Nothing is
  // repeated.
  assert.equal(link.sent.length, 4);
});

test("runClassic() does not load a module that is available", async () => {
  const { log } = await classic("-C");
  assert.ok(!log.includes("load"));
});

const NO_MODULE = () => scriptedKernel(undefined, () => false);
const ARE_YOU_SURE =
  "Are you sure that IP Virtual Server is built in the kernel or as module?\n";

test("without IPVS the message is that of the original's raw socket: Protocol not available", async () => {
  const { stderr, status, log } = await classic("-C", { link: NO_MODULE() });
  assert.equal(
    stderr,
    `Can't initialize ipvs: Protocol not available\n${ARE_YOU_SURE}`,
  );
  assert.equal(status, 2);
  assert.deepEqual(
    log.filter((what) => what === "load"),
    ["load"],
  );
});

test("without IPVS and CAP_NET_RAW the message is: Operation not permitted", async () => {
  const io = { mayOpenRawSockets: () => false };
  const { stderr, status } = await classic("-C", { link: NO_MODULE(), io });
  assert.equal(
    stderr,
    `Can't initialize ipvs: Permission denied (you must be root)\n${ARE_YOU_SURE}`,
  );
  assert.equal(status, 2);
});

test("a socket that cannot be opened has the same message as missing IPVS", async () => {
  const io = {
    openLink() {
      throw new SocketFault(93, "socket");
    },
  };
  const { stderr, status, log } = await classic("-L", { io });
  assert.match(stderr, /^Can't initialize ipvs: Protocol not available\n/);
  assert.equal(status, 2);
  assert.deepEqual(log, ["load"]);
});

test("without CAP_NET_ADMIN the kernel refuses to report the version", async () => {
  const link = new ScriptedLink((requests) =>
    requests.map((sent) => ack(sent, sent.type === 16 ? 1 : 0)),
  );
  const { stderr, status } = await classic("-L", { link });
  assert.match(stderr, /^Can't initialize ipvs: Permission denied/);
  assert.equal(status, 2);
});

test("runClassic() always closes the link", async () => {
  for (const link of [NO_MODULE(), scriptedKernel(() => ({ errno: 1 }))]) {
    await classic("-L", { link });
    assert.equal(link.closed, 1);
  }
});

test("a dump that is interrupted every time prints an error", async () => {
  const kernel = scriptedKernel();
  const link = new ScriptedLink((requests) =>
    requests.flatMap((sent) => {
      if (sent.flags & 0x300) return [done(sent, 0, DUMP_INTR)];
      kernel.send(sent.bytes);
      const [first, second] = [kernel.receive(), kernel.receive()].map(bytesIn);
      return [first, second].filter((bytes) => bytes !== undefined);
    }),
  );
  const { stdout, stderr, status } = await classic("-L", { link });
  assert.equal(stdout, "");
  assert.match(stderr, /^ipvsadm: recvmsg: EINTR\n$/);
  assert.equal(status, 255);
});

test("runClassic() looks up a host before it carries out the line", async () => {
  const asked: string[] = [];
  const link = scriptedKernel(services());
  const io = {
    names: {
      hostAddress(name: string) {
        asked.push(name);
        return Promise.resolve(name === "web.example" ? "10.0.0.1" : undefined);
      },
      hostName: () => Promise.resolve(undefined),
      servicePort: (name: string, transport: string) =>
        name === "http" && transport === "tcp" ? 80 : undefined,
      serviceName: () => undefined,
    },
  };
  const good = await classic("-A -t web.example:http", { link, io });
  assert.deepEqual([good.stderr, good.status], ["", 0]);
  const sent = link.sent.flat().map(({ payload }) => payload.toString("hex"));
  assert.match(sent.at(-1) ?? "", /140003000a000001.*0600040000500000/);
  const bad = await classic("-A -t nowhere.example:80", { io });
  assert.match(bad.stderr, /^illegal virtual server address/);
  assert.equal(bad.status, 2);
  assert.deepEqual(asked, ["web.example", "nowhere.example"]);
});
