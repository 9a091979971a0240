// Modules, and sysctls of the whole kernel: no other suite may run on that kernel.
import "./machine.lab.js";
import "./conntrack-limit.lab.js";
