import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { INET, INET6 } from "../../../src/ipvs/address.js";
import { readFirewall } from "../../../src/doctor/firewall/read-firewall.js";
import type { ProgramOutput } from "../../../src/system/program-output.js";
import { IPTABLES_SAVE } from "./recorded.js";

/** A machine whose procfs has these files, whose kernel has these modules, and whose programs print this. */
async function read(
  files: Readonly<Record<string, string>>,
  modules: readonly string[],
  programs: Readonly<Record<string, ProgramOutput>>,
) {
  const folder = mkdtempSync(join(tmpdir(), "doctor-"));
  try {
    mkdirSync(join(folder, "net"));
    mkdirSync(join(folder, "sys/kernel"), { recursive: true });
    mkdirSync(join(folder, "lib/6.1.0"), { recursive: true });
    writeFileSync(join(folder, "sys/kernel/osrelease"), "6.1.0\n");
    writeFileSync(join(folder, "lib/6.1.0/modules.dep"), "");
    writeFileSync(
      join(folder, "modules"),
      modules.map((name) => `${name} 1 0 - Live 0x0\n`).join(""),
    );
    for (const [path, text] of Object.entries(files))
      writeFileSync(join(folder, path), text);
    const ran: string[] = [];
    const firewall = await readFirewall({
      procFolder: folder,
      sysFolder: join(folder, "sys"),
      modulesFolder: join(folder, "lib"),
      run(path, args) {
        const command = [path, ...args].join(" ");
        ran.push(command);
        return Promise.resolve(
          programs[command] ?? { failed: "not installed" },
        );
      },
    });
    return { ...firewall, ran };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const LEGACY = {
  "/usr/sbin/iptables-legacy-save -V": {
    text: "iptables-save v1.8.9 (legacy)\n",
  },
};

suite("readFirewall()", () => {
  test("readFirewall() runs nothing where the kernel has no rules", async () => {
    const { tables, unread, ran } = await read({}, [], {});
    assert.deepEqual([tables, unread, ran], [[], [], []]);
  });

  test("readFirewall() reads only the tables of iptables that exist", async () => {
    const { tables, ran } = await read(
      { "net/ip_tables_names": "filter\n" },
      [],
      {
        ...LEGACY,
        "/usr/sbin/iptables-legacy-save -c -t filter": { text: IPTABLES_SAVE },
      },
    );
    assert.deepEqual(ran, [
      "/usr/sbin/iptables-legacy-save -V",
      "/usr/sbin/iptables-legacy-save -c -t filter",
    ]);
    assert.equal(tables[0]?.program, "iptables-legacy");
  });

  test("readFirewall() takes iptables-save without a suffix if it is of the right variant", async () => {
    const { tables } = await read({ "net/ip_tables_names": "filter\n" }, [], {
      "/usr/sbin/iptables-save -V": {
        text: "iptables-save v1.8.9 (nf_tables)",
      },
      "/sbin/iptables-save -V": { text: "iptables-save v1.6.1" },
      "/sbin/iptables-save -c -t filter": { text: IPTABLES_SAVE },
    });
    assert.equal(tables[0]?.program, "iptables");
  });

  test("readFirewall() names the legacy variant of iptables where the kernel has no other", async () => {
    const names = async (
      files: Readonly<Record<string, string>>,
      modules: readonly string[],
    ) => {
      const { legacyPrograms, tables } = await read(files, modules, {
        ...LEGACY,
        "/usr/sbin/ip6tables-save -V": { text: "ip6tables-save v1.6.1" },
      });
      assert.deepEqual(tables, []);
      return [...(legacyPrograms ?? [])];
    };
    const empty = { "net/ip_tables_names": "", "net/ip6_tables_names": "" };
    assert.deepEqual(await names(empty, []), [
      [INET, "iptables-legacy"],
      [INET6, "ip6tables"],
    ]);
    assert.deepEqual(await names({ "net/ip_tables_names": "" }, []), [
      [INET, "iptables-legacy"],
    ]);
    assert.deepEqual(await names({}, []), []);
    assert.deepEqual(await names(empty, ["nf_tables"]), []);
    const loadable = { "lib/6.1.0/modules.dep": "kernel/nf_tables.ko:\n" };
    assert.deepEqual(await names({ ...empty, ...loadable }, []), []);
  });

  test("readFirewall() says which rules it cannot read, and why", async () => {
    const { unread } = await read(
      { "net/ip_tables_names": "filter\n", "net/ip6_tables_names": "raw\n" },
      ["nf_tables"],
      {
        ...LEGACY,
        "/usr/sbin/iptables-legacy-save -c -t filter": {
          failed: "other",
          reason: "iptables-legacy-save did not end within 5 s",
        },
        "/usr/sbin/iptables-nft-save -V": { text: "v1.8.9 (nf_tables)" },
        "/usr/sbin/iptables-nft-save -c": { text: IPTABLES_SAVE },
      },
    );
    assert.deepEqual(unread, [
      "iptables table filter (iptables-legacy-save did not end within 5 s)",
      "ip6tables rules (ip6tables-legacy-save is not installed)",
      "nft rules (nft is not installed)",
      "rules of ip6tables-nft (ip6tables-nft-save is not installed)",
    ]);
  });

  test("readFirewall() has iptables-nft-save explain what nft does not", async () => {
    const managed = {
      nftables: [
        { table: { family: "ip", name: "filter" } },
        { table: { family: "inet", name: "own" } },
        {
          chain: {
            family: "ip",
            table: "filter",
            name: "INPUT",
            hook: "input",
            prio: 0,
            policy: "accept",
          },
        },
        {
          rule: {
            family: "ip",
            table: "filter",
            chain: "INPUT",
            expr: [{ xt: null }],
          },
        },
      ],
    };
    const { tables, unread } = await read({}, ["nf_tables"], {
      "/usr/sbin/nft -j list ruleset": { text: JSON.stringify(managed) },
      "/usr/sbin/iptables-nft-save -V": { text: "v1.8.9 (nf_tables)" },
      "/usr/sbin/iptables-nft-save -c": { text: IPTABLES_SAVE },
      "/usr/sbin/ip6tables-nft-save -V": { text: "v1.8.9 (nf_tables)" },
      "/usr/sbin/ip6tables-nft-save -c": { text: "" },
    });
    assert.deepEqual(
      tables.map(({ program, name }) => `${program} ${name}`),
      [
        "nft own",
        "iptables-nft raw",
        "iptables-nft mangle",
        "iptables-nft nat",
        "iptables-nft filter",
      ],
    );
    assert.deepEqual(unread, []);
  });
});
