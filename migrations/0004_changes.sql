-- Changes that wait for a second person, and what became of them.

create table changes (
    change_id text not null,
    kind text not null,
    object text not null,
    state text not null,
    author text not null,
    comment text not null,
    -- Hash of what is in force and would be replaced, and of kind, object, payload and base together: what is approved.
    base_digest text not null,
    content_hash text not null,
    -- The revision whose payload counts; each edit makes one.
    revision bigint not null,
    version bigint not null,
    created_at bigint not null,
    submitted_at bigint,
    decided_by text,
    decided_at bigint,
    decision_comment text,
    -- In money, as JSON: as it was at the submission, and at the approval once approved.
    impact text,
    constraint changes_pk primary key (change_id),
    constraint changes_kind check (kind in ('formula', 'plan', 'extension', 'import', 'company', 'table')),
    constraint changes_state check (state in ('draft', 'submitted', 'approved', 'rejected', 'withdrawn')),
    constraint changes_decided check (state not in ('approved', 'rejected') or decided_by is not null)
);
create index changes_of_state on changes (state, created_at);
create index changes_of_object on changes (kind, object);

-- Everything that was ever saved of a change, and who saved it. `payee_id` is whom the editor was at that time.
create table change_revisions (
    change_id text not null,
    revision bigint not null,
    editor text not null,
    payee_id text,
    payload text not null,
    text_diff text not null,
    content_hash text not null,
    recorded_at bigint not null,
    constraint change_revisions_pk primary key (change_id, revision),
    constraint change_revisions_change foreign key (change_id) references changes (change_id)
);

-- Which versions of documents an approved change wrote.
create table change_documents (
    path text not null,
    version bigint not null,
    change_id text not null,
    constraint change_documents_pk primary key (path, version),
    constraint change_documents_change foreign key (change_id) references changes (change_id)
);
create index change_documents_of_change on change_documents (change_id);
