-- A hash of each row that a change wrote, in order of the key, then of the key of each row that it superseded: 16 bytes each, many in a
-- body. The audit entry of the change holds the digest of the whole.
create table row_hashes (
    recorded_at bigint not null,
    table_name text not null,
    part bigint not null,
    body blob not null,
    constraint row_hashes_pk primary key (recorded_at, table_name, part)
);
