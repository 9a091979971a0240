import assert from "node:assert/strict";
import { test } from "node:test";
import { topFunctions } from "./profile.js";

test("topFunctions() adds up time by function, the most expensive first", () => {
  const node = (id: number, functionName: string, lineNumber: number) => ({
    id,
    callFrame: { functionName, url: "file:///a/b/main.cjs", lineNumber },
  });
  const lines = topFunctions(
    {
      // The same function, called from two places.
      nodes: [node(1, "decode", 9), node(2, "", 0), node(3, "decode", 9)],
      samples: [1, 2, 3, 1],
      timeDeltas: [1000, 4000, 2000, 3000],
    },
    1,
  );
  assert.deepEqual(lines, ["      6 ms  60.0 %  decode main.cjs:10"]);
});
