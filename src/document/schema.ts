/** The schema of a table. The number is raised if a program for the old schema would misread the new one. */
export const TABLE_SCHEMA = "ipvsadm/table/1";
/** The schema of a line of ndjson, which is one service. */
export const SERVICE_SCHEMA = "ipvsadm/service/1";
