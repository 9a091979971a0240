import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { readCases } from "./cases.js";
import { Duel } from "./duel.js";

// Run as `suite.js CASES ORIGINAL`: the folder of the cases, and the folder of the original's
// packages.
const [folder = "", original = ""] = process.argv.slice(2);

suite("our program behaves like the original", () => {
  let duel: Duel;
  let commands = 0;
  before(() => {
    duel = new Duel(original);
  });
  after(() => {
    duel.close();
    console.log(`compared ${commands} commands`);
  });

  for (const file of readdirSync(folder).sort()) {
    suite(file.replace(/\.txt$/, ""), () => {
      for (const { name, steps } of readCases(
        readFileSync(join(folder, file), "latin1"),
      ))
        test(name, async () => {
          await duel.reset();
          for (const step of steps) {
            const { stdout, stderr } = await duel.step(step);
            commands++;
            for (const text of step.shows)
              assert.ok(
                (stdout + stderr).includes(text),
                `the original does not print '${text}' but:\n${stdout}${stderr}`,
              );
          }
        });
    });
  }
});
