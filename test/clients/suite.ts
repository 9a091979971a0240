// Real clients on a kernel with ip_vs, in one process: `suite.js ORIGINAL CLIENTS`, the folders of
// fetch-original and
// fetch-clients.
import "./shell.lab.js";
import "./connections.lab.js";
import "./init-script.lab.js";
import "./ldirectord.lab.js";
import "./keepalived.lab.js";
import "./documents.lab.js";
import "./configurations.lab.js";
