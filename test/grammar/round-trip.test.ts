import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatEndpoint } from "../../src/ipvs/model.js";
import { ruleWords } from "../../src/grammar/rule-words.js";
import { parse } from "../../src/grammar/parse.js";
import { ruleLines } from "../../src/grammar/format-rule.js";
import { serviceEntry, stats } from "../fixtures/entries.js";
import { NO_NAMES } from "./lookups.js";
import { settableServices, type Server } from "./services.js";

/* src/grammar/format-rule.ts writes, src/grammar/rule-words.ts and src/grammar/parse.ts read. */

function entryOf({ key, settings }: Server) {
  const counts = {
    activeConnections: 0,
    inactiveConnections: 0,
    persistentConnections: 0,
  };
  return { key, settings, ...counts, stats: stats() };
}

test("parse() restores what ruleLines() wrote: services, servers, thresholds and tunnels", () => {
  fc.assert(
    fc.property(settableServices, ({ key, settings, servers }) => {
      const entry = serviceEntry(key, settings, servers.map(entryOf));
      const lines = [...ruleLines(entry, formatEndpoint)];
      const commands = lines.map((line) => {
        assert.ok(line.endsWith("\n"));
        return parse(ruleWords(line.slice(0, -1)), NO_NAMES);
      });
      assert.deepEqual(commands, [
        { command: "add-service", service: key, settings },
        ...servers.map(({ key: server, settings }) => ({
          command: "add-server",
          service: key,
          server,
          settings,
        })),
      ]);
    }),
    { numRuns: 1000 },
  );
});
