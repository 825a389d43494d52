-- People who sign in, what they may do, and how they prove who they are. Secrets are kept as hashes only.

create table users (
    user_id text not null,
    login text not null,
    name text not null,
    payee_id text,
    password_hash text,
    disabled bigint not null,
    version bigint not null,
    created_at bigint not null,
    constraint users_pk primary key (user_id),
    constraint users_login unique (login),
    constraint users_disabled_flag check (disabled in (0, 1))
);

create table user_roles (
    user_id text not null,
    role text not null,
    constraint user_roles_pk primary key (user_id, role),
    constraint user_roles_user foreign key (user_id) references users (user_id)
);

-- A user at a provider of OpenID Connect. People are matched by these two, never by their e-mail address.
create table user_identities (
    issuer text not null,
    subject text not null,
    user_id text not null,
    constraint user_identities_pk primary key (issuer, subject),
    constraint user_identities_user foreign key (user_id) references users (user_id)
);

-- `secret_hash` is blake3 over the cookie's value.
create table sessions (
    secret_hash text not null,
    user_id text not null,
    created_at bigint not null,
    expires_at bigint not null,
    constraint sessions_pk primary key (secret_hash),
    constraint sessions_user foreign key (user_id) references users (user_id)
);
create index sessions_of_user on sessions (user_id);

create table api_tokens (
    token_id text not null,
    user_id text not null,
    name text not null,
    secret_hash text not null,
    scopes text not null,
    created_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint,
    constraint api_tokens_pk primary key (token_id),
    constraint api_tokens_secret unique (secret_hash),
    constraint api_tokens_user foreign key (user_id) references users (user_id)
);

-- A link that signs in without a password. `user_id` is null for the one that sets the server up.
create table sign_in_links (
    secret_hash text not null,
    user_id text,
    reusable bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint,
    constraint sign_in_links_pk primary key (secret_hash),
    constraint sign_in_links_user foreign key (user_id) references users (user_id)
);

-- The answer to a request that makes something, kept so that sending it again makes nothing again. `status` is null while
-- the first one is still at work.
create table idempotency_keys (
    user_id text not null,
    route text not null,
    idempotency_key text not null,
    request_hash text not null,
    status bigint,
    answer text,
    created_at bigint not null,
    constraint idempotency_keys_pk primary key (user_id, route, idempotency_key)
);

-- Counts the changes of a part of the record, so that what is kept in memory is known to be current.
create table record_versions (
    part text not null,
    version bigint not null,
    constraint record_versions_pk primary key (part)
);

insert into record_versions (part, version) values ('company', 0), ('runs', 0), ('extensions', 0), ('work', 0);

-- The run whose pay a person has seen last on the home page, and when.
create table visits (
    user_id text not null,
    run_id text not null,
    visited_at bigint not null,
    constraint visits_pk primary key (user_id),
    constraint visits_user foreign key (user_id) references users (user_id)
);

-- What somebody asks about a line of a statement. `trace` is the line's explanation as it was when it was asked.
create table questions (
    question_id text not null,
    payee_id text not null,
    period_id text not null,
    line bigint,
    subject text not null,
    trace text not null,
    run_id text not null,
    state text not null,
    asked_by text not null,
    asked_at bigint not null,
    version bigint not null,
    constraint questions_pk primary key (question_id),
    constraint questions_state check (state in ('open', 'answered', 'closed'))
);
create index questions_of_payee on questions (payee_id);

create table question_messages (
    question_id text not null,
    position bigint not null,
    author text not null,
    body text not null,
    written_at bigint not null,
    constraint question_messages_pk primary key (question_id, position),
    constraint question_messages_question foreign key (question_id) references questions (question_id)
);
