import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compare } from "../../src/plan/compare.js";
import { ChangesInEffect } from "../../src/plan/changes-in-effect.js";
import { makePlan, allSteps } from "../../src/plan/plan.js";
import { ModelKernel } from "./model-kernel.js";
import { pairs } from "./pairs.js";

test("has() of ChangesInEffect is true for a step after it was made, and for its undo before", () => {
  fc.assert(
    fc.property(pairs, ([desired, current]) => {
      const kernel = new ModelKernel(current);
      const shows = (step: ReturnType<typeof allSteps>[number]) => {
        const outcome = new ChangesInEffect(kernel.current);
        return [
          outcome.has(step.change),
          step.undo.every((undo) => outcome.has(undo)),
        ];
      };
      const differences = compare(desired, current, {
        prune: true,
        keepWeights: false,
      });
      for (const step of allSteps(makePlan(differences, false))) {
        assert.deepEqual(shows(step), [false, true], step.change.command);
        kernel.apply(step.change);
        assert.deepEqual(shows(step), [true, false], step.change.command);
      }
    }),
    { numRuns: 500 },
  );
});

test("has() of ChangesInEffect recognizes a flush, but not zeroed counters", () => {
  fc.assert(
    fc.property(pairs, ([, current]) => {
      const outcome = new ChangesInEffect(current);
      const empty = current.services.length === 0;
      assert.equal(outcome.has({ command: "flush" }), empty);
      assert.ok(!outcome.has({ command: "zero" }));
    }),
    { numRuns: 100 },
  );
});
