// print-rules.js SERVICES: the rules of the bench, with two servers to each service.
import { writeFileSync } from "node:fs";
import { ruleText } from "./rules.js";

writeFileSync(1, ruleText(Number(process.argv[2]), 2));
