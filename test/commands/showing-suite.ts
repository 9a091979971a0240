// The subcommands that only read, on a real ip_vs and in one process: `npm test -- subcommands`.
import "./check/check.lab.js";
import "./completion/shells.lab.js";
import "./connections/connections.lab.js";
import "./list/list.lab.js";
import "./metrics/metrics.lab.js";
import "../packaging/prometheus.lab.js";
import "./monitor/monitor.lab.js";
import "./serve/serve.lab.js";
import "./status/status.lab.js";
import "./watch/terminal.lab.js";
import "./watch/watch.lab.js";
