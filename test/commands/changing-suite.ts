// The subcommands that change the table: in a guest of their own, for connections stay in its table that others would count.
import "./apply/apply.lab.js";
import "./apply/traffic.lab.js";
import "./drain/drain.lab.js";
import "./save/save.lab.js";
