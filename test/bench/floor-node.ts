// The floor on the link of Node.js: floor-node.cjs FILE. Bundled like the program.
import { openNodeLink } from "../../src/netlink/node-link.js";
import { runFloor } from "./floor.js";

void runFloor(process.argv[2] ?? "", openNodeLink);
