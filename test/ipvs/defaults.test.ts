import assert from "node:assert/strict";
import { test } from "node:test";
import { serverSettings, serviceSettings } from "../../src/ipvs/defaults.js";
import { PERSISTENT } from "../../src/ipvs/model.js";
import { parseService } from "../../src/ipvs/parse-keys.js";
import { read, TCP_WEB } from "../grammar/read.js";

/** The settings in the change that a command line makes. */
function settingsOf(line: string) {
  const command = read(line);
  assert.ok("settings" in command);
  return command.settings;
}

test("serviceSettings() has the defaults of the classic command", () => {
  assert.deepEqual(
    { persistenceEngine: undefined, ...serviceSettings(TCP_WEB) },
    { persistenceEngine: undefined, ...settingsOf("-A -t 10.0.0.1:80") },
  );
});

test("serviceSettings() has an IPv6 netmask for an IPv6 service", () => {
  const service = parseService("TCP [2001:db8::1]:80");
  assert.equal(serviceSettings(service).netmask, 128);
});

test("serverSettings() has the defaults of the classic command", () => {
  assert.deepEqual(
    serverSettings(),
    settingsOf("-a -t 10.0.0.1:80 -r 10.1.1.1:80"),
  );
});

test("serviceSettings() and serverSettings() keep the given settings", () => {
  const persistent = { flags: PERSISTENT, timeoutSeconds: 300 };
  assert.deepEqual(serviceSettings(TCP_WEB, persistent), {
    ...serviceSettings(TCP_WEB),
    ...persistent,
  });
  assert.equal(serverSettings({ weight: 0 }).weight, 0);
});
