// The floor on Node's link: floor-node.cjs FILE. Bundled as the program is.
import { openNodeLink } from "../../src/netlink/node-link.js";
import { runFloor } from "./floor.js";

void runFloor(process.argv[2] ?? "", openNodeLink);
