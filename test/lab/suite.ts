// All tests that need a kernel with ip_vs, in one process: `npm run test:lab`.
import "./client.lab.js";
import "./process.lab.js";
import "./progress.lab.js";
import "./side-by-side.lab.js";
import "../rtnl/client.lab.js";
import "../packaging/smoke.lab.js";
import "../packaging/service.lab.js";
