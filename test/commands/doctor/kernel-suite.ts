// What other network namespaces see, too: modules, sysctls of the whole kernel, and the match ipvs. It runs alone in its guest.
import "./machine.lab.js";
import "./conntrack-limit.lab.js";
import "./ftp.lab.js";
import "./source-limits.lab.js";
import "./nat.lab.js";
