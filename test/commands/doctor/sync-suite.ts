// Sync daemons, backup directors and deleted services. It runs beside another suite: test/lab/side-by-side.
import "./sync.lab.js";
import "./backup.lab.js";
import "./deleted-services.lab.js";
