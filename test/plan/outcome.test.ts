import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compare } from "../../src/plan/compare.js";
import { Outcome } from "../../src/plan/outcome.js";
import { planOf, stepsOf } from "../../src/plan/plan.js";
import { ModelKernel } from "./model-kernel.js";
import { pairs } from "./pairs.js";

test("a step shows after it was carried out and not before, and so does what undoes it", () => {
  fc.assert(
    fc.property(pairs, ([wanted, existing]) => {
      const kernel = new ModelKernel(existing);
      const shows = (step: ReturnType<typeof stepsOf>[number]) => {
        const outcome = new Outcome(kernel.existing);
        return [
          outcome.shows(step.change),
          step.undo.every((undo) => outcome.shows(undo)),
        ];
      };
      const differences = compare(wanted, existing, {
        prune: true,
        keepWeights: false,
      });
      for (const step of stepsOf(planOf(differences, false))) {
        assert.deepEqual(shows(step), [false, true], step.change.command);
        kernel.carryOut(step.change);
        assert.deepEqual(shows(step), [true, false], step.change.command);
      }
    }),
    { numRuns: 500 },
  );
});

test("a flush shows, and whether counters were zeroed does not", () => {
  fc.assert(
    fc.property(pairs, ([, existing]) => {
      const outcome = new Outcome(existing);
      const empty = existing.services.length === 0;
      assert.equal(outcome.shows({ command: "flush" }), empty);
      assert.ok(!outcome.shows({ command: "zero" }));
    }),
    { numRuns: 100 },
  );
});
