import assert from "node:assert/strict";
import { test } from "node:test";
import { modules } from "../../../../src/doctor/director/machine/modules.js";
import { sysctls, told } from "../../made-up.js";

const ABSENT = { state: "absent", users: [], parameters: {} } as const;
const LOADED = { state: "loaded", users: [], parameters: {} } as const;

test("modules: a loaded module is fine, and so is one that only its sysctls show", () => {
  const available = new Map([["ip_vs_rr", "loadable" as const]]);
  assert.deepEqual(
    modules.examine({ module: LOADED, available, sysctls: sysctls({}) }),
    [],
  );
  const seen = sysctls({ "net.ipv4.vs.conntrack": 0 });
  assert.deepEqual(
    modules.examine({ module: ABSENT, available, sysctls: seen }),
    [],
  );
});

test("modules: a missing module and missing schedulers are reported", () => {
  const available = new Map([
    ["ip_vs", "absent" as const],
    ["ip_vs_rr", "absent" as const],
    ["ip_vs_mh", "absent" as const], // not in older kernels
    ["ip_vs_sh", undefined],
  ]);
  const found = modules.examine({
    module: ABSENT,
    available,
    sysctls: sysctls({}),
  });
  assert.deepEqual(found.map(told), [
    ["module-absent -", "modprobe ip_vs"],
    ["schedulers-missing -", "depmod -a"],
  ]);
  assert.deepEqual(
    found.map(({ seen }) => seen),
    [
      "ip_vs is not loaded, and the modules of this kernel do not include it",
      "the modules of this kernel do not include ip_vs_rr",
    ],
  );
});
