// Real traffic through virtual services, all in one process. Needs a kernel with ip_vs: use
// test/lab/run.
import "./nat.lab.js";
import "./direct-routing.lab.js";
import "./tunneling.lab.js";
import "./full-nat.lab.js";
import "./firewall-mark.lab.js";
import "./local.lab.js";
import "./schedulers.lab.js";
import "./limits.lab.js";
import "./sync.lab.js";
import "./sctp.lab.js";
