import "./encoding.js";
import "./host-calls.js";
import "./process.js";
import "./subcommands.js";
