import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { FleetKeys } from "../../src/fleet/keys.js";
import { toBytes } from "../../src/cli/escape.js";
import { ours } from "../lab/program.js";
import { ModelKernel } from "../plan/model-kernel.js";
import { TestCertificates } from "../store/certificates.js";
import { TestCluster } from "../store/etcd-cluster.js";
import { validated } from "./fleet-schema.js";
import { SimulatedDirector } from "./simulated-director.js";
import { serversIn } from "./rig.js";

/* The subcommand fleet with a real etcd. Directors are agents with the real client and a model of the kernel. */

let cluster: TestCluster;
let folder: string;
let prefixes = 0;

before(async () => {
  cluster = await TestCluster.start();
  folder = mkdtempSync(join(tmpdir(), "ipvsadm-fleet-"));
});

after(async () => {
  await cluster[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** A fleet of its own in the cluster. */
function newFleet() {
  const prefix = `/test${++prefixes}/`;
  const fleet = async (line: string, stdin = "", more: string[] = []) => {
    const { stdout, stderr, status } = await ours(
      [
        ...["fleet", ...line.split(" "), ...more.map(toBytes)],
        ...["--endpoints", cluster.endpoints.join(","), "--prefix", prefix],
      ],
      stdin,
    );
    return { stdout, stderr, status };
  };
  const publish = async (servers: string, ...more: string[]) => {
    const rules = servers
      .split(" ")
      .map((host) => `-a -t 192.0.2.1:80 -r 10.0.0.${host} -m`);
    return fleet(
      `publish web - --author alice`,
      `-A -t 192.0.2.1:80 -s wlc\n${rules.join("\n")}\n`,
      ["-m", `servers ${servers}`, ...more],
    );
  };
  const director = (name: string, kernel = new ModelKernel({ services: [] })) =>
    new SimulatedDirector(cluster.store(), new FleetKeys(prefix), name, kernel);
  return { fleet, publish, director };
}

test("fleet publish, history, show, diff and rollback work on one table", async () => {
  const { fleet, publish } = newFleet();
  const first = await publish("11 12");
  assert.deepEqual(first, {
    stdout: "web: revision 1, 1 service, 2 servers\n",
    stderr: "",
    status: 0,
  });
  await publish("11 12 13");
  const back = await fleet("rollback web 1 --author bob");
  assert.equal(back.stdout, "web: revision 3, 1 service, 2 servers\n");
  const history = await fleet("history web");
  assert.match(
    history.stdout,
    /^Revision +Published.*\n +3\* .* bob .* roll back to 1\n +2 .* alice .* servers 11 12 13\n +1 /,
  );
  const shown = await fleet("show web 2");
  assert.equal(
    shown.stdout,
    "-A -t 192.0.2.1:80 -s wlc\n-a -t 192.0.2.1:80 -r 10.0.0.11:80 -m -w 1\n-a -t 192.0.2.1:80 -r 10.0.0.12:80 -m -w 1\n-a -t 192.0.2.1:80 -r 10.0.0.13:80 -m -w 1\n",
  );
  const differs = await fleet("diff web 1 2");
  assert.deepEqual(
    [differs.status, /\+ +10\.0\.0\.13:80/.test(differs.stdout)],
    [4, true],
    differs.stdout,
  );
  const equal = await fleet("diff web 1 3");
  assert.deepEqual(equal, {
    stdout: "web: revisions 1 and 3 are equal\n",
    stderr: "",
    status: 0,
  });
  for (const line of ["history web", "diff web 1 2", "show web"])
    JSON.parse((await fleet(`${line} -o json`)).stdout);
});

test("fleet says what is wrong with a command line, a file or a table, and changes nothing", async () => {
  const { fleet, publish } = newFleet();
  const cases: readonly [string, number, RegExp, string?][] = [
    ["publish web -", 2, /missing option --message/],
    ["publish we/b - -m x", 2, /we\/b is not the name of a table/],
    [
      "publish web - -m x",
      1,
      /does not begin with a command/,
      "-A -t 192.0.2.1:80 -s wlcc\n-x\n",
    ],
    [
      "publish web - -m x",
      1,
      /has no services; nothing was changed: .*--allow-empty/,
      "# nothing\n",
    ],
    ["publish web /nonexistent -m x", 1, /cannot read \/nonexistent/],
    ["history nosuch", 1, /no table nosuch/],
    ["show nosuch 1", 1, /table nosuch has no revision 1/],
    ["show web one", 2, /one is not the number of a revision/],
    ["rollback web 9", 1, /table web has no revision 9/],
    [
      "undrain --all-services 10.0.0.11",
      1,
      /not being drained: there is no drain/,
    ],
    ["drain tcp/192.0.2.1:80", 2, /missing argument SERVER/],
    ["drain --all-services a b", 2, /takes only SERVER/],
    ["override lb1 pause", 1, /no director lb1 has ever reported/],
    ["override lb1 stop", 2, /not one of pause, resume/],
    ["forget lb1", 1, /there is no director lb1/],
    ["agent", 2, /missing option --table/],
    ["agent --table a/b", 2, /not the name of a table/],
    ["agent --table web --label x", 2, /expected KEY=VALUE/],
    ["status --cert /nonexistent", 2, /--cert and --key go together/],
    ["status --cacert /nonexistent", 1, /cannot read \/nonexistent/],
  ];
  for (const [line, status, message, stdin] of cases) {
    const got = await fleet(line, stdin);
    assert.equal(got.status, status, `${line}: ${got.stderr}`);
    assert.match(got.stderr, message, line);
  }
  await publish("11 12 13");
  const removes = await publish("14");
  assert.equal(removes.status, 1);
  assert.match(removes.stderr, /removes 3 of 3 real servers.*--force/);
  assert.equal((await publish("14", "--force")).status, 0);
  const late = await publish("14 15", "--expect", "1");
  assert.match(
    late.stderr,
    /the newest revision of table web is 2 \(expected 1\)/,
  );
});

test("fleet reports an etcd that cannot be reached, with exit status 3", async () => {
  const { stderr, status } = await ours([
    ...["fleet", "status", "--endpoints", "http://127.0.0.1:1"],
    ...["--deadline", "1s"],
  ]);
  assert.equal(status, 3);
  assert.match(
    stderr,
    /cannot reach etcd at http:\/\/127\.0\.0\.1:1: ECONNREFUSED/,
  );
});

test("fleet reads its settings from a file, and refuses faults in it", async () => {
  const { publish } = newFleet();
  await publish("11");
  const path = join(folder, "fleet.yaml");
  writeFileSync(
    path,
    `endpoints: [${cluster.endpoints.join(", ")}]\nprefix: /test${prefixes}/\ndirector:\n  table: web\n  labels: [site=fra]\n`,
  );
  const good = await ours(["fleet", "history", "web", "--config", path]);
  assert.equal(good.status, 0, good.stderr);
  writeFileSync(path, "endpoint: [http://127.0.0.1:2379]\n");
  const bad = await ours(["fleet", "history", "web", "--config", path]);
  assert.match(
    bad.stderr,
    /fleet\.yaml:1:1: unknown field "endpoint": did you mean endpoints\?/,
  );
  const none = await ours([
    "fleet",
    "status",
    "--config",
    join(folder, "none"),
  ]);
  assert.match(none.stderr, /cannot read .*none/);
  const wrong = await ours(["fleet", "status", "--endpoints", "10.0.0.1:2379"]);
  assert.match(wrong.stderr, /expected a URL such as/);
});

test("fleet status shows directors, their revisions and drift; its JSON fits the schema", async () => {
  const { fleet, publish, director } = newFleet();
  const none = await fleet("status");
  assert.deepEqual([none.stdout, none.status], ["no directors\n", 1]);
  const nobody = await fleet("drain --all-services 10.0.0.12 --wait");
  assert.equal(nobody.status, 1);
  assert.match(nobody.stderr, /no director reports/);
  await fleet("undrain --all-services 10.0.0.12");
  await publish("11 12");
  await using lb1 = director("lb1");
  await using lb2 = director("lb2");
  lb1.start();
  lb2.start();
  await lb1.has("11*1 12*1");
  await lb2.has("11*1 12*1");
  await eventually(async () => (await fleet("status")).status === 0);
  const { stdout } = await fleet("status");
  assert.match(stdout, /^Director +Table +Wanted +Applied +State/);
  assert.match(stdout, /\nlb1 +web +1 +1 +ok/);
  assert.match(stdout, /2 directors: 2 ok; /);
  const json = validated((await fleet("status -o json")).stdout);
  assert.equal(json.directors.length, 2);
  // Somebody else changes the table of one director.
  lb2.kernel.apply({ command: "flush" });
  await eventually(async () => (await fleet("status")).status === 4);
  assert.match((await fleet("status")).stdout, /lb2 .* drifting .* 3 to add/);
  validated((await fleet("status -o json")).stdout);
  // A process that dies is silent when its lease has ended.
  lb2.die();
  await eventually(async () => (await fleet("status")).status === 1);
  const silent = validated((await fleet("status -o json")).stdout);
  assert.equal(
    silent.directors.find(({ name }) => name === "lb2")?.state,
    "silent",
  );
  assert.match((await fleet("forget lb1")).stderr, /not silent/);
  assert.equal((await fleet("forget lb2")).status, 0);
  await eventually(async () => (await fleet("status")).status === 0);
});

test("fleet drain waits for all directors, names silent ones, and undrain gives the weight back", async () => {
  const { fleet, publish, director } = newFleet();
  await publish("11 12");
  await using lb1 = director("lb1");
  await using lb2 = director("lb2");
  for (const one of [lb1, lb2]) one.start();
  for (const one of [lb1, lb2]) await one.has("11*1 12*1");
  await eventually(async () => (await fleet("status")).status === 0);
  const drained = await fleet("drain tcp/192.0.2.1:80 10.0.0.12 --timeout 60s");
  assert.deepEqual([drained.stderr, drained.status], ["", 0]);
  assert.match(drained.stdout, /empty after .* on 2 directors/);
  for (const one of [lb1, lb2])
    assert.equal(serversIn(one.kernel).join(" "), "11*1 12*0");
  // A new revision does not undo it.
  await publish("11 12 13");
  await lb1.has("11*1 12*0 13*1");
  const status = await fleet("status");
  assert.match(
    status.stdout,
    /drain tcp\/192\.0\.2\.1:80 10\.0\.0\.12: 2 empty/,
  );
  lb2.die();
  await eventually(async () => (await fleet("status")).status === 1);
  const again = "drain tcp/192.0.2.1:80 10.0.0.12 --timeout 60s";
  const missing = await fleet(again);
  assert.deepEqual(
    [missing.status, /silent directors.*lb2/.test(missing.stderr)],
    [1, true],
  );
  assert.equal((await fleet(`${again} --allow-missing`)).status, 0);
  const json = await fleet(`${again} --allow-missing -o json`);
  assert.equal((JSON.parse(json.stdout) as { state: string }).state, "empty");
  await fleet("undrain tcp/192.0.2.1:80 10.0.0.12");
  await lb1.has("11*1 12*1 13*1");
  const unknown = await fleet(
    "drain --all-services 10.0.0.99 --timeout 60s --allow-missing",
  );
  assert.match(unknown.stderr, /no director has \* 10\.0\.0\.99 in its table/);
});

test("fleet status --watch prints a line for each change, until a signal arrives", async () => {
  const { publish, director } = newFleet();
  await publish("11 12");
  let end: () => void = () => undefined;
  let shown = "";
  const running = ours(
    [
      ...["fleet", "status", "--watch", "--prefix", `/test${prefixes}/`],
      ...["--endpoints", cluster.endpoints.join(",")],
    ],
    "",
    {
      stdout: (text) => {
        shown += text;
      },
      catchSignals: (listen) => {
        end = () => {
          listen("SIGINT");
        };
        return () => undefined;
      },
    },
  );
  await using lb1 = director("lb1");
  lb1.start();
  await eventually(() =>
    Promise.resolve(shown.includes(" lb1: revision 1, ok\n")),
  );
  await publish("11 12 13");
  await eventually(() =>
    Promise.resolve(shown.includes(" lb1: revision 2, ok\n")),
  );
  end();
  assert.equal((await running).status, 0);
});

test("fleet override pauses and resumes a director", async () => {
  const { fleet, publish, director } = newFleet();
  await publish("11 12");
  await using lb1 = director("lb1");
  lb1.start();
  await lb1.has("11*1 12*1");
  await eventually(async () => (await fleet("status")).status === 0);
  await fleet("override lb1 pause");
  await eventually(async () =>
    (await fleet("status")).stdout.includes("paused"),
  );
  await publish("11 12 13");
  const { status, stdout } = await fleet("status");
  assert.deepEqual([status, /lb1 .* paused/.test(stdout)], [4, true]);
  assert.equal(serversIn(lb1.kernel).join(" "), "11*1 12*1");
  await fleet("override lb1 resume");
  await lb1.has("11*1 12*1 13*1");
  const typo = await fleet("override lb2 pause");
  assert.match(typo.stderr, /did you mean lb1\?/);
});

test("fleet rollout gives a staged revision to waves, stops at a failure, and aborts", async () => {
  const { fleet, publish, director } = newFleet();
  await publish("11 12");
  const directors = ["lb1", "lb2", "lb3"].map((name) => director(name));
  for (const one of directors) one.start();
  for (const one of directors) await one.has("11*1 12*1");
  await eventually(async () => (await fleet("status")).status === 0);
  const none = await fleet("rollout web");
  assert.match(none.stderr, /revision 1 of table web is already released/);
  assert.equal((await fleet("rollout web --wave 0")).status, 2);
  assert.match(
    (await fleet("rollout web pause")).stderr,
    /there is no rollout/,
  );
  const staged = await publish("11 12 13", "--stage");
  assert.match(staged.stdout, /revision 2, .* staged/);
  const good = await fleet("rollout web --wave 1,all --soak 1s");
  assert.deepEqual([good.stderr, good.status], ["", 0]);
  assert.match(
    good.stdout,
    /^wave 1 of 2 \(1\): revision 2 of table web; directors: 1\nlb1: changing\nlb1: ok\nwave 2 of 2[^]*done: revision 2/,
  );
  for (const one of directors)
    assert.equal(serversIn(one.kernel).join(" "), "11*1 12*1 13*1");
  // The second director cannot apply the next revision.
  await publish("11 12 13 14", "--stage");
  directors[1]?.refuse("14");
  const bad = await fleet("rollout web --wave 1,all --soak 1s");
  assert.equal(bad.status, 1);
  assert.match(
    bad.stderr,
    /stopped: lb2 failed: cannot add server 10\.0\.0\.14/,
  );
  const status = await fleet("status");
  assert.match(
    status.stdout,
    /rollout of web to revision 3: failed, wave 2 of 2: lb2/,
  );
  validated((await fleet("status -o json")).stdout);
  assert.equal(
    serversIn(directors[2]?.kernel ?? fail()).join(" "),
    "11*1 12*1 13*1",
  );
  assert.equal((await fleet("rollout web abort")).status, 0);
  await directors[0]?.has("11*1 12*1 13*1");
  await eventually(async () => (await fleet("status")).status === 0);
  for (const one of directors) await one[Symbol.asyncDispose]();
});

function fail(): never {
  throw new Error("no such director");
}

test("the certificate of a director can change its own report, and no table, order, drain or other report", async () => {
  const certificates = new TestCertificates();
  await using secured = await TestCluster.start({ certificates });
  const as = (name: string, ...words: string[]) => {
    const { certificate, key } = certificates.client(name);
    return ours(
      [
        ...["fleet", ...words, "--endpoints", secured.endpoints.join(",")],
        ...["--cacert", certificates.authority],
        ...["--cert", certificate, "--key", key],
      ],
      "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 10.0.0.11 -m\n",
    );
  };
  const init = await as(
    "root",
    ...["init", "--director", "lb1,lb2", "--publisher", "alice"],
    ...["--viewer", "carol", "--enable-auth"],
  );
  assert.equal(init.status, 0, init.stderr);
  // A second time, everything exists already.
  assert.equal((await as("root", "init", "--director", "lb1")).status, 0);
  const published = await as("alice", "publish", "web", "-", "-m", "first");
  assert.equal(published.status, 0, published.stderr);
  assert.equal((await as("carol", "history", "web")).status, 0);
  const denied = /permission denied/;
  for (const [name, ...words] of [
    ["lb1", "publish", "web", "-", "-m", "stolen"],
    ["lb1", "rollback", "web", "1"],
    ["lb1", "drain", "--all-services", "10.0.0.11"],
    ["carol", "publish", "web", "-", "-m", "no"],
    ["lb1", "init"],
    ["alice", "init"],
  ] as const) {
    const refused = await as(name, ...words);
    assert.equal(refused.status, 3, `${name} ${words.join(" ")}`);
    assert.match(refused.stderr, denied, `${name} ${words.join(" ")}`);
  }
  const keys = new FleetKeys("/ipvsadm/");
  const store = secured.store({}, "lb1");
  const put = (key: string) =>
    store.commit([], [{ put: key, value: Buffer.from("{}") }]);
  for (const key of [
    keys.head("web"),
    keys.revision("web", 1),
    keys.content("web", 1),
    keys.content("web", 2),
    keys.order("lb1"),
    keys.drain("x"),
    keys.state("lb2"),
    keys.alive("lb2"),
    keys.rollout("web"),
    "/other",
  ])
    await assert.rejects(put(key), /denied/, key);
  await put(keys.state("lb1"));
  await assert.rejects(
    store.commit([], [{ remove: keys.content("web", 1) }]),
    /denied/,
  );
  await assert.rejects(store.get(keys.state("lb2")), /denied/);
  // With it, an agent works.
  await using lb1 = new SimulatedDirector(
    store,
    keys,
    "lb1",
    new ModelKernel({ services: [] }),
  );
  lb1.start();
  await lb1.has("11*1");
  await eventually(async () => {
    const { stdout } = await as("alice", "status");
    return /lb1 .* ok/.test(stdout);
  });
});

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await condition())) {
    assert.ok(Date.now() < end, "the condition was not met within a minute");
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}
