import { check } from "../check.js";
import { namesOf } from "../path-size.js";
import { droppingEvidence, droppingWays, seenText } from "../smaller-mtu.js";

/** Answers that are as large as the MTU and get lost on their way. */
export const backSizes = check(
  ["path-back-too-small"],
  ["realServer", "sizes"],
  ({ realServer, sizes }) =>
    droppingWays(sizes, realServer.devices).map((dropping) => ({
      id: "path-back-too-small",
      subject: namesOf(dropping.ways.map(({ to }) => to)),
      seen: seenText(dropping),
      evidence: [
        ...droppingEvidence(dropping),
        `packets leave by ${dropping.device}, and have up to ${dropping.full} bytes there`,
      ],
      fix: dropping.fix,
    })),
);
