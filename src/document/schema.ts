/** What a document of this kind begins with: its `schema`. The number grows when a reader of the old would misread the new. */
export const TABLE_SCHEMA = "ipvsadm/table/1";
/** The same for a line of ndjson, which is one service. */
export const SERVICE_SCHEMA = "ipvsadm/service/1";
