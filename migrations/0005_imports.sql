-- Files of rows that were sent, and what became of them.

-- `digest` is that of the file as it came; `errors` and `receipt` are JSON. `first_id` is the first attempt of a file that was
-- mended and sent again.
create table imports (
    import_id text not null,
    entity text not null,
    source text not null,
    digest text not null,
    byte_count bigint not null,
    state text not null,
    error_count bigint not null,
    errors text not null,
    receipt text,
    batch_id bigint,
    change_id text,
    first_id text,
    mended_by text,
    sent_by text not null,
    sent_at bigint not null,
    constraint imports_pk primary key (import_id),
    constraint imports_state check (state in ('applied', 'unchanged', 'refused', 'waiting-for-approval', 'rejected'))
);
create index imports_digest on imports (entity, digest);
create index imports_batch on imports (batch_id);
create index imports_first on imports (first_id);

-- The text of a refused import, for as long as it is kept.
create table import_files (
    import_id text not null,
    body blob not null,
    constraint import_files_pk primary key (import_id),
    constraint import_files_import foreign key (import_id) references imports (import_id)
);

-- A change of the record is found by its instant.
create index audit_entries_recorded on audit_entries (recorded_at);
