// The subcommands that change the table. They leave connections behind, so other suites need a guest of their own.
import "./apply/apply.lab.js";
import "./apply/traffic.lab.js";
import "./drain/drain.lab.js";
import "./drain/drain-machine.lab.js";
import "./save/save.lab.js";
