// The floor on the full executable's link: floor-full FILE. Compiled as that is.
import { openFfiLink } from "../../src/netlink/bun-link.js";
import { runFloor } from "./floor.js";

void runFloor(process.argv[2] ?? "", openFfiLink);
