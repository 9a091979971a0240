import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, suite, test } from "node:test";
import { nodeIo } from "../../../src/runtime/node-io.js";
import { takeLock } from "../../../src/system/lock.js";
import { ours } from "../../lab/program.js";
import { sh } from "../../lab/namespaces.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";
import {
  clear,
  done,
  Folder,
  kernelOrder,
  run,
  state,
} from "./kernel-table.js";

const RULES = `
-A -t 192.0.2.1:80 -s wlc -p 300
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1
-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 2 -x 100 -y 80
-A -u 192.0.2.1:53 -s rr
-a -u 192.0.2.1:53 -r 10.0.0.3:53 -g
-A -f 7 -s sh -b sh-port
-a -f 7 -r 10.0.0.4 -i
`;

/** Other values for every setting that can be edited, a new service and servers, and some missing. */
const OTHERS = `
-A -t 192.0.2.1:80 -s wrr -p 60 -M 255.255.255.0 --pe sip
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 5 -x 10
-a -t 192.0.2.1:80 -r 10.0.0.5:80 -i -w 0 --tun-type gue --tun-port 6080
-A -u 192.0.2.1:53 -s mh -b mh-fallback -o
-a -u 192.0.2.1:53 -r 10.0.0.3:53 -i --tun-type gre --tun-csum
-A -t [2001:db8::1]:443 -s sed
-a -t [2001:db8::1]:443 -r [2001:db8::2]:443 -g
`;

suite("diff and apply on a kernel", () => {
  before(async () => {
    await ipvsadm("-C"); // loads the module
    sh(`ip link add eth7 type dummy
      ip address add 10.7.7.7/24 dev eth7
      ip link set eth7 up multicast on`);
  });
  beforeEach(clear);
  after(async () => {
    await clear();
    sh("ip link del eth7");
  });

  test("apply edits in place whatever can be edited, and diff finds no differences afterwards", async () => {
    await done("apply", RULES);
    assert.equal((await run("diff", RULES)).status, 0);
    const dry = await done("apply --dry-run", OTHERS);
    assert.equal(
      dry,
      `-A -t [2001:db8::1]:443 -s sed
-a -t [2001:db8::1]:443 -r [2001:db8::2]:443 -g -w 1
-a -t 192.0.2.1:80 -r 10.0.0.5:80 -i -w 0 --tun-type gue --tun-port 6080 --tun-nocsum
-E -t 192.0.2.1:80 -s wrr -p 60 -M 255.255.255.0 --pe sip
-E -u 192.0.2.1:53 -s mh -o -b mh-fallback
-e -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 5 -x 10
-e -u 192.0.2.1:53 -r 10.0.0.3:53 -i -w 1 --tun-type gre --tun-csum
-d -t 192.0.2.1:80 -r 10.0.0.2:80
-D -f 7
`,
    );
    const { stdout, status } = await run("diff", OTHERS);
    assert.equal(status, 4);
    const lines = stdout.split("\n");
    assert.deepEqual(lines, [
      "~ tcp/192.0.2.1:80  scheduler wlc → wrr, persistence 300 → 60 mask 255.255.255.0, persistence engine none → sip",
      "~   10.0.0.1:80  method masq → direct, weight 1 → 5, limits none → 10",
      "+   10.0.0.5:80  tunnel gue:6080:-c weight 0",
      "-   10.0.0.2:80  masq weight 2 limits 80-100",
      "~ udp/192.0.2.1:53  scheduler rr → mh, scheduler flags none → mh-fallback, one-packet scheduling off → on",
      "~   10.0.0.3:53  method direct → tunnel gre:+c",
      "+ tcp/[2001:db8::1]:443  sed",
      "+   [2001:db8::2]:443  direct weight 1",
      "- fwm/7  sh (sh-port)",
      "-   10.0.0.4:0  tunnel ipip weight 1",
      "1 service and 2 real servers to add, 2 services and 2 real servers to change, 1 service and 2 real servers to remove",
      "",
    ]);
    await done("apply", OTHERS);
    assert.equal((await run("diff", OTHERS)).status, 0);
    await done("apply", RULES);
    assert.equal((await run("diff", RULES)).status, 0);
  });

  test("-R makes the same changes from the output of apply --dry-run", async () => {
    await done("apply", RULES);
    const script = await done("apply --dry-run", OTHERS);
    assert.equal((await ours(["-R"], script)).status, 0);
    assert.equal((await run("diff", OTHERS)).status, 0);
  });

  test("apply changes timeouts and sync daemons only if the file contains them", async () => {
    const rules = `${RULES}--set 800 100 200\n--start-daemon master --mcast-interface eth7 --syncid 3\n`;
    await done("apply", rules);
    assert.equal((await run("diff", rules)).status, 0);
    await done("apply", RULES);
    assert.match(await ipvsadm("-L --daemon"), /syncid=3/);
    assert.match(await ipvsadm("-L --timeout"), /800 100 200/);
    const changed = rules.replace("--syncid 3", "--syncid 4 --mcast-ttl 9");
    assert.match(
      (await run("diff", changed)).stdout,
      /^~ master sync daemon {2}syncid 3 → 4, ttl 1 → 9$/m,
    );
    await done("apply", changed);
    assert.match(await ipvsadm("-L --daemon"), /syncid=4.*ttl=9/);
    const others = changed.replace(
      "start-daemon master",
      "start-daemon backup",
    );
    await done("apply", others);
    assert.equal((await run("diff", others)).status, 0);
    assert.doesNotMatch(await ipvsadm("-L --daemon"), /master/);
  });

  test("apply orders sync daemons and real servers of the other family so that none is refused", async () => {
    const daemon =
      "-A -f 9\n-a -f 9 -r 10.0.0.1 -i\n--start-daemon master --mcast-interface eth7\n";
    const mixed =
      '{"schema":"ipvsadm/table/1","daemons":[],"services":[{"firewallMark":9,"scheduler":"wlc","servers":[{"address":"2001:db8::7","port":0,"forwarding":"tunnel","weight":1}]}]}';
    await done("apply", daemon);
    await done("apply", mixed);
    assert.equal((await run("diff", mixed)).status, 0);
    await done("apply", daemon);
    assert.equal((await run("diff", daemon)).status, 0);
  });

  test("apply rolls back after a refusal and shows the rule", async () => {
    await done("apply", `${RULES}--set 700 70 7\n`);
    const before = await state();
    const refusals = [
      [
        OTHERS.replace("-s sed", "-s nosuch"),
        /^wanted:7:28: error: cannot add service TCP \[2001:db8::1\]:443: unknown scheduler "nosuch" \[refused\]\n 7 \| -A -t \[2001:db8::1\]:443 -s nosuch\n +\| +\^\n +=.* ip_vs_nosuch\n/,
      ],
      [
        OTHERS.replace("-s wrr", "-s wrrr"),
        /^wanted:2:23: error: cannot edit service TCP 192\.0\.2\.1:80: unknown scheduler "wrrr" [^]*did you mean wrr\?/,
      ],
      [
        OTHERS.replace("--pe sip", "--pe nosuch"),
        /^wanted:2:55: error: cannot edit service TCP 192\.0\.2\.1:80: unknown persistence engine "nosuch"/,
      ],
      [
        `${OTHERS}--set 800 80 8\n--start-daemon backup --mcast-interface nosuch0\n`,
        /^wanted:10:1: error: cannot start daemon backup: No such device/,
      ],
    ] as const;
    for (const [rules, shown] of refusals) {
      const { stdout, stderr, status } = await run("apply", rules);
      assert.deepEqual([stdout, status], ["", 1]);
      assert.match(stderr, shown);
      assert.match(
        stderr,
        /\nipvsadm: [0-9]+ changes were rolled back; the table is as before\n$/,
      );
      assert.deepEqual(await state(), before);
    }
  });

  test("apply -o json reports the line of a refused rule, and the rollback", async () => {
    await done("apply", RULES);
    const { stdout, status } = await run(
      "apply -o json",
      OTHERS.replace("-s wrr", "-s nosuch"),
    );
    assert.equal(status, 1);
    const told = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal(told["schema"], "ipvsadm/apply/1");
    assert.equal(told["result"], "failed");
    assert.deepEqual(told["failed"], {
      command: "-E -t 192.0.2.1:80 -s nosuch -p 60 -M 255.255.255.0 --pe sip",
      service: "tcp/192.0.2.1:80",
      protocol: "tcp",
      serviceAddress: "192.0.2.1",
      servicePort: 80,
      line: 2,
      column: 1,
    });
    assert.deepEqual(
      [told["undone"], told["standing"], told["unknown"]],
      [6, [], []],
    );
  });

  test("apply -o json reports a dry run, the changes that were made, and that nothing changed", async () => {
    const told = async (line: string) => {
      const document = JSON.parse(await done(line, RULES)) as {
        schema: string;
        result: string;
        changes: unknown[];
        commands?: string[];
        sent?: number;
      };
      const { schema, result, changes, commands, sent } = document;
      return [schema, result, changes.length, commands?.length ?? sent];
    };
    assert.deepEqual(await told("apply --dry-run -o json"), [
      "ipvsadm/apply/1",
      "dry-run",
      7,
      7,
    ]);
    assert.equal(await ipvsadm("-Sn"), "");
    assert.deepEqual(await told("restore -o json"), [
      "ipvsadm/restore/1",
      "done",
      7,
      7,
    ]);
    assert.deepEqual(await told("apply -o json"), [
      "ipvsadm/apply/1",
      "unchanged",
      0,
      0,
    ]);
  });

  test("apply --no-prune removes nothing, --keep-weights keeps weights, --only changes selected services", async () => {
    await done("apply", RULES);
    assert.equal(
      await done("apply --dry-run --no-prune --keep-weights", OTHERS),
      `-A -t [2001:db8::1]:443 -s sed
-a -t [2001:db8::1]:443 -r [2001:db8::2]:443 -g -w 1
-a -t 192.0.2.1:80 -r 10.0.0.5:80 -i -w 0 --tun-type gue --tun-port 6080 --tun-nocsum
-E -t 192.0.2.1:80 -s wrr -p 60 -M 255.255.255.0 --pe sip
-E -u 192.0.2.1:53 -s mh -o -b mh-fallback
-e -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1 -x 10
-e -u 192.0.2.1:53 -r 10.0.0.3:53 -i -w 1 --tun-type gre --tun-csum
`,
    );
    await done("apply --only fwm/7,udp/192.0.2.1", `${OTHERS}--set 1 1 1\n`);
    assert.equal(
      await ipvsadm("-Sn"),
      `-A -t 192.0.2.1:80 -s wlc -p 300
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1
-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 2 -x 100 -y 80
-A -u 192.0.2.1:53 -s mh -o -b mh-fallback
-a -u 192.0.2.1:53 -r 10.0.0.3:53 -i -w 1 --tun-type gre --tun-csum
`,
    );
    assert.match(await ipvsadm("-L --timeout"), /900 120 300/);
    const unknown = await run("diff --only tcp/192.0.2.9:80", RULES);
    assert.equal(unknown.status, 1);
    assert.equal(
      unknown.stderr,
      "ipvsadm: service tcp/192.0.2.9:80 is neither in the file nor in the table: did you mean tcp/192.0.2.1:80?\n",
    );
  });

  test("apply changes nothing if another program changed the table after the plan was made", async () => {
    await done("apply", RULES);
    let dumps = 0;
    const { status, stderr, stdout } = await run("apply", OTHERS, {
      async openLink() {
        const link = await nodeIo().openLink();
        return {
          receiveBufferBytes: link.receiveBufferBytes,
          send(datagram) {
            if (datagram[16] === 4) dumps++; // GET_SERVICE
            link.send(datagram);
          },
          async receive() {
            // The table has been read twice alike: the plan is made for it.
            if (dumps === 3) {
              dumps++;
              await ipvsadm("-A -t 192.0.2.77:80");
            }
            return link.receive();
          },
          close: () => {
            link.close();
          },
        };
      },
    });
    assert.equal(
      stderr,
      "ipvsadm: another program changed the table in the meantime: nothing was changed: try again\n",
    );
    assert.deepEqual([stdout, status], ["", 1]);
    await ipvsadm("-D -t 192.0.2.77:80");
    assert.equal((await run("diff", RULES)).status, 0);
  });

  test("apply names the process that holds the lock, or waits for it", async () => {
    using folder = new Folder();
    const place = { runFolder: folder.path };
    const lock = takeLock({ ...place, procFolder: "/proc" }, "restore");
    const { status, stderr } = await run("apply", RULES, place);
    assert.equal(status, 1);
    assert.equal(
      stderr,
      `ipvsadm: 'ipvsadm restore' is changing the table (process ${process.pid}): nothing was changed: wait until it ends\n`,
    );
    assert.equal(await ipvsadm("-Sn"), "");
    const waiting = done("apply --wait 60", RULES, place);
    lock.release();
    await waiting;
    assert.equal((await run("diff", RULES)).status, 0);
    assert.deepEqual(readdirSync(folder.path), []);
    const [first, second] = await Promise.all([
      run("apply --wait 60", OTHERS, place),
      run("apply --wait 60", RULES, place),
    ]);
    assert.deepEqual([first.status, second.status], [0, 0]);
  });

  test("restore returns to the table that apply --backup saved", async () => {
    using folder = new Folder();
    const backup = join(folder.path, "backup.json");
    const daemon = "--start-daemon master --mcast-interface eth7 --syncid 3";
    await done("apply", `${RULES}--set 800 100 200\n${daemon}\n`);
    const before = await state();
    const order = await kernelOrder();
    await done(`apply --backup ${backup}`, `${OTHERS}--set 1 2 3\n`);
    await clear();
    await done(`restore ${backup}`);
    assert.deepEqual(await state(), before);
    assert.deepEqual(await kernelOrder(), order);

    const again = await run(`apply --backup ${backup}`, OTHERS);
    assert.equal(again.status, 1);
    assert.match(
      again.stderr,
      /^ipvsadm: the backup file \S+ already exists: nothing was changed; choose another name/,
    );
    assert.deepEqual(await state(), before);
    const needless = join(folder.path, "needless.json");
    await done(`apply --backup ${needless} ${backup}`);

    const nowhere = join(folder.path, "none/backup.json");
    const failed = await run(`apply --backup ${nowhere}`, OTHERS);
    assert.equal(failed.status, 1);
    assert.match(
      failed.stderr,
      /^ipvsadm: cannot write .*: No such file or directory$/m,
    );
    assert.deepEqual(await state(), before);
    assert.deepEqual(readdirSync(folder.path), ["backup.json"]);
  });

  test("apply and restore change nothing for files with errors or without rules", async () => {
    await done("apply", RULES);
    const before = await state();
    const broken = await run(
      "apply",
      "-A -t 192.0.2.1\n-x\n-a -t 1.2.3.4:5 -r 1\n",
    );
    assert.equal(broken.status, 1);
    assert.equal(
      broken.stderr.match(/^wanted:[0-9]+:[0-9]+: error:/gm)?.length,
      3,
    );
    for (const nothing of ["", "# nothing\n"]) {
      const { stderr, status } = await run("restore", nothing);
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^ipvsadm: wanted contains no rules; nothing was changed: /,
      );
    }
    const empty = '{"schema":"ipvsadm/table/1","services":[]}';
    // 'save' writes such a document for an empty table.
    const timed = `${empty.slice(0, -1)},"daemons":[]}`;
    const refused = await run("apply", timed);
    assert.equal(refused.status, 1);
    assert.match(
      refused.stderr,
      /^ipvsadm: wanted contains no services, but the table has 3; nothing was changed: /,
    );
    assert.deepEqual(await state(), before);
    await done("restore", timed);
    assert.equal(await ipvsadm("-Sn"), "");
  });

  test("apply reads 10,000 services once and sends nothing if they are up to date", async () => {
    const lines = [];
    for (let i = 0; i < 10_000; i++) {
      const service = `-t 10.${1 + (i >> 8)}.${i & 255}.1:80`;
      lines.push(`-A ${service} -s wlc`, `-a ${service} -r 10.0.0.1:80 -m`);
    }
    const rules = `${lines.join("\n")}\n`;
    assert.equal((await ours(["-R"], rules)).status, 0);
    using folder = new Folder();
    const file = folder.file("rules", rules);
    const commands = new Map<number, number>();
    const counting = {
      runFolder: folder.path,
      async openLink() {
        const link = await nodeIo().openLink();
        return {
          receiveBufferBytes: link.receiveBufferBytes,
          receive: () => link.receive(),
          close: () => {
            link.close();
          },
          send(datagram: Uint8Array) {
            for (const command of commandsIn(datagram))
              commands.set(command, (commands.get(command) ?? 0) + 1);
            link.send(datagram);
          },
        };
      },
    };
    const { stdout, status } = await ours(["apply", file], "", counting);
    assert.equal(status, 0);
    assert.match(stdout, /already up to date/);
    // GET_SERVICE, GET_DEST for each, GET_INFO
    assert.deepEqual(Object.fromEntries(commands), { 4: 1, 8: 10_000, 15: 1 });
  });
});

/** The commands of generic netlink in a datagram; no-operations have none. */
function* commandsIn(datagram: Uint8Array): Generator<number> {
  const bytes = Buffer.from(datagram);
  const FIRST_FAMILY = 0x11;
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at);
    if (bytes.readUInt16LE(at + 4) >= FIRST_FAMILY)
      yield bytes.readUInt8(at + 16);
    at += (length + 3) & ~3;
  }
}
