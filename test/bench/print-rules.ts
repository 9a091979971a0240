// print-rules.js SERVICES: prints the rules of the bench, with two servers per service.
import { writeFileSync } from "node:fs";
import { ruleText } from "./rules.js";

writeFileSync(1, ruleText(Number(process.argv[2]), 2));
