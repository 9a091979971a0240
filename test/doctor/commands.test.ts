import assert from "node:assert/strict";
import { test } from "node:test";
import { editServer, editService } from "../../src/doctor/commands.js";
import { changeLine } from "../../src/grammar/format-rule.js";
import { INET, INET6 } from "../../src/ipvs/address.js";
import {
  MASQUERADING,
  PERSISTENT,
  type ServiceKey,
} from "../../src/ipvs/model.js";
import { serverEntry, serviceEntry } from "../fixtures/entries.js";
import { findingsIn } from "../rules/findings.js";
import { serviceAt } from "./made-up.js";

const serverAt = (text: string) =>
  serverEntry(text, 80, { forwarding: MASQUERADING, weight: 5 });
const SERVER = serverAt("192.0.2.10");

test("the commands of fixes pass the check subcommand", async () => {
  const keys: ServiceKey[] = [
    { family: INET, firewallMark: 7 },
    { family: INET, firewallMark: 2 ** 31 },
    { family: INET, firewallMark: 2 ** 32 - 1 },
    { family: INET6, firewallMark: 2 ** 32 - 1 },
    serviceAt("192.0.2.1").key,
  ];
  for (const key of keys) {
    const server = serverAt(key.family === INET ? "192.0.2.10" : "2001:db8::a");
    const service = serviceEntry(
      key,
      { scheduler: "sh", flags: PERSISTENT | 0x8, timeoutSeconds: 300 },
      [server],
    );
    const { settings } = service;
    const made = [
      changeLine({ command: "add-service", service: key, settings }),
      changeLine({
        command: "add-server",
        service: key,
        server: server.key,
        settings: server.settings,
      }),
    ];
    const fixes = [
      editServer(service, server, { upperThreshold: 9 }),
      editService(service, { scheduler: "wlc", flags: PERSISTENT }),
    ].map(({ command }) =>
      command.replace(/^ipvsadm /, "").replaceAll("'", ""),
    );
    const lines = [...made, ...fixes];
    assert.deepEqual(
      await findingsIn(`${lines.join("\n")}\n`),
      [],
      lines.join("\n"),
    );
  }
});

test("editServer() and editService() keep all other settings", () => {
  const mark = { family: INET, firewallMark: 2 ** 31 } as const;
  const service = serviceEntry(mark, {}, [SERVER]);
  assert.deepEqual(editServer(service, SERVER, { weight: 1 }), {
    command: "ipvsadm -e -f 2147483648 -r 192.0.2.10:80 -m -w 1",
  });
  assert.deepEqual(editService(service, { scheduler: "rr" }), {
    command: "ipvsadm -E -f 2147483648 -s rr",
  });
});

test("editServer() quotes addresses that a shell reads as a pattern", () => {
  const server = serverAt("2001:db8::a");
  const service = serviceAt("2001:db8::1", [server]);
  assert.equal(
    editServer(service, server, { weight: 1 }).command,
    "ipvsadm -e -t '[2001:db8::1]:80' -r '[2001:db8::a]:80' -m -w 1",
  );
  assert.equal(
    editService(service, { scheduler: "rr" }).command,
    "ipvsadm -E -t '[2001:db8::1]:80' -s rr",
  );
});
