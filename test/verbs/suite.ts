// The tests of the word verbs that need a kernel with ip_vs, in one process: `npm test -- verbs`.
import "./apply/apply.lab.js";
import "./apply/traffic.lab.js";
import "./check/check.lab.js";
import "./completion/shells.lab.js";
import "./connections/connections.lab.js";
import "./doctor/doctor.lab.js";
import "./drain/drain.lab.js";
import "./list/list.lab.js";
import "./metrics/metrics.lab.js";
import "./save/save.lab.js";
import "./status/status.lab.js";
import "./watch/terminal.lab.js";
import "./watch/watch.lab.js";
