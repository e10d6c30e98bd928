/** Version that heartbeats, logs and `--version` show. */
export const version = '0.1.0';
